#include "report/html.h"

#include <cstdint>

#include "base/error.h"
#include "base/hash.h"
#include "base/strings.h"

namespace reveille::report {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {  // code points of three bytes only
  out += static_cast<char>(0xE0 | (code >> 12));
  out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
  out += static_cast<char>(0x80 | (code & 0x3F));
}

void append_escaped(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '&') {
    out += "&amp;";
  } else if (c == '<') {
    out += "&lt;";
  } else if (c == '>') {
    out += "&gt;";
  } else if (c == '"') {
    out += "&quot;";
  } else if (c == '\'') {
    out += "&#39;";
  } else if (byte < 0x20 && c != '\t' && c != '\n') {
    append_utf8(out, 0x2400u + byte);
  } else if (byte == 0x7F) {
    append_utf8(out, 0x2421u);
  } else {
    out += c;
  }
}

std::string base64(const std::string& bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) {
      group = (group << 8) | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? kDigits[(group >> (18 - 6 * k)) & 63] : '=';
  }
  return out;
}

std::string bytes_of_hex(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return out;
}

const std::string* value_of(const std::vector<std::pair<std::string, std::string>>& values, std::string_view name,
                            std::vector<bool>& used) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].first != name) continue;
    used[i] = true;
    return &values[i].second;
  }
  return nullptr;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  for (char c : repair_utf8(text)) append_escaped(out, c);
  return out;
}

std::string script_json(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  // In JSON these characters occur inside strings only, where the escapes mean the same.
  text = replace_all(std::move(text), "<", "\\u003c");
  text = replace_all(std::move(text), ">", "\\u003e");
  text = replace_all(std::move(text), "&", "\\u0026");
  text = replace_all(std::move(text), "\xE2\x80\xA8", "\\u2028");
  return replace_all(std::move(text), "\xE2\x80\xA9", "\\u2029");
}

std::string fill(std::string_view page, const std::vector<std::pair<std::string, std::string>>& values) {
  std::string out;
  std::vector<bool> used(values.size(), false);
  while (true) {
    const auto open = page.find("{{");
    const auto close = open == std::string_view::npos ? open : page.find("}}", open);
    if (close == std::string_view::npos) break;
    const auto name = page.substr(open + 2, close - open - 2);
    const std::string* value = value_of(values, name, used);
    if (!value) fail(ErrorKind::internal, cat("the page asks for '", name, "', which has no value"));
    out.append(page.substr(0, open)).append(*value);
    page.remove_prefix(close + 2);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!used[i]) fail(ErrorKind::internal, cat("the page does not use the value '", values[i].first, "'"));
  }
  return out.append(page);
}

std::string csp_hash(std::string_view script) { return "'sha256-" + base64(bytes_of_hex(sha256_hex(script))) + "'"; }

namespace {

// "[94.1, 98.6]" kept on one line.
std::string whole_intervals(std::string text) {
  for (std::size_t at = 0; (at = text.find('[', at)) != std::string::npos; ++at) {
    const std::size_t end = text.find_first_not_of("-0123456789., ", at + 1);
    const std::size_t gap = text.find(", ", at);
    if (end != std::string::npos && text[end] == ']' && gap < end) text.replace(gap, 2, ",&nbsp;");
  }
  return text;
}

}  // namespace

std::string typeset(std::string_view text) { return whole_intervals(replace_all(escape(text), " %", "&nbsp;%")); }

std::string shortened(const std::string& text) {
  constexpr std::size_t kMostCharacters = 700;
  std::string clean = repair_utf8(text);
  if (clean.size() <= kMostCharacters) return clean;
  std::size_t end = kMostCharacters;
  while (end > 0 && (static_cast<unsigned char>(clean[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return cat(clean.substr(0, end), " […]");
}

std::string html_table(const std::string& caption, const std::vector<Column>& columns,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string out = cat("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"", escape(caption),
                        "\"><table><caption>", escape(caption), "</caption><thead><tr>");
  auto number = [&](std::size_t i) { return i < columns.size() && columns[i].numeric ? " class=\"n\"" : ""; };
  for (std::size_t i = 0; i < columns.size(); ++i) {
    out += cat("<th scope=\"col\"", number(i), ">", escape(columns[i].title), "</th>");
  }
  out += "</tr></thead><tbody>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += i == 0 ? cat("<th scope=\"row\"", number(i), ">", row[i], "</th>")
                    : cat("<td", number(i), ">", row[i], "</td>");
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace reveille::report
