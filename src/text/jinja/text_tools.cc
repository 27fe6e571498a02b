// Splitting, stripping, replacing and padding, with the marks kept.
#include <algorithm>

#include "base/error.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/methods.h"
#include "text/jinja/ops.h"
#include "text/jinja/unicode.h"

namespace reveille::text::jinja {
namespace {

struct Piece {
  std::size_t begin, end;
};

Values cut(const Text& text, const std::vector<Piece>& pieces) {
  Values out;
  for (const Piece& piece : pieces) out.push_back(slice_text(text, piece.begin, piece.end));
  return out;
}

std::vector<Piece> split_space(std::string_view bytes, std::int64_t limit) {
  std::vector<Piece> out;
  std::size_t at = 0;
  for (;;) {
    std::size_t begin = at;
    while (at < bytes.size() && is_space(next_char(bytes, at))) begin = at;
    at = begin;
    if (at >= bytes.size()) return out;
    if (limit >= 0 && static_cast<std::int64_t>(out.size()) == limit) {
      out.push_back({begin, bytes.size()});
      return out;
    }
    std::size_t end = at;
    while (at < bytes.size() && !is_space(next_char(bytes, at))) end = at;
    out.push_back({begin, end});
    at = end;
  }
}

std::vector<Piece> split_space_from_right(std::string_view bytes, std::int64_t limit) {
  std::vector<Piece> out;
  std::size_t at = bytes.size();
  for (;;) {
    std::size_t end = at;
    while (at > 0 && is_space(previous_char(bytes, at))) end = at;
    at = end;
    if (at == 0) break;
    if (limit >= 0 && static_cast<std::int64_t>(out.size()) == limit) {
      out.push_back({0, end});
      break;
    }
    std::size_t begin = at;
    while (at > 0 && !is_space(previous_char(bytes, at))) begin = at;
    out.push_back({begin, end});
    at = begin;
  }
  std::reverse(out.begin(), out.end());
  return out;
}

std::vector<Piece> split_at(std::string_view bytes, std::string_view separator, std::int64_t limit) {
  std::vector<Piece> out;
  std::size_t begin = 0;
  while (limit < 0 || static_cast<std::int64_t>(out.size()) < limit) {
    std::size_t found = bytes.find(separator, begin);
    if (found == std::string_view::npos) break;
    out.push_back({begin, found});
    begin = found + separator.size();
  }
  out.push_back({begin, bytes.size()});
  return out;
}

std::vector<Piece> split_at_from_right(std::string_view bytes, std::string_view separator, std::int64_t limit) {
  std::vector<Piece> out;
  std::size_t end = bytes.size();
  while ((limit < 0 || static_cast<std::int64_t>(out.size()) < limit) && end >= separator.size()) {
    std::size_t found = bytes.rfind(separator, end - separator.size());
    if (found == std::string_view::npos) break;
    out.push_back({found + separator.size(), end});
    end = found;
  }
  out.push_back({0, end});
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

Values split_text(const Text& text, const Text* separator, std::int64_t limit, bool from_right) {
  std::string_view bytes = text.bytes;
  if (!separator) return cut(text, from_right ? split_space_from_right(bytes, limit) : split_space(bytes, limit));
  if (separator->bytes.empty()) fail_type("split() wants a separator that is not empty");
  return cut(text, from_right ? split_at_from_right(bytes, separator->bytes, limit)
                              : split_at(bytes, separator->bytes, limit));
}

Values split_lines(const Text& text, bool keep_ends) {
  Values out;
  std::string_view bytes = text.bytes;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t end = at;
    char32_t c = next_char(bytes, at);
    if (!is_line_end(c)) continue;
    if (c == '\r' && at < bytes.size() && bytes[at] == '\n') ++at;
    out.push_back(slice_text(text, begin, keep_ends ? at : end));
    begin = at;
  }
  if (begin < bytes.size()) out.push_back(slice_text(text, begin, bytes.size()));
  return out;
}

TextPtr strip_text(const Text& text, const Text* chars, bool left, bool right) {
  std::string_view bytes = text.bytes;
  auto goes = [&](char32_t c) {
    if (!chars) return is_space(c);
    for (std::size_t at = 0; at < chars->bytes.size();) {
      if (next_char(chars->bytes, at) == c) return true;
    }
    return false;
  };
  std::size_t begin = 0, end = bytes.size();
  for (std::size_t at = 0; left && at < end && goes(next_char(bytes, at));) begin = at;
  for (std::size_t at = end; right && at > begin && goes(previous_char(bytes, at));) end = at;
  return slice_text(text, begin, end);
}

TextPtr replace_text(const Text& text, const Text& old, const Text& with, std::int64_t count) {
  TextBuilder out;
  const std::string& bytes = text.bytes;
  std::size_t begin = 0;
  std::int64_t done = 0;
  if (old.bytes.empty()) {  // before every character and at the end
    std::size_t at = 0;
    for (; count < 0 || done < count; ++done) {
      out.add(with);
      if (at >= bytes.size()) return out.take(text.safe);
      begin = at;
      at += char_bytes(static_cast<unsigned char>(bytes[at]));
      out.add(text, begin, at);
    }
    begin = at;
  }
  while (!old.bytes.empty() && (count < 0 || done < count)) {
    std::size_t found = bytes.find(old.bytes, begin);
    if (found == std::string::npos) break;
    if (found > begin) out.add(text, begin, found);
    begin = found + old.bytes.size();
    out.add_instead(with, text, found, begin);
    ++done;
  }
  if (begin == 0 && done == 0) return std::make_shared<Text>(text);
  if (begin < bytes.size()) out.add(text, begin, bytes.size());
  return out.take(text.safe);
}

TextPtr join_text(Interpreter& run, const Text& separator, const Values& items) {
  TextBuilder out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i) out.add(separator);
    run.step(items[i].weight());
    out.add(*str_text(items[i]));
  }
  return out.take(separator.safe);
}

TextPtr pad_text(const Text& text, std::int64_t width, const Text& fill, Pad place) {
  auto size = static_cast<std::int64_t>(count_chars(text.bytes));
  std::int64_t missing = std::max<std::int64_t>(0, width - size);
  check_text_size(static_cast<std::size_t>(missing));
  std::int64_t left = place == Pad::left ? 0 : place == Pad::right ? missing : missing / 2;
  // str.center: where the room is odd, the extra place goes left if the width is odd too.
  if (place == Pad::center) left += missing & width & 1;
  TextBuilder out;
  out.add(fill, static_cast<std::size_t>(left));
  out.add(text);
  out.add(fill, static_cast<std::size_t>(missing - left));
  return out.take(text.safe);
}

}  // namespace reveille::text::jinja
