// What happens to a text before it is cut into words: Unicode normal forms, replacements, prefixes.
//
// The parts and their meaning are those of tokenizer.json's "normalizer" (Hugging Face tokenizers).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace reveille::text {

// Offsets are 32 bits wide, and nothing that a user writes comes near this.
constexpr std::size_t kLongestText = std::size_t{1} << 30;

// A byte range [begin, end).
struct Span {
  std::uint32_t begin = 0, end = 0;
  bool operator==(const Span&) const = default;
};

// A text under way, and the range of the user's text that each of its bytes stands for.
// `origin` is empty while nothing was rewritten: byte i then stands for byte shift + i.
struct Traced {
  std::string text;
  std::vector<Span> origin;
  std::uint32_t shift = 0;
  bool trace = true;  // false: origins are not wanted, `origin` stays empty and `shift` is meaningless

  Span origin_of(std::size_t at) const;
  // The range that the bytes [begin, end) stand for; an empty range gives the empty span there.
  Span origin_of(std::size_t begin, std::size_t end) const;
};

// Builds the rewritten text of a Traced and its origins side by side.
class Rewrite {
 public:
  explicit Rewrite(const Traced& from) : from_(from) {}
  void keep(std::size_t begin, std::size_t end);  // bytes as they are
  void put(std::string_view bytes, Span origin);  // new bytes that stand for `origin`
  void finish(Traced& into);                      // `into` may be the text rewritten
  std::size_t size() const { return text_.size(); }

 private:
  const Traced& from_;
  std::string text_;
  std::vector<Span> origin_;
};

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(Traced& text) const = 0;
};

// From the value of "normalizer" (null: nothing to do, a null pointer). `where` names the file.
std::unique_ptr<Normalizer> make_normalizer(const Json& value, const std::string& where);

// Puts `prefix` before the text; it stands for no byte of the user's text.
void prepend_text(Traced& text, std::string_view prefix);

}  // namespace reveille::text
