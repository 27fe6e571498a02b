#include "train/trainer.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/strings.h"
#include "io/tfevents.h"
#include "train/batches.h"
#include "train/checkpoint.h"
#include "train/schedule.h"

namespace reveille::train {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

struct BatchSums {
  double loss = 0, correct = 0, entropy = 0;
  std::int64_t tokens = 0, supervised = 0;
};

class Run {
 public:
  Run(nn::Transformer& model, const std::vector<Example>& examples, const TrainOptions& options, fs::path output_dir,
      const TrainHooks& hooks)
      : model_(model),
        examples_(examples),
        options_(options),
        output_dir_(std::move(output_dir)),
        hooks_(hooks),
        total_(total_steps(options, examples.size())),
        optimizer_(model, options),
        batches_(examples.size(), options.per_device_train_batch_size, options.gradient_accumulation_steps,
                 options.seed) {}

  TrainResult go() {
    prepare();
    Progress progress(hooks_.title, static_cast<std::uint64_t>(total_), "steps");
    try {
      all_steps(progress);
    } catch (const Error& error) {
      // Of Ctrl-C, whether it was seen here or by a hook.
      if (error.kind() == ErrorKind::interrupted && result_.steps > 0) save();
      throw;
    }
    progress.finish();
    check_moved();
    return std::move(result_);
  }

 private:
  void all_steps(Progress& progress) {
    if (result_.steps) {
      progress.advance(static_cast<std::uint64_t>(result_.steps), "resumed");
      evaluate();  // the kill may have come between a checkpoint and its evaluation
    }
    while (result_.steps < total_ && !result_.stopped_early) {
      throw_if_interrupted();
      StepMetrics metrics = one_step(result_.steps + 1);
      ++result_.steps;
      result_.history.push_back(metrics);
      if (metrics.step % options_.logging_steps == 0 || metrics.step == total_) log(metrics);
      progress.advance(1, cat("loss ", fixed(metrics.loss, 3), "  ",
                              with_commas(static_cast<long long>(metrics.tokens_per_second)), " tokens/s"));
      if (hooks_.on_step) hooks_.on_step(metrics);
      after_step();
    }
  }

  void prepare() {
    std::int64_t supervised = 0;
    for (const auto& example : examples_) supervised += supervised_tokens(example);
    if (examples_.empty() || supervised == 0) {
      fail(ErrorKind::numeric, cat("nothing to learn from: ", examples_.size(), " rows hold no supervised token"),
           "every label is masked; check that the rows have assistant replies and that max_length does not cut them");
    }
    if (options_.learning_rate == 0) reveille::warn("learning_rate is 0: nothing is learnt");
    if (output_dir_.empty()) return;
    make_folders(output_dir_);
    remove_temporaries(output_dir_);
    key_ = training_key(options_, examples_, total_, weights_key(model_.params(), model_.compute_type()));
    if (options_.resume) {
      if (auto state = load_latest_checkpoint(output_dir_, model_.params(), optimizer_.trainables(), key_, total_)) {
        optimizer_.resumed();
        result_.steps = state->step;
        result_.history = std::move(state->history);
        result_.evals = std::move(state->evals);
        num_tokens_ = result_.history.empty() ? 0 : result_.history.back().num_tokens;
        model_.weights_changed();
        reveille::say(cat("resuming from checkpoint ", state->step, " in ", output_dir_.string()));
      }
    }
    refuse_foreign_checkpoints();
    if (hooks_.result_bytes > 0) check_room_for_all();
    rewrite_log();
    if (options_.report_to == "tensorboard")
      events_ =
          std::make_unique<io::TfEventsWriter>(output_dir_ / "tensorboard", result_.steps > 0 ? result_.steps + 1 : -1);
  }

  // At most keep + 1 checkpoints of a run lie there at a time; those that do already need no more room.
  void check_room_for_all() {
    const std::int64_t every = options_.save_steps;
    const std::int64_t coming = every > 0 ? (total_ - 1) / every - result_.steps / every : 0;
    const auto there = static_cast<std::int64_t>(checkpoints_of(output_dir_, key_).size());
    const std::int64_t more = std::max<std::int64_t>(0, std::min(coming, options_.save_total_limit + 1 - there));
    const std::uintmax_t checkpoints = checkpoint_bytes(optimizer_.trainables()) * static_cast<std::uintmax_t>(more);
    check_room(output_dir_, hooks_.result_bytes + checkpoints, "what this training writes to " + output_dir_.string());
  }

  // Before the first step rather than hours into the run.
  void refuse_foreign_checkpoints() {
    if (options_.save_steps == 0) return;
    for (const auto& [step, folder] : list_checkpoints(output_dir_)) {
      if (step > result_.steps && step < total_ && step % options_.save_steps == 0) refuse_foreign_checkpoint(folder);
    }
  }

  StepMetrics one_step(std::int64_t step) {
    auto start = Clock::now();
    auto micro_batches = batches_.of_step(step - 1);
    std::vector<PackedBatch> packed;
    std::int64_t supervised = 0;
    for (const auto& rows : micro_batches) {
      packed.push_back(pack(examples_, rows, model_.device()));
      supervised += packed.back().supervised;
    }
    if (supervised == 0) {
      fail(ErrorKind::numeric, cat("step ", step, ": its rows hold no supervised token"),
           "every label is masked; check that the rows have assistant replies and that max_length does not cut them");
    }
    BatchSums sums;
    for (auto& batch : packed) {
      if (batch.supervised > 0) backward(batch, supervised, sums);
      sums.tokens += batch.tokens;
    }
    StepMetrics metrics;
    metrics.step = step;
    metrics.epoch = static_cast<double>(step) / static_cast<double>(batches_.steps_per_epoch());
    auto count = static_cast<double>(supervised);
    metrics.loss = sums.loss / count;
    check_loss(metrics);
    metrics.learning_rate = learning_rate_at(options_, step, total_);
    metrics.grad_norm = optimizer_.step(metrics.learning_rate, step);
    metrics.mean_token_accuracy = sums.correct / count;
    metrics.entropy = sums.entropy / count;
    metrics.num_tokens = num_tokens_ += sums.tokens;
    metrics.tokens_per_second =
        static_cast<double>(sums.tokens) / std::chrono::duration<double>(Clock::now() - start).count();
    return metrics;
  }

  void backward(PackedBatch& batch, std::int64_t supervised, BatchSums& sums) {
    at::AutoGradMode grad_on(true);
    auto hidden = model_.hidden(batch.ids, batch.packing, batch.rows);
    auto weights = at::full({batch.supervised}, 1.0 / static_cast<double>(supervised),
                            at::TensorOptions().dtype(at::kFloat).device(model_.device()));
    const auto [columns, head_weight] = model_.head_inputs(hidden);
    auto head = nn::head_loss(columns, head_weight, batch.targets, weights, model_.config().final_softcap);
    head.loss.backward();
    optimizer_.collect();
    sums.loss -= head.logprobs.sum(at::kDouble).item<double>();
    sums.correct += static_cast<double>(head.correct.sum().item<std::int64_t>());
    sums.entropy += head.entropy.sum(at::kDouble).item<double>();
  }

  void check_loss(const StepMetrics& metrics) {
    if (!std::isfinite(metrics.loss)) {
      fail(ErrorKind::numeric, cat("step ", metrics.step, ": the loss is ", metrics.loss),
           "lower learning_rate, or look at the data of this step");
    }
    if (first_loss_ == 0) first_loss_ = result_.history.empty() ? metrics.loss : result_.history.front().loss;
    if (metrics.loss > 3 * first_loss_ + 10) {
      fail(ErrorKind::numeric,
           cat("step ", metrics.step, ": the loss has grown from ", fixed(first_loss_, 3), " to ",
               fixed(metrics.loss, 3)),
           "lower learning_rate");
    }
  }

  void log(const StepMetrics& metrics) {
    if (output_dir_.empty()) return;
    append_line(output_dir_ / "trainer_log.jsonl", to_json(metrics).dump());
    if (!events_) return;
    const Json row = to_json(metrics);
    for (const auto& [key, value] : row.items()) {
      if (key != "step") events_->scalar("train/" + key, value.get<double>(), metrics.step);
    }
  }

  void log(const EvalMetrics& metrics) {
    if (output_dir_.empty()) return;
    append_line(output_dir_ / "trainer_log.jsonl", to_json(metrics).dump());
    // TensorBoard shows transformers' eval_loss as eval/loss.
    if (events_) events_->scalar("eval/loss", metrics.eval_loss, metrics.step);
  }

  // After a resume the log must not hold steps that are going to be done again.
  void rewrite_log() {
    std::string text;
    std::size_t next = 0;
    const auto& evals = result_.evals;
    auto evals_before = [&](std::int64_t step) {
      for (; next < evals.size() && evals[next].step < step; ++next) text += to_json(evals[next]).dump() + "\n";
    };
    for (const auto& metrics : result_.history) {
      evals_before(metrics.step);
      if (metrics.step % options_.logging_steps == 0) text += to_json(metrics).dump() + "\n";
    }
    evals_before(result_.steps + 1);
    write_file_atomic(output_dir_ / "trainer_log.jsonl", text);
  }

  void after_step() {
    bool last = result_.steps == total_;
    if (!last && options_.save_steps > 0 && result_.steps % options_.save_steps == 0) save();
    evaluate();
  }

  void evaluate() {
    bool last = result_.steps == total_;
    bool due = last || (options_.eval_steps > 0 && result_.steps % options_.eval_steps == 0);
    if (due && hooks_.held_out && !hooks_.held_out->empty()) measure_held_out();
    if (due && hooks_.on_eval && hooks_.on_eval(result_.steps)) result_.stopped_early = !last;
  }

  void measure_held_out() {
    if (!result_.evals.empty() && result_.evals.back().step == result_.steps) return;  // before a Ctrl-C
    const double loss = evaluate_loss(model_, *hooks_.held_out).loss;
    const double epoch = static_cast<double>(result_.steps) / static_cast<double>(batches_.steps_per_epoch());
    result_.evals.push_back({result_.steps, epoch, loss});
    log(result_.evals.back());
    reveille::say(cat("step ", result_.steps, ": eval_loss ", fixed(loss, 4)));
  }

  void save() {
    if (!output_dir_.empty()) {
      save_checkpoint(output_dir_, model_.params(), optimizer_.trainables(),
                      {options_, key_, result_.steps, total_, result_.history, result_.evals, hooks_.save_beside});
    }
  }

  void check_moved() const {
    if (options_.learning_rate == 0) return;
    if (!result_.could_learn()) {
      reveille::warn(cat("the warm-up is as long as the run: the learning rate was 0 at every one of its ",
                         result_.steps, " steps, and nothing is learnt"));
      return;
    }
    auto still = optimizer_.unmoved();
    if (still.empty()) return;
    fail(ErrorKind::numeric,
         cat("the training never moved '", still.front(), "'",
             still.size() > 1 ? cat(" and ", still.size() - 1, " more") : "",
             ": no gradient reached it, or the steps were too small to change it"),
         "this run would have saved weights that learnt nothing there; a larger learning_rate may be what it needs");
  }

  nn::Transformer& model_;
  const std::vector<Example>& examples_;
  const TrainOptions& options_;
  fs::path output_dir_;
  const TrainHooks& hooks_;
  std::int64_t total_;
  Optimizer optimizer_;
  Batches batches_;
  TrainResult result_;
  std::string key_;  // what must be the same for a checkpoint to be continued; of the weights before the first step
  std::int64_t num_tokens_ = 0;
  double first_loss_ = 0;
  std::unique_ptr<io::TfEventsWriter> events_;
};

}  // namespace

Json to_json(const StepMetrics& m) {
  return Json{{"step", m.step},
              {"epoch", m.epoch},
              {"loss", m.loss},
              {"grad_norm", m.grad_norm},
              {"learning_rate", m.learning_rate},
              {"mean_token_accuracy", m.mean_token_accuracy},
              {"entropy", m.entropy},
              {"num_tokens", m.num_tokens},
              {"tokens_per_second", m.tokens_per_second}};
}

Json to_json(const EvalMetrics& m) { return Json{{"eval_loss", m.eval_loss}, {"epoch", m.epoch}, {"step", m.step}}; }

at::ScalarType saved_type(const TrainOptions& options, const nn::Transformer& model) {
  const bool full =
      options.save_dtype == "float32" || (options.save_dtype == "auto" && model.compute_type() == at::kFloat);
  return full ? at::kFloat : at::kBFloat16;
}

std::int64_t total_steps(const TrainOptions& options, std::size_t examples) {
  if (options.max_steps > 0) return options.max_steps;
  Batches batches(examples, options.per_device_train_batch_size, options.gradient_accumulation_steps, options.seed);
  return std::max<std::int64_t>(
      1,
      static_cast<std::int64_t>(std::ceil(options.num_train_epochs * static_cast<double>(batches.steps_per_epoch()))));
}

bool TrainResult::could_learn() const {
  return std::any_of(history.begin(), history.end(), [](const auto& step) { return step.learning_rate > 0; });
}

TrainResult train(nn::Transformer& model, const std::vector<Example>& examples, const TrainOptions& options,
                  const fs::path& output_dir, const TrainHooks& hooks) {
  return Run(model, examples, options, output_dir, hooks).go();
}

EvalLoss evaluate_loss(nn::Transformer& model, const std::vector<Example>& examples, std::int64_t batch_tokens) {
  at::NoGradGuard no_grad;
  EvalLoss out;
  out.by_example.resize(examples.size());
  std::vector<std::size_t> group;
  std::int64_t tokens = 0;
  double total = 0;
  auto flush = [&] {
    PackedBatch batch = pack(examples, group, model.device());
    if (batch.supervised > 0) {
      auto hidden = model.hidden(batch.ids, batch.packing, batch.rows);
      const auto [columns, weight] = model.head_inputs(hidden);
      auto logprobs = nn::head_logprobs(columns, weight, batch.targets, model.config().final_softcap).cpu();
      const float* p = logprobs.data_ptr<float>();
      for (std::size_t i = 0; i < group.size(); ++i) {
        double sum = 0;
        for (std::int64_t n = 0; n < batch.supervised_of[i]; ++n) sum -= *p++;
        total += sum;
        out.by_example[group[i]] = batch.supervised_of[i] ? sum / static_cast<double>(batch.supervised_of[i]) : 0;
      }
    }
    out.tokens += batch.supervised;
    group.clear();
    tokens = 0;
  };
  for (std::size_t i = 0; i < examples.size(); ++i) {
    auto size = static_cast<std::int64_t>(examples[i].ids.size());
    if (!group.empty() && tokens + size > batch_tokens) flush();
    group.push_back(i);
    tokens += size;
  }
  if (!group.empty()) flush();
  out.loss = out.tokens ? total / static_cast<double>(out.tokens) : 0;
  return out;
}

}  // namespace reveille::train
