// How much a scan may do and has done, in tokens that went through a model: a measure that is the same on every
// machine, so that a scan with a budget repeats. Decoded tokens count as several, since they take as long.
#pragma once

#include <algorithm>
#include <cstdint>

namespace reveille::scan {

inline constexpr std::int64_t kDecodedTokenCost = 3;  // of a token that was sampled, in tokens that were read

class Work {
 public:
  explicit Work(std::int64_t limit, Work* whole = nullptr) : limit_(limit), whole_(whole) {}
  // A part of this budget: what is spent there is spent here too.
  Work part(std::int64_t limit) { return Work(std::min(limit, left()), this); }
  void spend(std::int64_t tokens) {
    spent_ += tokens;
    if (whole_) whole_->spend(tokens);
  }
  std::int64_t spent() const { return spent_; }
  std::int64_t limit() const { return limit_; }
  std::int64_t left() const { return std::max<std::int64_t>(0, limit_ - spent_); }
  bool over() const { return left() == 0; }

 private:
  std::int64_t limit_, spent_ = 0;
  Work* whole_;
};

}  // namespace reveille::scan
