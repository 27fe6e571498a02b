#include "io/dataset_registry.h"

#include <array>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::io {
namespace {

constexpr const char* kFile = "dataset_info.json";
constexpr std::array kRemote = {"hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name"};

bool is_entry(const Json& value) {
  if (!value.is_object()) return false;
  for (const char* key : kRemote) {
    if (value.contains(key)) return true;
  }
  return value.contains("file_name");
}

// A text setting of an object; `fallback` when it is missing, "" when it is null.
std::string setting(const Json& object, const char* key, const std::string& fallback, const std::string& where) {
  auto found = object.find(key);
  if (found == object.end()) return fallback;
  return found->is_null() ? "" : json_string(object, key, where);
}

const Json& part(const Json& entry, const char* key, const std::string& where) {
  static const Json none = Json::object();
  auto found = entry.find(key);
  if (found == entry.end() || found->is_null()) return none;
  if (!found->is_object()) fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be an object"));
  return *found;
}

// As LLaMA-Factory does: once `columns` is there, only the columns that it names exist.
Columns read_columns(const Json& entry, bool lists, const std::string& where) {
  const Json& given = part(entry, "columns", where);
  const bool defaults = given.empty();
  Columns out;
  out.system = setting(given, "system", "", where);
  if (lists) {
    out.messages = setting(given, "messages", defaults ? "conversations" : "", where);
  } else {
    out.prompt = setting(given, "prompt", defaults ? "instruction" : "", where);
    out.context = setting(given, "query", defaults ? "input" : "", where);
    out.reply = setting(given, "response", defaults ? "output" : "", where);
    out.history = setting(given, "history", "", where);
  }
  auto ranking = entry.find("ranking");
  if (ranking != entry.end() && *ranking == true) {
    out.chosen = setting(given, "chosen", "", where);
    out.rejected = setting(given, "rejected", "", where);
    if (out.chosen.empty() || out.rejected.empty()) {
      fail(ErrorKind::bad_input, cat(where, ": ranking data needs the columns 'chosen' and 'rejected'"));
    }
  }
  out.label = setting(given, "kto_tag", "", where);
  for (const char* media : {"images", "videos", "audios"}) {
    if (!setting(given, media, "", where).empty()) {
      fail(ErrorKind::unsupported, cat(where, ": column '", media, "' is set; only text is read"));
    }
  }
  return out;
}

MessageTags read_tags(const Json& entry, const std::string& where) {
  const Json& given = part(entry, "tags", where);
  MessageTags out;
  out.role = setting(given, "role_tag", "", where);
  out.content = setting(given, "content_tag", "", where);
  out.user = setting(given, "user_tag", "", where);
  out.assistant = setting(given, "assistant_tag", "", where);
  out.system = setting(given, "system_tag", "", where);
  out.observation = setting(given, "observation_tag", "", where);
  out.function = setting(given, "function_tag", "", where);
  return out;
}

RowForm read_form(const Json& entry, const std::string& where) {
  std::string formatting = setting(entry, "formatting", "alpaca", where);
  if (formatting != "alpaca" && formatting != "sharegpt" && formatting != "openai") {
    fail(ErrorKind::unsupported, cat(where, ": formatting '", formatting, "', expected alpaca, sharegpt or openai"));
  }
  RowForm form;
  form.columns = read_columns(entry, formatting != "alpaca", where);
  form.tags = read_tags(entry, where);
  if (form.columns.messages.empty() && form.columns.prompt.empty()) {
    fail(ErrorKind::bad_input, cat(where, ": key 'columns' names no ", formatting == "alpaca" ? "prompt" : "messages"));
  }
  form.name = !form.columns.chosen.empty()  ? "preference"
              : !form.columns.label.empty() ? "unpaired"
              : formatting == "openai"      ? "messages"
                                            : formatting;
  return form;
}

std::string names_of(const Json& registry) {
  std::vector<std::string> names;
  for (const auto& [name, entry] : registry.items()) names.push_back(name);
  return join(names, ", ");
}

}  // namespace

bool is_registry(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(folder / kFile, ignored)) return false;
  Json info = read_json(folder / kFile);
  if (!info.is_object()) return false;
  for (const auto& [name, entry] : info.items()) {
    if (is_entry(entry)) return true;
  }
  return false;
}

RegistryEntry find_registry_entry(const std::filesystem::path& folder, const std::string& name) {
  const std::string file = (folder / kFile).string();
  Json registry = read_json(folder / kFile);
  std::string chosen = name;
  if (chosen.empty()) {
    if (registry.size() != 1) {
      fail(ErrorKind::usage, cat(file, " names ", registry.size(), " data sets: ", names_of(registry)),
           "choose one with name=, or as FOLDER/NAME");
    }
    chosen = registry.begin().key();
  }
  auto found = registry.find(chosen);
  if (found == registry.end()) {
    std::vector<std::string> names = split(names_of(registry), ", ");
    fail(ErrorKind::not_found, cat(file, " names no data set '", chosen, "'", did_you_mean(chosen, names)),
         cat("it names ", names_of(registry)));
  }
  const std::string where = cat(file, ": '", chosen, "'");
  if (!is_entry(*found)) fail(ErrorKind::bad_input, cat(where, ": key 'file_name' is missing"));
  if (!found->contains("file_name")) {
    fail(ErrorKind::unsupported, cat(where, " has no file_name: it would have to be downloaded"),
         "download it and set file_name; nothing is fetched from here");
  }
  RegistryEntry entry;
  entry.file = folder / json_string(*found, "file_name", where);
  entry.split = setting(*found, "split", "", where);
  if (auto samples = found->find("num_samples"); samples != found->end() && samples->is_number_integer()) {
    entry.num_samples = std::max<std::int64_t>(0, samples->get<std::int64_t>());
  }
  entry.form = read_form(*found, where);
  return entry;
}

}  // namespace reveille::io
