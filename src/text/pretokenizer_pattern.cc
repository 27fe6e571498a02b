#include "text/pretokenizer_pattern.h"

#include "base/error.h"
#include "text/pretokenizer_regex.h"

namespace reveille::text {

Pattern Pattern::from_json(const Json& value, const std::string& where) {
  if (value.is_string()) return literal(value.get<std::string>());
  if (!value.is_object() || value.size() != 1 || !value.begin()->is_string()) {
    fail(ErrorKind::bad_input, cat(where, ": 'pattern' should be {\"String\": ...} or {\"Regex\": ...}"));
  }
  const std::string& kind = value.begin().key();
  std::string text = value.begin()->get<std::string>();
  if (kind == "String") return literal(std::move(text));
  if (kind == "Regex") return expression(text, where);
  fail(ErrorKind::bad_input, cat(where, ": 'pattern' is of kind '", kind, "', expected String or Regex"));
}

Pattern Pattern::literal(std::string text) {
  Pattern pattern;
  pattern.literal_ = std::move(text);
  return pattern;
}

Pattern Pattern::expression(const std::string& text, const std::string& where) {
  Pattern pattern;
  pattern.scanner_ = known_scanner(text);
  if (!pattern.scanner_) pattern.regex_ = std::make_shared<const Regex>(text, where);
  return pattern;
}

void Pattern::find(std::string_view text, std::vector<Span>& matches) const {
  auto add = [&](std::size_t begin, std::size_t end) {
    matches.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
  };
  if (scanner_) {
    for (std::size_t at = 0; at < text.size();) {
      std::size_t end = scanner_(text, at);
      add(at, end);
      at = end;
    }
  } else if (regex_) {
    regex_->find(text, matches);
  } else if (!literal_.empty()) {
    for (std::size_t at = 0; (at = text.find(literal_, at)) != std::string_view::npos; at += literal_.size()) {
      add(at, at + literal_.size());
    }
  }
}

}  // namespace reveille::text
