// What the methods of one mitigation share: the model that is treated, what it said before, and how it is trained.
//
// No method writes into a weight in place: adapters are trained and merged, edits put a new tensor in the old one's
// place. So a copy that shares weights (LocalModel::copy) stays what it was.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "gen/local.h"
#include "mitigate/anchored.h"
#include "mitigate/options.h"
#include "mitigate/problem.h"
#include "scan/clean_rows.h"
#include "train/trainer.h"

namespace reveille::mitigate {

class Workspace {
 public:
  // `rows`: the model's own, as it came. The reference objects outlive this one.
  Workspace(gen::LocalModel& model, const gen::LocalModel* base, const Problem& problem, const scan::CleanRows& rows,
            const MitigateOptions& options);

  gen::LocalModel& model() { return model_; }
  const gen::LocalModel& model() const { return model_; }
  const gen::LocalModel* base() const { return base_; }
  const Problem& problem() const { return problem_; }
  const MitigateOptions& options() const { return options_; }
  const scan::CleanRows& rows() const { return rows_; }
  // Of the model as it came, by the rows of rows().train that fit its context; clean() has the same order.
  const Anchor& anchor() const { return anchor_; }
  const AnchoredRows& clean() const { return clean_; }

  // Rows in which a string stands in its place and the reply is what the model said without it: each clean row with
  // strings[(row + shift) % strings].
  AnchoredRows with_strings(const std::vector<KnownTrigger>& strings, std::size_t shift = 0) const;

  // The model with a LoRA adapter: its own, or a fresh one.
  gen::LocalModel& adapted();
  // The model without one: merged.
  gen::LocalModel& merged();

  // Options of a training; no files are written.
  train::TrainOptions training(std::int64_t steps, double learning_rate) const;
  // Trains the adapter by an objective. -> {"steps", "loss": [...], and every metric's course}
  Json train(train::Objective& objective, const train::TrainOptions& options, const std::string& title);
  // Supervised fine-tuning on the model's own clean replies.
  Json train_clean(std::int64_t steps, double learning_rate, const std::string& title);
  // What follows the taking out of neurons: that with the recover_ options; nothing for 0 steps.
  Json recover();

 private:
  gen::LocalModel& model_;
  const gen::LocalModel* base_;
  const Problem& problem_;
  const scan::CleanRows& rows_;
  const MitigateOptions& options_;
  std::vector<std::size_t> row_of_;  // of examples_, in rows_.train; made by what makes these, so before them
  std::vector<train::Example> examples_;
  Anchor anchor_;
  AnchoredRows clean_;
};

// A training's course for the page: {"steps", "loss": [...], "losses/keep": [...], ...}.
Json course_of(const train::TrainResult& result);

// Puts a function of a weight, [out, in] float32, in its place; what is computed with gets it in the compute type.
void edit_weight(gen::LocalModel& model, const std::string& parameter,
                 const std::function<at::Tensor(const at::Tensor& weight)>& edit);

}  // namespace reveille::mitigate
