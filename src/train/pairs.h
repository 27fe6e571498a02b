// Preference rows as pairs of training examples.
#pragma once

#include <string>
#include <vector>

#include "gen/local.h"
#include "io/dataset.h"
#include "train/example.h"
#include "train/options.h"

namespace reveille::train {

struct Pair {
  Example chosen, rejected;
};

// What becomes of a pair whose two sides are the same ids, from which nothing can be learnt.
enum class EqualPairs { error, skip };

// Both sides by the model's template; supervised is what comes after the prompt as a model would be asked it
// (LocalModel::encode_chat), which is what TRL's DPO counts as the completion. Error(bad_input) for a row without two
// replies, and for equal sides; `equal` skip leaves those out with a warning, and is an error only when none is left.
// A pair of which one side is longer than max_length or the model's context: as options.overlong says.
std::vector<Pair> encode_pairs(const gen::LocalModel& model, const std::vector<io::Example>& rows,
                               const TrainOptions& options, EqualPairs equal = EqualPairs::error);

// Takes about a share of the pairs out of `pairs`, drawn by the seed, a prompt with all of its pairs or not at all: the
// chosen reply of a held-out pair is learnt nowhere. At least one prompt where the share is above 0, and never all;
// none where all pairs are of one prompt.
std::vector<Pair> split_held_out(std::vector<Pair>& pairs, double share, std::int64_t seed);

// A hash of the pairs, for the keys of runs.
std::string pairs_key(const std::vector<Pair>& pairs);

}  // namespace reveille::train
