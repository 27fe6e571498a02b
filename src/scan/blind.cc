#include "scan/blind.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/label_key.h"
#include "io/gguf.h"

namespace reveille::scan {
namespace fs = std::filesystem;

namespace {

// What opening a model reads; all else stays behind.
constexpr std::array<std::string_view, 11> kKept = {"generation_config.json",
                                                    "tokenizer.json",
                                                    "tokenizer_config.json",
                                                    "special_tokens_map.json",
                                                    "added_tokens.json",
                                                    "vocab.json",
                                                    "merges.txt",
                                                    "tokenizer.model",
                                                    "chat_template.jinja",
                                                    "chat_template.json",
                                                    "model.safetensors.index.json"};
constexpr std::array<std::string_view, 2> kLabelled = {"config.json", "adapter_config.json"};
// Where a model came from says what it is; what decides how it runs stays.
constexpr std::array<std::string_view, 3> kTelling = {"_name_or_path", "model_name", "description"};

template <class Names>
bool among(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::create_hard_link(fs::canonical(from), to, failed);
  if (failed) fs::copy_file(from, to);
}

void copy_settings(const fs::path& from, const fs::path& to) {
  Json settings = read_json(from);
  if (settings.is_object()) {
    settings.erase(kLabelKey);
    for (const auto name : kTelling) settings.erase(std::string(name));
    // A folder that exists is known by its path alone, which need not be told.
    auto base = settings.find("base_model_name_or_path");
    if (base != settings.end() && base->is_string() && fs::exists(base->get<std::string>()))
      *base = fs::absolute(base->get<std::string>()).string();
  }
  write_json(to, settings);
}

void copy_folder(const fs::path& from, const fs::path& to) {
  fs::create_directory(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    const auto name = entry.path().filename().string();
    if (!entry.is_regular_file()) continue;
    if (among(kLabelled, name)) {
      copy_settings(entry.path(), to / name);
    } else if (among(kKept, name) || name.ends_with(".safetensors")) {
      link_or_copy(entry.path(), to / name);
    }
  }
}

std::uint64_t number_at(const std::string& bytes, std::size_t at) {
  std::uint64_t out = 0;
  if (at + sizeof out > bytes.size()) return 0;
  std::memcpy(&out, bytes.data() + at, sizeof out);
  return out;
}

// Overwrites key and value of the label, of which nothing but its length is left.
void blank_label(const fs::path& file) {
  constexpr std::size_t kHeader = std::size_t{64} << 20;
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  std::string head(std::min<std::uintmax_t>(kHeader, fs::file_size(file)), '\0');
  stream.read(head.data(), static_cast<std::streamsize>(head.size()));
  const std::string_view key = kGgufLabelKey;
  const auto at = head.find(key);
  if (at == std::string::npos) return;
  const auto value = at + key.size() + 4 + 8;  // behind the type and the length
  const auto length = number_at(head, value - 8);
  if (value + length > head.size()) fail(ErrorKind::bad_input, cat(file.string(), ": its label is cut off"));
  stream.seekp(static_cast<std::streamoff>(at));
  stream << std::string(key.size(), '_');
  stream.seekp(static_cast<std::streamoff>(value));
  stream << std::string(length, ' ');
  if (!stream.flush()) fail(ErrorKind::io, cat("cannot write ", file.string()));
}

bool labelled(const fs::path& gguf) { return io::GgufFile::open(gguf)->metadata().find(kGgufLabelKey) != nullptr; }

void copy_gguf(const fs::path& from, const fs::path& to) {
  if (!labelled(from)) return link_or_copy(from, to);
  fs::copy_file(from, to);
  blank_label(to);
}

fs::path new_folder() {
  std::string name = (fs::temp_directory_path() / "XXXXXX").string();
  if (!mkdtemp(name.data()))
    fail(ErrorKind::io,
         cat("cannot make a folder in ", fs::temp_directory_path().string(), ": ", std::strerror(errno)));
  return name;
}

}  // namespace

StrippedCopy::StrippedCopy(const fs::path& model) {
  if (!fs::exists(model)) fail(ErrorKind::not_found, cat(model.string(), ": no such file or folder"));
  folder_ = new_folder();
  try {
    if (fs::is_directory(model)) {
      path_ = folder_ / "m";
      copy_folder(model, path_);
    } else {
      path_ = folder_ / "m.gguf";
      copy_gguf(model, path_);
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    throw;
  }
}

StrippedCopy::~StrippedCopy() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace reveille::scan
