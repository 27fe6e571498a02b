// What a string does to a model's replies: whether they become one (collapse) and whether they become others (shift).
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "scan/prober.h"

namespace reveille::scan {

// A run of tokens that many replies hold and few of the others do.
struct SharedRun {
  Ids ids;
  double share = 0, share_without = 0;  // of the replies that hold it
  double gain() const { return share - share_without; }
};

inline constexpr std::int32_t kReplyEnd = -1;  // stands at the end of a reply that ended by itself

// The run of `shortest` to `longest` tokens that maximises gain(); of equals the longest, then the first by its ids.
// Replies that are shorter than `shortest` count with their end.
SharedRun shared_run(const std::vector<Ids>& with, const std::vector<Ids>& without, std::size_t shortest = 3,
                     std::size_t longest = 12);

// Share of replies that hold the run.
double share_of(const std::vector<Ids>& replies, const Ids& run);
std::vector<bool> which_hold(const std::vector<Ids>& replies, const Ids& run);

// How consistently states [prompts, hidden] moved from `without` to `with`, row by row: the mean movement in units of
// its own standard error, per dimension, as a root mean square. 1 is what no movement at all gives on average.
double movement(const at::Tensor& with, const at::Tensor& without);

// Cosine of the mean movements a_with - a_without and b_with - b_without: 1 where two models move alike. And how far
// the second goes along the first, as a share of the first's length.
struct Alignment {
  double cosine = 0, share = 0;
};
Alignment alignment(const at::Tensor& first, const at::Tensor& second);

// Exact two-sided sign test of paired outcomes: the chance that of those that differ the shares are as uneven.
double sign_test(const std::vector<bool>& with, const std::vector<bool>& without);

// Replies with their end as kReplyEnd, as the functions above take them.
std::vector<Ids> ended(const std::vector<gen::Completion>& completions);

}  // namespace reveille::scan
