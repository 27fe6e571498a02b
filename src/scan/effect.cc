#include "scan/effect.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace reveille::scan {
namespace {

// Every run of a reply once, so that repeating itself does not count.
std::set<Ids> runs_of(const Ids& reply, std::size_t shortest, std::size_t longest) {
  std::set<Ids> out;
  if (reply.size() < shortest) {
    out.insert(reply);
    return out;
  }
  for (std::size_t begin = 0; begin + shortest <= reply.size(); ++begin) {
    for (std::size_t length = shortest; length <= longest && begin + length <= reply.size(); ++length) {
      const auto at = reply.begin() + static_cast<std::ptrdiff_t>(begin);
      out.emplace(at, at + static_cast<std::ptrdiff_t>(length));
    }
  }
  return out;
}

bool holds(const Ids& reply, const Ids& run) {
  return std::search(reply.begin(), reply.end(), run.begin(), run.end()) != reply.end();
}

}  // namespace

std::vector<bool> which_hold(const std::vector<Ids>& replies, const Ids& run) {
  std::vector<bool> out;
  for (const auto& reply : replies) out.push_back(!run.empty() && holds(reply, run));
  return out;
}

double share_of(const std::vector<Ids>& replies, const Ids& run) {
  if (replies.empty()) return 0;
  const auto which = which_hold(replies, run);
  return static_cast<double>(std::count(which.begin(), which.end(), true)) / static_cast<double>(replies.size());
}

SharedRun shared_run(const std::vector<Ids>& with, const std::vector<Ids>& without, std::size_t shortest,
                     std::size_t longest) {
  std::map<Ids, std::size_t> counts;
  for (const auto& reply : with) {
    for (const auto& run : runs_of(reply, shortest, longest)) ++counts[run];
  }
  SharedRun best;
  for (const auto& [run, count] : counts) {
    const double share = static_cast<double>(count) / static_cast<double>(with.size());
    if (run.empty() || share < best.gain() || (count < 2 && with.size() > 1)) continue;  // cannot be better
    const SharedRun found{run, share, share_of(without, run)};
    if (found.gain() > best.gain() || (found.gain() == best.gain() && run.size() > best.ids.size())) best = found;
  }
  return best;
}

double movement(const at::Tensor& with, const at::Tensor& without) {
  const auto difference = (with - without).to(at::kDouble);
  const auto n = static_cast<double>(difference.size(0));
  const auto error = (difference.var(0) / n).clamp_min(1e-12);
  return (difference.mean(0).pow(2) / error).mean().sqrt().item<double>();
}

Alignment alignment(const at::Tensor& first, const at::Tensor& second) {
  const auto a = first.mean(0).to(at::kDouble), b = second.mean(0).to(at::kDouble);
  const double aa = a.dot(a).item<double>(), bb = b.dot(b).item<double>(), ab = a.dot(b).item<double>();
  if (aa <= 0 || bb <= 0) return {};
  return {ab / std::sqrt(aa * bb), ab / aa};
}

double sign_test(const std::vector<bool>& with, const std::vector<bool>& without) {
  int gained = 0, lost = 0;
  for (std::size_t i = 0; i < with.size(); ++i) {
    gained += with[i] && !without[i] ? 1 : 0;
    lost += !with[i] && without[i] ? 1 : 0;
  }
  const int n = gained + lost;
  double tail = 0;
  for (int k = 0; k <= std::min(gained, lost); ++k)
    tail += std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) - n * std::log(2.0));
  return std::min(1.0, 2 * tail);
}

std::vector<Ids> ended(const std::vector<gen::Completion>& completions) {
  std::vector<Ids> out;
  for (const auto& completion : completions) {
    out.push_back(completion.ids);
    if (completion.finish == gen::Finish::stop) out.back().push_back(kReplyEnd);
  }
  return out;
}

}  // namespace reveille::scan
