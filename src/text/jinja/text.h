// A template's string: bytes, and where they came from.
//
// Every piece of a string is either the template's own text or part of one message's content. The
// marks travel through concatenation, slicing, stripping, splitting and replacing, so that after
// rendering it is known which bytes are whose without searching for them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::text::jinja {

constexpr int kFromTemplate = -1;
// Of what stands in a content's place, such as the new text of a replacement.
constexpr std::size_t kNoOrigin = static_cast<std::size_t>(-1);

struct Mark {
  std::size_t begin = 0;  // bytes of the string that carries the mark
  std::size_t end = 0;    // may equal begin: an empty content still has a place
  int source = kFromTemplate;
  std::size_t origin = 0;  // byte of the source's text that `begin` stems from, or kNoOrigin
};

struct Text {
  std::string bytes;
  std::vector<Mark> marks;  // ordered; a gap is text of unknown origin
  bool safe = false;        // markupsafe.Markup: adding a plain string to it escapes that string
};

using TextPtr = std::shared_ptr<const Text>;

// One string is never longer than this; longer is an Error.
constexpr std::size_t kMaxTextBytes = std::size_t{64} << 20;
void check_text_size(std::size_t bytes);

TextPtr plain_text(std::string bytes);
// All of it from `source` (a message index or kFromTemplate).
TextPtr marked_text(std::string bytes, int source);
// `bytes` made from `from` by something that moves no text about, such as a change of case.
TextPtr derived_text(std::string bytes, const Text& from);
TextPtr slice_text(const Text& text, std::size_t begin, std::size_t end);
TextPtr concat_text(const Text& left, const Text& right);

// Joins pieces and their marks.
class TextBuilder {
 public:
  void add(std::string_view bytes);
  void add(const Text& text) { add(text, 0, text.bytes.size()); }
  void add(const Text& text, std::size_t begin, std::size_t end);
  void add(const Text& text, std::size_t times);
  // `text` in the place of bytes [begin, end) of `replaced`: it counts as from the same content.
  void add_instead(const Text& text, const Text& replaced, std::size_t begin, std::size_t end);
  std::size_t size() const { return text_.bytes.size(); }
  const Text& peek() const { return text_; }
  TextPtr take(bool safe = false);

 private:
  void add_mark(Mark mark);
  Text text_;
};

}  // namespace reveille::text::jinja
