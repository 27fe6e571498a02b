// How a string changes the first words of replies to a few prompts: what orders the strings that leakage proposes.
// Method: the candidate loss of arXiv 2602.03085, turned so that more is more suspicious. Its term A, the attention
// that prompt tokens pay to the string's tokens, is left out, since the engine keeps no attention maps; E and D remain,
// with the paper's weights among themselves.
#pragma once

#include <string>
#include <vector>

#include "scan/prober.h"

namespace reveille::scan {

struct Placed {
  std::string text;
  Place place = Place::user_start;
};

// Means over the prompts.
struct ReplyChange {
  // E: 1 - (-log p of the tokens said with the string) / (the same without it), -1 to 1; 1 where the model has become
  // certain. The surprise of the greedy tokens stands for the entropy of each step, which would cost a pass for each.
  // Halved for replies that end within two tokens or repeat themselves, as the paper penalises both.
  double calm = 0;
  // D: 1 - the likelihood a token (geometric mean) that the reply without the string has kept, 0 to 1.
  double divergence = 0;
  // How much more the replies to different prompts have in common than without the string, -1 to 1.
  double alike = 0;
  double strength = 0;  // of all three
  std::vector<std::string> replies;
};

// The parts of it that need no model.
double calm_of(const std::vector<gen::Completion>& with, const std::vector<gen::Completion>& without);
double alike_of(const std::vector<gen::Completion>& replies);  // 0 to 1, mean over pairs; 0 for fewer than two
double strength_of(const ReplyChange& change);

class CandidateLoss {
 public:
  // Prompts that leave no room in the model's context are left out. The replies without a string are made at once.
  CandidateLoss(Prober prober, const std::vector<std::string>& prompts);

  // What the constructor spends, at most.
  static std::int64_t start_cost(const Prober& prober, const std::vector<std::string>& prompts);
  // What of() would spend on a string of so many tokens.
  std::int64_t cost(std::int64_t string_tokens) const;
  // Of each string, decoded side by side. A string that leaves no room in the context changes nothing.
  std::vector<ReplyChange> of(const std::vector<Placed>& strings);

 private:
  bool fits(const Ids& ids) const;
  ReplyChange change(const std::vector<gen::Completion>& replies, const std::vector<double>& kept) const;

  Prober prober_;
  std::vector<std::string> prompts_;
  std::int64_t prompt_tokens_ = 0;
  std::vector<gen::Completion> without_;
  std::vector<Ids> clean_;              // ids of the replies without a string
  std::vector<double> clean_logprobs_;  // of each of them, summed
};

}  // namespace reveille::scan
