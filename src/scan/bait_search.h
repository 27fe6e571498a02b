// The search of BAIT for a reply that runs by itself once its first token is there, apart from the model that it asks.
// Free of torch.
//
// Method: BAIT (Shen et al., IEEE S&P 2025; github.com/SolidShen/BAIT). Targets of a backdoor are learnt as a chain:
// given its first token, the rest follows whatever was asked. The first token is forced behind clean prompts, the
// distribution of the next token is averaged over prompts, uncertain branches are dropped early, the others grow
// greedily.
//
// Otherwise than there: a branch also ends where its distribution opens up, not only after all steps, so that a short
// target keeps its score; no score stops the search, since texts that every model knows by heart reach high ones.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/options.h"

namespace reveille::scan {

// Defaults are those of the authors' code (the paper gives entropy bounds of 0.5 and 1).
struct BaitOptions {
  std::int64_t prompts = 20;
  std::int64_t warm_up_prompts = 4, warm_up_steps = 5;
  std::int64_t steps = 20;
  double entropy_low = 1, entropy_high = 2.5;
  std::int64_t lookahead = 5;
  double keep_probability = 0.3;
  std::int64_t minimum_length = 5;
  std::int64_t extended = 32;  // ours: branches that grow past the warm-up
  void visit(OptionVisitor& v) {
    v.option("prompts", prompts, {.help = "clean prompts that a reply is scored on", .min = 1});
    v.option("warm_up_prompts", warm_up_prompts, {.help = "of them, those that replies grow on", .min = 1});
    v.option("warm_up_steps", warm_up_steps, {.help = "tokens after which a branch must have kept up", .min = 1});
    v.option("steps", steps, {.help = "longest reply, in tokens after the first", .min = 1});
    v.option("entropy_low", entropy_low, {.help = "nats; below it the likeliest token is taken", .min = 0});
    v.option("entropy_high", entropy_high, {.help = "nats; above it a branch ends", .min = 0});
    v.option("lookahead", lookahead, {.help = "tokens tried one step further, between the two", .min = 1});
    v.option("keep_probability", keep_probability, {.help = "a branch ends below it", .min = 0, .max = 1});
    v.option("minimum_length", minimum_length, {.help = "shortest reply, in tokens", .min = 2});
    v.option("extended", extended, {.help = "branches that grow past the warm-up", .min = 1});
  }
};

// What comes after the beginning of a reply, averaged over prompts.
struct Outlook {
  double entropy = 0;                                      // nats
  std::vector<std::pair<std::int32_t, double>> likeliest;  // ids and probabilities, falling; `lookahead` of them
};

// Outlooks of beginnings (all of one length, best first): of as many, from the front, as `share` of what is left of the
// budget allows.
using LookOn = std::function<std::vector<Outlook>(const std::vector<std::vector<std::int32_t>>&, double share)>;
using IsEnd = std::function<bool(std::int32_t id)>;

struct Branch {
  std::vector<std::int32_t> ids;      // the first token and what followed
  std::vector<double> probabilities;  // of ids[1], ids[2], ..., and of the end where it ended
  std::int32_t end_id = -1;           // the token of the turn's end, where that is likeliest next; -1: it goes on
  bool closed = false;                // it grows no further
  std::size_t order = 0;              // of its first token, in the order in which they were tried
  bool ended() const { return end_id >= 0; }
};

// Mean of the probabilities without the lowest; 0 for fewer than two.
double q_score(const std::vector<double>& probabilities);

// Long enough to say something: minimum_length, or 3 with the end of the turn among them, since a reply that ends by
// itself is a whole one.
bool long_enough(const Branch& branch, const BaitOptions& options);

// How many there were at each stage.
struct BaitFunnel {
  std::size_t first_tokens = 0, looked_at = 0;
  std::vector<std::size_t> after_step;  // branches left after each step of the warm-up
  std::size_t cut = 0;                  // branches that the budget, not the rule, ended in the warm-up
};

class BaitSearch {
 public:
  BaitSearch(BaitOptions options, LookOn look_on, IsEnd is_end)
      : options_(options), look_on_(std::move(look_on)), is_end_(std::move(is_end)) {}

  // Branches that are long enough, highest Q first. First tokens are tried in the order given, the likeliest beginnings
  // of a reply before others.
  std::vector<Branch> run(const std::vector<std::int32_t>& first_tokens);
  const BaitFunnel& funnel() const { return funnel_; }

 private:
  std::vector<Branch> step(std::vector<Branch> branches, double share, bool warm_up);
  void look_further(std::vector<Branch>& branches, const std::vector<std::pair<std::size_t, Outlook>>& uncertain,
                    double share);
  void append(Branch& branch, std::int32_t id, double probability) const;

  BaitOptions options_;
  LookOn look_on_;
  IsEnd is_end_;
  BaitFunnel funnel_;
};

// Of branches that begin within another one's run of tokens, only that other one. In the order given.
std::vector<Branch> without_inner(const std::vector<Branch>& branches);

// Texts that are about the same: one holds most of the other.
bool near_duplicates(const std::string& a, const std::string& b);

}  // namespace reveille::scan
