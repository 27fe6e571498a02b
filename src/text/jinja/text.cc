#include "text/jinja/text.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::text::jinja {
namespace {

// More marks than this are dropped (the string's origin is then unknown): a template that cuts
// text into letters shall not cost many times its size.
constexpr std::size_t kMaxMarks = std::size_t{1} << 18;

// The part of `mark` that lies in [begin, end), or false. Content keeps a mark of no length when
// nothing but the place is left of it (content of white space, stripped).
bool clip(const Mark& mark, std::size_t begin, std::size_t end, Mark& out) {
  std::size_t from = std::max(mark.begin, begin), to = std::min(mark.end, end);
  if (from > to) return false;
  bool was_empty = mark.begin == mark.end;
  if (from == to && !(was_empty || (begin == end && mark.source != kFromTemplate))) return false;
  out = {from, to, mark.source, mark.origin == kNoOrigin ? kNoOrigin : mark.origin + (from - mark.begin)};
  return true;
}

}  // namespace

void check_text_size(std::size_t bytes) {
  if (bytes > kMaxTextBytes) {
    fail(ErrorKind::bad_input,
         cat("the template makes a string of more than ", human_bytes(kMaxTextBytes), ", the limit for one string"));
  }
}

TextPtr plain_text(std::string bytes) {
  check_text_size(bytes.size());
  return std::make_shared<Text>(Text{std::move(bytes), {}, false});
}

TextPtr marked_text(std::string bytes, int source) {
  std::size_t size = bytes.size();
  return std::make_shared<Text>(Text{std::move(bytes), {Mark{0, size, source, 0}}, false});
}

TextPtr derived_text(std::string bytes, const Text& from) {
  check_text_size(bytes.size());
  auto out = std::make_shared<Text>();
  std::size_t size = bytes.size();
  if (size == from.bytes.size()) {
    out->marks = from.marks;
  } else if (from.marks.size() == 1 && from.marks[0].begin == 0 && from.marks[0].end == from.bytes.size()) {
    out->marks = {Mark{0, size, from.marks[0].source, from.marks[0].origin}};
  }
  out->bytes = std::move(bytes);
  out->safe = from.safe;
  return out;
}

TextPtr slice_text(const Text& text, std::size_t begin, std::size_t end) {
  TextBuilder out;
  out.add(text, begin, std::max(begin, end));
  return out.take(text.safe);
}

TextPtr concat_text(const Text& left, const Text& right) {
  TextBuilder out;
  out.add(left);
  out.add(right);
  return out.take(left.safe || right.safe);
}

void TextBuilder::add(std::string_view bytes) {
  check_text_size(text_.bytes.size() + bytes.size());
  text_.bytes += bytes;
}

void TextBuilder::add(const Text& text, std::size_t begin, std::size_t end) {
  std::size_t shift = text_.bytes.size();
  add(std::string_view(text.bytes).substr(begin, end - begin));
  for (const Mark& mark : text.marks) {
    Mark part;
    if (!clip(mark, begin, end, part)) continue;
    part.begin = part.begin - begin + shift;
    part.end = part.end - begin + shift;
    add_mark(part);
  }
}

void TextBuilder::add(const Text& text, std::size_t times) {
  if (times > 0) check_text_size(text.bytes.size() > kMaxTextBytes / times ? kMaxTextBytes + 1 : 0);
  for (std::size_t i = 0; i < times && !(text.bytes.empty() && i > 0); ++i) add(text);
}

void TextBuilder::add_instead(const Text& text, const Text& replaced, std::size_t begin, std::size_t end) {
  auto covers = [&](const Mark& mark) {
    return mark.begin <= begin && mark.end >= end && mark.source != kFromTemplate;
  };
  auto found = std::find_if(replaced.marks.begin(), replaced.marks.end(), covers);
  if (found == replaced.marks.end()) return add(text);
  std::size_t at = size();
  add(std::string_view(text.bytes));
  add_mark(Mark{at, size(), found->source, kNoOrigin});
}

TextPtr TextBuilder::take(bool safe) {
  text_.safe = safe;
  return std::make_shared<Text>(std::move(text_));
}

void TextBuilder::add_mark(Mark mark) {
  auto& marks = text_.marks;
  if (!marks.empty() && mark.source != kFromTemplate && mark.origin != kNoOrigin) {
    Mark& last = marks.back();
    if (last.source == mark.source && last.end == mark.begin && last.origin != kNoOrigin &&
        last.origin + (last.end - last.begin) == mark.origin) {
      last.end = mark.end;
      return;
    }
  }
  if (marks.size() >= kMaxMarks) return;
  marks.push_back(mark);
}

}  // namespace reveille::text::jinja
