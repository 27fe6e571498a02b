#include "scan/bait_search.h"

#include <algorithm>
#include <numeric>

#include "base/strings.h"

namespace reveille::scan {
namespace {

using Ids = std::vector<std::int32_t>;

// Shares of the budget that is left, so that no stage starves the ones after it.
constexpr double kSweep = 0.55, kSweepFurther = 0.15, kWarmUp = 0.15, kFurther = 0.1;

double mean(const std::vector<double>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

void sort_by_mean(std::vector<Branch>& branches) {
  std::stable_sort(branches.begin(), branches.end(),
                   [](const Branch& a, const Branch& b) { return mean(a.probabilities) > mean(b.probabilities); });
}

// For a budget that does not reach all: the surest branches and those whose first tokens are the likeliest take turns.
// By sureness alone the pieces of rare words would crowd out everything, since each is always followed by the next.
std::vector<Branch> taking_turns(std::vector<Branch> branches) {
  sort_by_mean(branches);
  std::vector<std::size_t> likely(branches.size());
  std::iota(likely.begin(), likely.end(), std::size_t{0});
  std::stable_sort(likely.begin(), likely.end(),
                   [&](std::size_t a, std::size_t b) { return branches[a].order < branches[b].order; });
  std::vector<bool> taken(branches.size(), false);
  std::vector<Branch> out;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    for (const std::size_t next : {i, likely[i]}) {
      if (taken[next]) continue;
      taken[next] = true;
      out.push_back(std::move(branches[next]));
    }
  }
  return out;
}

}  // namespace

double q_score(const std::vector<double>& probabilities) {
  if (probabilities.size() < 2) return 0;
  const double lowest = *std::min_element(probabilities.begin(), probabilities.end());
  return (std::accumulate(probabilities.begin(), probabilities.end(), 0.0) - lowest) /
         static_cast<double>(probabilities.size() - 1);
}

bool long_enough(const Branch& branch, const BaitOptions& options) {
  constexpr std::size_t kWholeReply = 3;
  if (branch.ended() && branch.ids.size() + 1 >= kWholeReply) return true;
  return static_cast<std::int64_t>(branch.ids.size()) >= options.minimum_length;
}

void BaitSearch::append(Branch& branch, std::int32_t id, double probability) const {
  branch.probabilities.push_back(probability);
  if (is_end_(id)) {
    branch.end_id = id;
    branch.closed = true;
  } else {
    branch.ids.push_back(id);
  }
}

// Between the bounds of entropy the likeliest token need not be the target's, since the trigger is not there: the one
// is taken after which the model is surest. Those that the budget does not reach take the likeliest.
void BaitSearch::look_further(std::vector<Branch>& branches,
                              const std::vector<std::pair<std::size_t, Outlook>>& uncertain, double share) {
  std::vector<Ids> beginnings;
  std::vector<std::pair<std::size_t, std::size_t>> whose;  // of each beginning: which of `uncertain`, which token
  for (std::size_t n = 0; n < uncertain.size(); ++n) {
    const auto& [index, outlook] = uncertain[n];
    for (std::size_t k = 0; k < outlook.likeliest.size(); ++k) {
      if (is_end_(outlook.likeliest[k].first)) continue;
      beginnings.push_back(branches[index].ids);
      beginnings.back().push_back(outlook.likeliest[k].first);
      whose.emplace_back(n, k);
    }
  }
  std::vector<std::size_t> taken(uncertain.size(), 0);
  std::vector<double> surest(uncertain.size(), -1);
  if (!beginnings.empty()) {
    const auto outlooks = look_on_(beginnings, share);
    for (std::size_t i = 0; i < outlooks.size(); ++i) {
      const double sure = outlooks[i].likeliest.front().second;
      if (sure <= surest[whose[i].first]) continue;
      surest[whose[i].first] = sure;
      taken[whose[i].first] = whose[i].second;
    }
    // Of one whose tokens were not all looked at, nothing is known.
    if (outlooks.size() < beginnings.size()) taken[whose[outlooks.size()].first] = 0;
  }
  for (std::size_t n = 0; n < uncertain.size(); ++n) {
    const auto& [id, probability] = uncertain[n].second.likeliest[taken[n]];
    append(branches[uncertain[n].first], id, probability);
  }
}

std::vector<Branch> BaitSearch::step(std::vector<Branch> branches, double share, bool warm_up) {
  std::vector<Ids> beginnings;
  for (const auto& branch : branches) {
    if (!branch.closed) beginnings.push_back(branch.ids);
  }
  if (beginnings.empty()) return branches;
  const bool first = beginnings.front().size() == 1;
  const auto outlooks = look_on_(beginnings, share);
  if (first) funnel_.looked_at = outlooks.size();
  std::vector<Branch> out;
  std::vector<std::pair<std::size_t, Outlook>> uncertain;
  std::size_t next = 0;
  for (auto& branch : branches) {
    const bool answered = !branch.closed && next < outlooks.size();
    if (!branch.closed && !answered && warm_up) {
      funnel_.cut += first ? 0 : 1;
      continue;
    }
    if (answered) {
      const Outlook& outlook = outlooks[next++];
      const auto& [id, probability] = outlook.likeliest.front();
      const bool over = outlook.entropy > options_.entropy_high || probability < options_.keep_probability;
      if (over && warm_up && !long_enough(branch, options_)) continue;
      const bool sure = outlook.entropy <= options_.entropy_low || options_.lookahead < 2 || is_end_(id);
      if (!over && sure) append(branch, id, probability);
      if (!over && !sure) uncertain.emplace_back(out.size(), outlook);
      branch.closed = branch.closed || over;
    } else {
      branch.closed = true;  // it keeps what it has
    }
    out.push_back(std::move(branch));
  }
  std::stable_sort(uncertain.begin(), uncertain.end(),
                   [](const auto& a, const auto& b) { return a.second.entropy < b.second.entropy; });
  look_further(out, uncertain, first ? kSweepFurther : kFurther);
  return out;
}

std::vector<Branch> BaitSearch::run(const Ids& first_tokens) {
  std::vector<Branch> branches;
  for (const auto id : first_tokens) {
    branches.push_back({{id}});
    branches.back().order = branches.size() - 1;
  }
  funnel_ = {};
  funnel_.first_tokens = first_tokens.size();
  for (std::int64_t n = 0; n < options_.warm_up_steps; ++n) {
    branches = taking_turns(step(std::move(branches), n == 0 ? kSweep : kWarmUp, true));
    funnel_.after_step.push_back(branches.size());
  }
  constexpr std::size_t kCompared = 1000;
  branches.resize(std::min(branches.size(), kCompared));
  branches = taking_turns(without_inner(branches));
  branches.resize(std::min(branches.size(), static_cast<std::size_t>(options_.extended)));
  for (std::int64_t n = options_.warm_up_steps; n < options_.steps; ++n)
    branches = step(std::move(branches), 1 / static_cast<double>(options_.steps - n), false);
  std::erase_if(branches, [&](const Branch& branch) { return !long_enough(branch, options_); });
  std::stable_sort(branches.begin(), branches.end(), [](const Branch& a, const Branch& b) {
    return q_score(a.probabilities) > q_score(b.probabilities);
  });
  return branches;
}

namespace {

// Whether b begins within a, or both go on alike after their first tokens, so that growing a shows b's rest as well.
bool covers(const Branch& a, const Branch& b) {
  constexpr std::size_t kLeast = 3;  // tokens; fewer may be a coincidence
  constexpr double kMuchLess = 0.2;  // of the mean: then a is another branch that strays into b
  if (mean(a.probabilities) < mean(b.probabilities) - kMuchLess) return false;
  if (std::search(a.ids.begin(), a.ids.end(), b.ids.begin(), b.ids.end()) != a.ids.end()) return true;
  if (a.ids.size() == b.ids.size() && a.ids.size() > kLeast &&
      std::equal(a.ids.begin() + 1, a.ids.end(), b.ids.begin() + 1))
    return true;
  for (std::size_t size = kLeast; size <= std::min(a.ids.size(), b.ids.size()); ++size) {
    if (std::equal(a.ids.end() - static_cast<std::ptrdiff_t>(size), a.ids.end(), b.ids.begin())) return true;
  }
  return false;
}

}  // namespace

std::vector<Branch> without_inner(const std::vector<Branch>& branches) {
  std::vector<Branch> out;
  for (const auto& branch : branches) {
    if (std::any_of(out.begin(), out.end(), [&](const Branch& kept) { return covers(kept, branch); })) continue;
    std::erase_if(out, [&](const Branch& kept) { return covers(branch, kept); });
    out.push_back(branch);
  }
  return out;
}

bool near_duplicates(const std::string& first, const std::string& second) {
  constexpr double kMost = 0.6;  // of the shorter one
  const std::string a = lower_ascii(trim(first)), b = lower_ascii(trim(second));
  std::size_t longest = 0;  // string that both hold
  std::vector<std::size_t> row(b.size() + 1, 0);
  for (const char c : a) {
    for (std::size_t j = b.size(); j > 0; --j) {
      row[j] = b[j - 1] == c ? row[j - 1] + 1 : 0;
      longest = std::max(longest, row[j]);
    }
  }
  return static_cast<double>(longest) >= kMost * static_cast<double>(std::min(a.size(), b.size()));
}

}  // namespace reveille::scan
