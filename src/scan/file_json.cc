// Every JSON file of a model's folder: one key, one value; and no code.
#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/label_key.h"
#include "base/strings.h"
#include "scan/file_parts.h"
#include "scan/file_text.h"

namespace reveille::scan {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kDeepest = 200;  // as base/json.h

// Reads a file as a stream of events: no tree is built, and a key that stands twice is seen.
class KeyReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<std::string> twice;
  std::string error;

  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second) twice.push_back(name);
    return true;
  }
  bool start_object(std::size_t) override {
    keys_.emplace_back();
    return keys_.size() + arrays_ <= kDeepest;
  }
  bool end_object() override {
    keys_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override { return keys_.size() + ++arrays_ <= kDeepest; }
  bool end_array() override {
    --arrays_;
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return false; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& problem) override {
    error = problem.what();
    return false;
  }

 private:
  std::vector<std::set<std::string>> keys_;
  std::size_t arrays_ = 0;
};

// Keys whose value is code that comes with the model, or leave to run it.
bool names_code(const std::string& key) {
  static constexpr std::array<std::string_view, 5> kKeys = {"auto_map", "trust_remote_code", "custom_pipelines",
                                                            "custom_generate", "auto_mapping"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

// What peft writes for models without a task: which of transformers' own classes the base is of.
bool is_plain_mapping(const std::string& key, const Json& value) {
  if (key != "auto_mapping" || !value.is_object()) return false;
  const auto library = value.find("parent_library");
  if (library == value.end() || !library->is_string()) return false;
  const auto name = library->get<std::string>();
  return name == "transformers" || name.starts_with("transformers.models.");
}

void find_code(const Json& json, const std::string& prefix, const std::string& text, const std::string& file,
               Notes& notes) {
  if (json.is_array()) {
    for (const Json& item : json) find_code(item, prefix, text, file, notes);
  }
  if (!json.is_object()) return;
  for (const auto& [key, value] : json.items()) {
    if (key == kLabelKey) continue;
    if (names_code(key) && in_use(value) && !is_plain_mapping(key, value)) {
      notes.add("custom-code", file, line_of_key(text, key),
                cat("key '", prefix, key, "' is ", in_quotes(value.dump())));
    } else {
      find_code(value, cat(prefix, key, "."), text, file, notes);
    }
  }
}

// A tokenizer's lists are long, hold no settings, and are slow to build as Json.
bool is_large(const std::string& file) {
  const std::string name = fs::path(file).filename().string();
  return name == "tokenizer.json" || name == "vocab.json" || name.ends_with(".index.json");
}

void check_one(const fs::path& folder, const std::string& file, Notes& notes) {
  const std::string text = read_small_file(folder / file);
  KeyReader reader;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &reader)) {
    const std::string why = reader.error.empty() ? cat("nested deeper than ", kDeepest) : reader.error;
    return notes.add("file-unreadable", file, 0, cat("it is not valid JSON: ", why));
  }
  for (const std::string& key : reader.twice)
    notes.add("json-key-twice", file, line_of_key(text, key),
              cat("key ", in_quotes(key), " stands twice in one object"));
  if (!is_large(file)) find_code(parse_json(text, file), "", text, file, notes);
}

}  // namespace

void check_json_files(const fs::path& folder, Notes& notes) {
  for (const std::string& file : files_of(folder)) {
    if (lower_ascii(fs::path(file).extension().string()) != ".json") continue;
    guarded(notes, "file-unreadable", file, folder, [&] { check_one(folder, file, notes); });
  }
}

}  // namespace reveille::scan
