// A regular expression in Oniguruma's Ruby syntax, run by PCRE2 (see pretokenizer_pattern.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/normalizer.h"

namespace reveille::text {

class Regex {
 public:
  Regex(const std::string& expression, const std::string& where);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  // All matches, found as Oniguruma's find_iter finds them: an empty match right after another
  // match does not count. Throws Error(bad_input) where a match takes too long.
  void find(std::string_view text, std::vector<Span>& matches) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
  std::string expression_, where_;
};

}  // namespace reveille::text
