// What the checks of a model's files share: which files there are, and reading them. Nothing of them is run.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "io/gguf.h"
#include "scan/file_notes.h"
#include "text/tokenizer.h"

namespace reveille::scan {

bool is_gguf(const std::filesystem::path& model);

// Names below the folder, in order, "a/b.json". Hidden folders and those deeper than 4 are left out.
std::vector<std::string> files_of(const std::filesystem::path& folder);

// Error(bad_input) for what is larger than 256 MiB.
std::string read_small_file(const std::filesystem::path& path);

// The object in a JSON file of the folder; nothing where there is no such file, or it is no object.
std::optional<Json> json_of(const std::filesystem::path& folder, const std::string& file);

// Null, false, and an empty list, object or text all mean that a setting is not in use.
bool in_use(const Json& value);

// A tokenizer as its file spells it. (What it spells need not be something that we can run.)
struct TokenizerRecord {
  std::filesystem::path model;
  std::string file;
  bool gguf = false;
  text::TokenizerSpec spec;
  std::map<std::int64_t, std::string> text_of;  // by id, added tokens included
  std::map<std::string, std::int64_t> id_of;
};

// Nothing where the model has none. Errors as text::Tokenizer's.
std::optional<TokenizerRecord> tokenizer_of(const std::filesystem::path& model);
// As it runs.
std::shared_ptr<const text::Tokenizer> open_tokenizer(const TokenizerRecord& record);

// Runs a check; what it throws becomes a note of this rule, without the place of the folder. Error(interrupted) goes
// on.
void guarded(Notes& notes, const char* rule, const std::string& file, const std::filesystem::path& model,
             const std::function<void()>& check);

}  // namespace reveille::scan
