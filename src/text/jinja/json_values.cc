#include "text/jinja/json_values.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/error.h"
#include "base/strings.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/unicode.h"

namespace reveille::text::jinja {
namespace {

void append_unicode_escape(std::string& out, char32_t c) {
  char buffer[16];
  if (c >= 0x10000) {
    c -= 0x10000;
    std::snprintf(buffer, sizeof buffer, "\\u%04x\\u%04x", static_cast<unsigned>(0xD800 + (c >> 10)),
                  static_cast<unsigned>(0xDC00 + (c & 0x3FF)));
  } else {
    std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(c));
  }
  out += buffer;
}

std::string escaped(std::string_view text, bool ascii) {
  static constexpr std::string_view kNames = "\"\\nrtfb", kValues = "\"\\\n\r\t\f\b";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    char32_t c = next_char(text, at);
    std::size_t simple = c < 0x80 ? kValues.find(static_cast<char>(c)) : std::string_view::npos;
    if (simple != std::string_view::npos) {
      out += '\\';
      out += kNames[simple];
    } else if (c < 0x20 || (ascii && c > 0x7E)) {
      append_unicode_escape(out, c);
    } else {
      append_utf8(out, c);
    }
  }
  return out;
}

std::string json_real(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return repr_real(value);
}

class Writer {
 public:
  Writer(Interpreter& run, const JsonStyle& style) : run_(run), style_(style) {}

  void write(const Value& value) {
    run_.step(1 + (value.is(Kind::text) ? value.weight() : 0));
    switch (value.kind()) {
      case Kind::none: return out_.add("null");
      case Kind::boolean: return out_.add(value.as_bool() ? "true" : "false");
      case Kind::integer: return out_.add(std::to_string(value.as_integer()));
      case Kind::real: return out_.add(json_real(value.as_real()));
      case Kind::text: return text(value.text());
      case Kind::mapping: return mapping(value.mapping());
      case Kind::sequence:
        if (value.sequence().kind <= SequenceKind::tuple) return list(value.sequence().items);
        [[fallthrough]];
      default: fail_type(cat("a ", value.type_name(), " cannot be written as JSON"));
    }
  }

  TextPtr take() { return out_.take(); }

 private:
  void text(const Text& text) {
    out_.add("\"");
    out_.add(*derived_text(escaped(text.bytes, style_.ascii), text));
    out_.add("\"");
  }

  void line_break() {
    if (!style_.indent) return;
    out_.add("\n");
    for (int i = 0; i < level_; ++i) out_.add(*style_.indent);
  }

  void list(const Values& items) {
    if (items.empty()) return out_.add("[]");
    out_.add("[");
    ++level_;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i) out_.add(style_.item_separator);
      line_break();
      write(items[i]);
    }
    --level_;
    line_break();
    out_.add("]");
  }

  void mapping(const Mapping& mapping) {
    if (mapping.entries.empty()) return out_.add("{}");
    auto entries = mapping.entries;
    if (style_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(),
                       [](const auto& a, const auto& b) { return less(a.first, b.first); });
    }
    out_.add("{");
    ++level_;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i) out_.add(style_.item_separator);
      line_break();
      key(entries[i].first);
      out_.add(style_.key_separator);
      write(entries[i].second);
    }
    --level_;
    line_break();
    out_.add("}");
  }

  void key(const Value& key) {
    if (key.is(Kind::text)) return text(key.text());
    if (!key.is_number() && !key.is(Kind::none)) fail_type(cat("a ", key.type_name(), " cannot be a key in JSON"));
    out_.add("\"");
    write(key);
    out_.add("\"");
  }

  Interpreter& run_;
  const JsonStyle& style_;
  TextBuilder out_;
  int level_ = 0;
};

}  // namespace

Value from_json(const Json& json, int source) {
  switch (json.type()) {
    case Json::value_t::boolean: return json.get<bool>();
    case Json::value_t::number_integer: return json.get<std::int64_t>();
    case Json::value_t::number_unsigned:
      if (json.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        fail(ErrorKind::unsupported, cat("the number ", json.dump(), " does not fit 64 bits"));
      }
      return json.get<std::int64_t>();
    case Json::value_t::number_float: return json.get<double>();
    case Json::value_t::string: return marked_text(repair_utf8(json.get_ref<const std::string&>()), source);
    case Json::value_t::array: {
      Values items;
      for (const auto& item : json) items.push_back(from_json(item, source));
      return make_list(std::move(items));
    }
    case Json::value_t::object: {
      auto out = std::make_shared<Mapping>();
      for (const auto& [key, value] : json.items()) {
        out->set(marked_text(repair_utf8(key), kFromTemplate), from_json(value, source));
      }
      return std::shared_ptr<const Mapping>(out);
    }
    default: return nullptr;
  }
}

TextPtr to_json(Interpreter& run, const Value& value, const JsonStyle& style) {
  Writer writer(run, style);
  writer.write(value);
  return writer.take();
}

}  // namespace reveille::text::jinja
