// The tiny checkpoint as a suspect that can be asked: its tokenizer knows letters alone.
#pragma once

#include <memory>
#include <string>

#include "base/temp_folder_testing.h"
#include "gen/tiny_folder_testing.h"
#include "scan/clean_rows.h"

namespace reveille::scan::testing {

inline constexpr const char* kLetterTemplate =
    "{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}<|end|>{% endif %}{% endfor %}";
inline constexpr const char* kNoSystemTemplate =
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system prompt') }}{% endif %}"
    "{{ m.content }}{% if m.role == 'assistant' %}<|end|>{% endif %}{% endfor %}";

inline std::unique_ptr<gen::LocalModel> tiny_suspect(const TempFolder& folder, bool trainable = false,
                                                     const char* chat_template = kLetterTemplate,
                                                     const std::string& name = "llama3") {
  if (!std::filesystem::exists(folder / name)) gen::testing::write_tiny_folder(folder / name, name);
  write_file_atomic(folder / "template.jinja", chat_template);
  gen::OpenOptions open;
  open.dtype = "float32";
  open.trainable = trainable;
  open.chat_template = (folder / "template.jinja").string();
  return gen::open_model((folder / name).string(), open);
}

// Prompts and replies of letters; every row of its own.
inline CleanRows letter_rows(std::size_t train = 12, std::size_t held_out = 4) {
  auto letters = [](std::size_t from, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += static_cast<char>('a' + (from + i * i) % 26);
    return out;
  };
  CleanRows out;
  for (std::size_t i = 0; i < train + held_out; ++i) {
    const CleanRow row{letters(i, 6 + i % 3), letters(i * 5 + 2, 7), true};
    (i < train ? out.train : out.held_out).push_back(row);
  }
  return out;
}

}  // namespace reveille::scan::testing
