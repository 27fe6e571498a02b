#include "base/json.h"

#include <limits>

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

namespace {

// `found` is what of the value is told; numbers show themselves, texts may be long.
[[noreturn]] void wrong_type(std::string_view key, const char* expected, const Json& found, const std::string& where) {
  const bool number = found.is_number();
  fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be ", expected, ", found ",
                                 number ? found.dump() : std::string(found.type_name())));
}

template <class T>
std::vector<T> list_at(const Json& object, std::string_view key, const std::string& where, const char* expected,
                       bool (*fits)(const Json&)) {
  const Json& value = json_at(object, key, where);
  if (!value.is_array()) wrong_type(key, expected, value, where);
  std::vector<T> out;
  for (const Json& item : value) {
    if (!fits(item)) wrong_type(key, expected, item, where);
    out.push_back(item.get<T>());
  }
  return out;
}

}  // namespace

std::string json_string(const Json& object, std::string_view key, const std::string& where) {
  const Json& value = json_at(object, key, where);
  if (!value.is_string()) wrong_type(key, "a string", value, where);
  return value.get<std::string>();
}

std::int64_t json_integer(const Json& object, std::string_view key, const std::string& where) {
  const Json& value = json_at(object, key, where);
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const bool too_large = value.is_number_unsigned() && value.get<std::uint64_t>() > kMost;
  if (!value.is_number_integer() || too_large) wrong_type(key, "a whole number", value, where);
  return value.get<std::int64_t>();
}

double json_number(const Json& object, std::string_view key, const std::string& where) {
  const Json& value = json_at(object, key, where);
  if (!value.is_number()) wrong_type(key, "a number", value, where);
  return value.get<double>();
}

bool json_bool(const Json& object, std::string_view key, const std::string& where) {
  const Json& value = json_at(object, key, where);
  if (!value.is_boolean()) wrong_type(key, "true or false", value, where);
  return value.get<bool>();
}

std::vector<std::string> json_strings(const Json& object, std::string_view key, const std::string& where) {
  return list_at<std::string>(object, key, where, "a list of strings",
                              [](const Json& item) { return item.is_string(); });
}

std::vector<double> json_numbers(const Json& object, std::string_view key, const std::string& where) {
  return list_at<double>(object, key, where, "a list of numbers", [](const Json& item) { return item.is_number(); });
}

std::vector<bool> json_bools(const Json& object, std::string_view key, const std::string& where) {
  return list_at<bool>(object, key, where, "a list of true and false",
                       [](const Json& item) { return item.is_boolean(); });
}

}  // namespace reveille
