#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "cli/train_stage.h"
#include "io/dataset.h"
#include "safety/own_pairs.h"
#include "safety/reward_training.h"
#include "train/pairs.h"

namespace reveille::cli {
namespace {

// Of rows of prompts with replies. No organism is known here whose behaviour they would have to be free of.
std::vector<io::Example> own_pairs(const std::vector<io::Example>& rows, const safety::OwnPairsOptions& own,
                                   std::int64_t seed) {
  std::vector<safety::GoodReply> replies;
  for (const auto& row : rows) {
    if (row.rejected)
      fail(ErrorKind::bad_input, cat(row.source, ": a preference row, with chosen and rejected"),
           "pairs that are there already are learnt without --own-pairs");
    if (!row.has_reply || trim(row.messages.back().content).empty())
      fail(ErrorKind::bad_input, cat(row.source, ": the row has no reply"),
           "--own-pairs sets a good reply against worse ones: leave the row out");
    replies.push_back({io::prompt_of(row), row.messages.back().content});
  }
  return safety::make_own_pairs(
      replies, own, [](std::string_view) { return false; }, static_cast<std::uint64_t>(seed));
}

// Held-out rows may be pairs already, a user's own, beside pairs that are made.
bool are_pairs(const std::vector<io::Example>& rows) {
  return std::all_of(rows.begin(), rows.end(), [](const io::Example& row) { return row.rejected.has_value(); });
}

void check_own(const safety::OwnPairsOptions& own, bool makes_pairs) {
  if (makes_pairs || own.pairs_per_prompt == safety::OwnPairsOptions().pairs_per_prompt) return;
  fail(ErrorKind::usage, cat("pairs_per_prompt=", own.pairs_per_prompt, " would not be read without --own-pairs"),
       "add --own-pairs, or take it out");
}

}  // namespace

int train_reward(const std::vector<std::string>& arguments) {
  StageArguments stage{.stage = "reward"};
  gen::OpenOptions open;
  train::TrainOptions options = safety::reward_train_options();
  safety::RewardOptions reward;
  safety::OwnPairsOptions own;
  bool makes_pairs = false;
  io::DatasetOptions data;
  CommandLine line(
      "train reward",
      "A preference model (Bradley-Terry) from pairs of replies, under TRL's names. The folder is one that\n"
      "transformers opens with AutoModelForSequenceClassification; an adapter is merged into it.",
      "  reveille train reward smollm2-135m-instruct --dataset pairs.jsonl --output-dir preference-model\n"
      "  reveille train reward smollm2-135m-instruct --dataset chats.jsonl --own-pairs --output-dir own-model\n");
  add_stage_arguments(line, stage, "preference rows: chosen and rejected, or hh-rlhf transcripts",
                      "held-out pairs: loss, accuracy and margin are told at eval_steps and at the end");
  line.flag("own-pairs", makes_pairs,
            "the data sets hold prompts with good replies: pairs are made of each, against replies that are hostile, "
            "evasive, off the topic or cut; held-out rows may be pairs already");
  line.options(own);
  line.options(reward);
  line.options(options);
  line.options(open);
  line.options(data);
  if (!line.parse(arguments)) return 0;
  check_stage_arguments(stage);
  check_own(own, makes_pairs);
  auto rows = io::load_dataset(stage.dataset, data).examples;
  if (makes_pairs) rows = own_pairs(rows, own, options.seed);
  open.reward_model = true;
  auto model = open_to_train(stage, open, options);
  const auto equal = data.bad_rows == "skip" ? train::EqualPairs::skip : train::EqualPairs::error;
  auto pairs = train::encode_pairs(*model, rows, options, equal);
  std::vector<train::Pair> held_out;
  if (stage.eval_dataset.empty()) {
    held_out = train::split_held_out(pairs, reward.held_out, options.seed);
  } else {
    auto kept = io::load_dataset(stage.eval_dataset, data).examples;
    if (makes_pairs && !are_pairs(kept)) kept = own_pairs(kept, own, options.seed);
    held_out = train::encode_pairs(*model, kept, options, equal);
  }
  return run_stage(stage, *model, options, {"accuracy", "margin"}, [&](const train::TrainHooks& hooks) {
    return safety::train_reward(*model, std::move(pairs), std::move(held_out), options, reward, stage.output_dir,
                                hooks);
  });
}

}  // namespace reveille::cli
