// How Python prints values.
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "text/jinja/unicode.h"
#include "text/jinja/value.h"

namespace reveille::text::jinja {
namespace {

void repr_into(std::string& out, const Value& value, int level);

void escape_char(std::string& out, char32_t c) {
  char buffer[16];
  const char* format = c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
  std::snprintf(buffer, sizeof buffer, format, static_cast<unsigned>(c));
  out += buffer;
}

void repr_text(std::string& out, std::string_view text) {
  char quote = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  out += quote;
  for (std::size_t at = 0; at < text.size();) {
    char32_t c = next_char(text, at);
    if (c == static_cast<char32_t>(quote) || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_printable(c)) {
      append_utf8(out, c);
    } else {
      escape_char(out, c);
    }
  }
  out += quote;
}

void repr_items(std::string& out, const char* open, const Values& items, const char* close, int level) {
  out += open;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i) out += ", ";
    repr_into(out, items[i], level);
    check_text_size(out.size());
  }
  out += close;
}

void repr_sequence(std::string& out, const Sequence& sequence, int level) {
  switch (sequence.kind) {
    case SequenceKind::list: return repr_items(out, "[", sequence.items, "]", level);
    case SequenceKind::tuple:
      return repr_items(out, "(", sequence.items, sequence.items.size() == 1 ? ",)" : ")", level);
    case SequenceKind::keys: return repr_items(out, "dict_keys([", sequence.items, "])", level);
    case SequenceKind::values: return repr_items(out, "dict_values([", sequence.items, "])", level);
    case SequenceKind::items: return repr_items(out, "dict_items([", sequence.items, "])", level);
    case SequenceKind::generator:
      // Python prints an address here.
      fail(ErrorKind::unsupported, "a generator is printed; add the filter 'list' before it");
    case SequenceKind::range: break;
  }
  out += "range(" + std::to_string(sequence.start) + ", " + std::to_string(sequence.stop);
  out += sequence.step == 1 ? ")" : ", " + std::to_string(sequence.step) + ")";
}

void repr_mapping(std::string& out, const Mapping& mapping, int level) {
  out += '{';
  bool first = true;
  for (const auto& [key, value] : mapping.entries) {
    if (!first) out += ", ";
    first = false;
    repr_into(out, key, level);
    out += ": ";
    repr_into(out, value, level);
    check_text_size(out.size());
  }
  out += '}';
}

void repr_into(std::string& out, const Value& value, int level) {
  check_depth(level);  // a namespace may hold itself
  switch (value.kind()) {
    case Kind::none: out += "None"; break;
    case Kind::undefined: out += "Undefined"; break;
    case Kind::boolean: out += value.as_bool() ? "True" : "False"; break;
    case Kind::integer: out += std::to_string(value.as_integer()); break;
    case Kind::real: out += repr_real(value.as_real()); break;
    case Kind::text:
      if (value.text().safe) out += "Markup(";
      repr_text(out, value.bytes());
      if (value.text().safe) out += ')';
      break;
    case Kind::sequence: repr_sequence(out, value.sequence(), level + 1); break;
    case Kind::mapping: repr_mapping(out, value.mapping(), level + 1); break;
    case Kind::name_space:
      out += "<Namespace ";
      repr_mapping(out, value.space().attributes, level + 1);
      out += '>';
      break;
    case Kind::function:
      fail(ErrorKind::unsupported, cat("the function '", value.function().name, "' is printed; was a call meant?"));
    case Kind::object: fail(ErrorKind::unsupported, cat("a ", value.type_name(), " is printed"));
  }
}

}  // namespace

std::string repr_real(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  // d.ddde+XX holds the shortest digits; Python writes them out where the exponent is in [-4, 16).
  std::string shortest(buffer, end);
  std::size_t e = shortest.find('e');
  int exponent = std::stoi(shortest.substr(e + 1));
  if (exponent < -4 || exponent >= 16) return shortest;
  std::string digits = shortest.substr(0, e);
  std::size_t decimals = digits.find('.') == std::string::npos ? 0 : digits.size() - digits.find('.') - 1;
  int places = std::max(1, static_cast<int>(decimals) - exponent);
  std::snprintf(buffer, sizeof buffer, "%.*f", places, value);
  return buffer;
}

TextPtr str_text(const Value& value) {
  if (value.is(Kind::text)) return value.text_ptr();
  static const TextPtr kNothing = plain_text("");
  if (value.is(Kind::undefined)) return kNothing;
  return plain_text(repr(value));
}

std::string str(const Value& value) { return str_text(value)->bytes; }

std::string repr(const Value& value) {
  std::string out;
  repr_into(out, value, 1);
  return out;
}

}  // namespace reveille::text::jinja
