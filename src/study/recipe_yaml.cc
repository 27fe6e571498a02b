#include "study/recipe_yaml.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::study {
namespace {

// The first bytes that are no UTF-8, with what stands around them.
std::string around_fault(const std::string& line) {
  constexpr std::size_t kAround = 40;
  const std::string repaired = repair_utf8(line);  // the same up to the fault
  const auto fault = static_cast<std::size_t>(
      std::mismatch(line.begin(), line.end(), repaired.begin(), repaired.end()).first - line.begin());
  return repair_utf8(line.substr(fault > kAround ? fault - kAround : 0, 2 * kAround));
}

// Recipes are written into JSON, which holds nothing but UTF-8. Of a text with a zero byte in it yaml-cpp makes values
// that are none.
void check_text(const std::string& text, const std::string& where) {
  std::size_t number = 0;
  for (const auto& line : split(text, "\n")) {
    ++number;
    const bool zero = line.find('\0') != std::string::npos;
    if (is_utf8(line) && !zero) continue;
    fail(ErrorKind::usage,
         zero ? cat(where, ":", number, ": a zero byte stands in the line")
              : cat(where, ":", number, ": '", around_fault(line), "' is not valid UTF-8"),
         "save the file as UTF-8");
  }
}

}  // namespace

YAML::Node load_recipe_yaml(const std::string& text, const std::string& where) {
  check_text(text, where);
  YAML::Node root;
  try {
    root = YAML::Load(text);
  } catch (const YAML::Exception& error) {
    fail(ErrorKind::usage, cat(where, ":", error.mark.line + 1, ": not valid YAML: ", error.msg));
  }
  if (!root.IsNull() && !root.IsMap()) fail(ErrorKind::usage, cat(where, ": expected keys and values at the top"));
  return root;
}

std::string at_line(const std::string& where, const YAML::Node& node) {
  return node.Mark().line >= 0 ? cat(where, ":", node.Mark().line + 1) : where;
}

Json scalar_or_list(const YAML::Node& node, const std::string& key, const std::string& where) {
  if (node.IsScalar()) return node.Scalar();
  if (node.IsNull()) return "";
  if (node.IsSequence()) {
    Json list = Json::array();
    for (const auto& item : node) {
      if (!item.IsScalar())
        fail(ErrorKind::usage, cat(at_line(where, item), ": ", key, ": expected plain values in the list"));
      list.push_back(item.Scalar());
    }
    return list;
  }
  fail(ErrorKind::usage, cat(at_line(where, node), ": ", key, ": expected a value, found a section"));
}

}  // namespace reveille::study
