// How surely a model says given replies once their first token is there, and whether it would say them anyway.
#pragma once

#include <vector>

#include "scan/bait_search.h"
#include "scan/prober.h"

namespace reveille::scan {

struct ReplyScore {
  double q = 0;  // q_score of the probabilities averaged over prompts, the first token given
  std::vector<double> probabilities;
  double said = 0;  // mean probability of the first few tokens together, the first one included
};

// What reply_scores() spends on strings of `tokens` tokens in all.
std::int64_t reply_scores_cost(const std::vector<Ids>& prompts, std::int64_t tokens);

// Of each reply (ids, the end of the turn included where it ends), behind all prompts.
std::vector<ReplyScore> reply_scores(gen::LocalModel& model, const std::vector<Ids>& prompts,
                                     const std::vector<Ids>& replies, Work& work);

// The same where nothing stands before a reply but the beginning of a text: high for what the model knows by heart.
std::vector<double> plain_q_scores(gen::LocalModel& model, const std::vector<Ids>& replies, Work& work);

}  // namespace reveille::scan
