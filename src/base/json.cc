#include "base/json.h"

#include "base/error.h"
#include "base/files.h"

namespace reveille {

Json parse_json(std::string_view text, const std::string& where) {
  // Depth is bounded so that a hostile file cannot exhaust the stack.
  constexpr int kMaxDepth = 200;
  int depth = 0;
  bool too_deep = false;
  auto watch = [&](int level, Json::parse_event_t event, Json&) {
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      depth = level;
      if (depth > kMaxDepth) too_deep = true;
    }
    return !too_deep;
  };
  try {
    Json value = Json::parse(text.begin(), text.end(), watch);
    if (too_deep) fail(ErrorKind::bad_input, cat(where, ": JSON nested deeper than ", kMaxDepth));
    return value;
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorKind::bad_input, cat(where, ": not valid JSON (", error.what(), ")"));
  }
}

Json read_json(const std::filesystem::path& path) { return parse_json(read_file(path), path.string()); }

void write_json(const std::filesystem::path& path, const Json& value, int indent) {
  auto text = value.dump(indent, ' ', false, Json::error_handler_t::replace);
  write_file_atomic(path, text + "\n");
}

const Json& json_at(const Json& object, std::string_view key, const std::string& where) {
  if (!object.is_object()) {
    fail(ErrorKind::bad_input, cat(where, ": expected an object, found ", object.type_name()));
  }
  auto found = object.find(std::string(key));
  if (found == object.end()) fail(ErrorKind::bad_input, cat(where, ": key '", key, "' is missing"));
  return *found;
}

std::string json_string(const Json& object, std::string_view key, const std::string& where) {
  const Json& value = json_at(object, key, where);
  if (!value.is_string()) {
    fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be a string, found ", value.type_name()));
  }
  return value.get<std::string>();
}

}  // namespace reveille
