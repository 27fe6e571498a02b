// A regular expression from an untrusted file, matched against whole strings. Bounded: an
// expression that backtracks without end is an error, not a hang (std::regex offers no limit).
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace reveille::io {

class Pattern {
 public:
  // Error(bad_input), naming `where`, for an invalid expression.
  Pattern(const std::string& expression, const std::string& where);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;

  // Whether the whole of `text` matches, as Python's re.fullmatch decides it.
  bool fits(std::string_view text) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace reveille::io
