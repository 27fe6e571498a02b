// Where chat templates lie in a model's files.
#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "scan/file_template.h"
#include "scan/file_text.h"
#include "scan/model_files.h"

namespace reveille::scan {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kGgufKey = "tokenizer.chat_template";

// A text, or a list of {"name", "template"}.
void add_value(const Json& value, const std::string& file, std::int64_t line, std::vector<TemplateText>& out) {
  if (value.is_string()) out.push_back({value.get<std::string>(), "default", file, line});
  if (!value.is_array()) return;
  for (const Json& entry : value) {
    const bool named = entry.is_object() && entry.contains("name") && entry["name"].is_string() &&
                       entry.contains("template") && entry["template"].is_string();
    if (named) out.push_back({entry["template"].get<std::string>(), entry["name"].get<std::string>(), file, line});
  }
}

void add_json(const fs::path& folder, const std::string& file, std::vector<TemplateText>& out) {
  const fs::path path = folder / file;
  if (!fs::is_regular_file(path)) return;
  const std::string text = read_small_file(path);
  const Json json = parse_json(text, file);
  const auto found = json.is_object() ? json.find("chat_template") : json.end();
  if (found == json.end()) return;
  add_value(*found, file, std::max<std::int64_t>(1, line_of_key(text, "chat_template")), out);
}

std::vector<TemplateText> of_folder(const fs::path& folder) {
  std::vector<TemplateText> out;
  if (fs::is_regular_file(folder / "chat_template.jinja"))
    out.push_back({read_small_file(folder / "chat_template.jinja"), "default", "chat_template.jinja", 0});
  for (const char* file : {"chat_template.json", "tokenizer_config.json"}) {
    try {
      add_json(folder, file, out);
    } catch (const Error& error) {  // the check of JSON files says so
      if (error.kind() != ErrorKind::bad_input) throw;
    }
  }
  for (const std::string& file : files_of(folder)) {
    const fs::path path = file;
    if (path.parent_path() != "additional_chat_templates" || path.extension() != ".jinja") continue;
    out.push_back({read_small_file(folder / path), path.stem().string(), file, 0});
  }
  return out;
}

std::vector<TemplateText> of_gguf(const fs::path& path) {
  std::vector<TemplateText> out;
  const auto file = io::GgufFile::open(path);
  for (const std::string& key : file->metadata().keys()) {
    const auto* value = file->metadata().find(key);
    if (!key.starts_with(kGgufKey) || value->type != io::GgufType::string) continue;
    const std::string name = key.size() > kGgufKey.size() + 1 ? key.substr(kGgufKey.size() + 1) : "default";
    out.push_back({std::string(io::as_text(value->raw)), name, path.filename().string(), -1});
  }
  return out;
}

}  // namespace

std::vector<TemplateText> templates_of(const fs::path& model) {
  auto out = is_gguf(model) ? of_gguf(model) : of_folder(model);
  std::stable_sort(out.begin(), out.end(), [](const TemplateText& a, const TemplateText& b) {
    return (a.name == "default") > (b.name == "default");
  });
  return out;
}

}  // namespace reveille::scan
