#include "train/trainer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/strings.h"
#include "io/tfevents.h"
#include "train/checkpoint.h"
#include "train/optim_args.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace reveille::train {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

class Run {
 public:
  Run(nn::Transformer& model, Objective& objective, const TrainOptions& options, fs::path output_dir,
      const TrainHooks& hooks)
      : model_(model),
        objective_(objective),
        options_(options),
        output_dir_(std::move(output_dir)),
        hooks_(hooks),
        total_(total_steps(options, objective.steps_per_epoch())),
        optimizer_(model, options, objective) {}

  TrainResult go() {
    prepare();
    Progress progress(hooks_.title, static_cast<std::uint64_t>(total_), "steps");
    try {
      all_steps(progress);
    } catch (const Error& error) {
      // Of Ctrl-C, whether it was seen here or by a hook, and of another program or a server that does not answer.
      if (error.kind() == ErrorKind::interrupted && result_.steps > 0) save();
      if (error.kind() == ErrorKind::io && result_.steps > 0) try_to_save();
      throw;
    }
    progress.finish();
    check_moved();
    result_.red_flags = objective_.red_flags();
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
      progress.advance(1, note_of(metrics));
      if (hooks_.on_step) hooks_.on_step(metrics);
      after_step();
    }
  }

  // On the way out with another error, which is the one to be told: a full disk refuses this as well.
  void try_to_save() {
    try {
      save();
    } catch (const Error&) {
    }
  }

  std::string note_of(const StepMetrics& metrics) const {
    const std::string own = objective_.note();
    return cat(own.empty() ? "loss " + fixed(metrics.loss, 3) : own, "  ",
               with_commas(static_cast<long long>(metrics.tokens_per_second)), " tokens/s");
  }

  void prepare() {
    if (rate_is_zero()) reveille::warn("learning_rate is 0: nothing is learnt");
    if (output_dir_.empty()) return;
    make_folders(output_dir_);
    remove_temporaries(output_dir_);
    key_ = training_key(options_, objective_.key(), total_, weights_key(model_.params(), model_.compute_type()));
    if (options_.resume) {
      if (auto state = load_latest_checkpoint(output_dir_, model_.params(), optimizer_.trainables(), key_, total_,
                                              optim_name(options_)))
        go_on(std::move(*state));
    }
    refuse_foreign_checkpoints();
    if (hooks_.result_bytes > 0) check_room_for_all();
    rewrite_log();
    if (options_.report_to == "tensorboard")
      events_ =
          std::make_unique<io::TfEventsWriter>(output_dir_ / "tensorboard", result_.steps > 0 ? result_.steps + 1 : -1);
  }

  void go_on(CheckpointState state) {
    optimizer_.resumed();
    objective_.restore(state.objective);
    result_.steps = state.step;
    result_.history = std::move(state.history);
    result_.evals = std::move(state.evals);
    num_tokens_ = result_.history.empty() ? 0 : result_.history.back().num_tokens;
    result_.rows_seen = result_.history.empty() ? 0 : result_.history.back().num_rows;
    model_.weights_changed();
    reveille::say(cat("resuming from checkpoint ", state.step, " in ", output_dir_.string()));
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
    StepOutcome outcome = objective_.step(step, [&] { optimizer_.collect(); });
    StepMetrics metrics;
    metrics.step = step;
    metrics.epoch = epoch_at(step);
    metrics.loss = outcome.loss;
    check_loss(metrics);
    metrics.learning_rate = optimizer_.learning_rate(learning_rate_at(options_, step, total_), step);
    metrics.grad_norm = optimizer_.step(metrics.learning_rate, step);
    metrics.metrics = std::move(outcome.metrics);
    metrics.num_tokens = num_tokens_ += outcome.tokens;
    metrics.num_rows = result_.rows_seen += outcome.rows;
    metrics.tokens_per_second =
        static_cast<double>(outcome.tokens) / std::chrono::duration<double>(Clock::now() - start).count();
    return metrics;
  }

  double epoch_at(std::int64_t step) const {
    return static_cast<double>(step) / static_cast<double>(objective_.steps_per_epoch());
  }

  void check_loss(const StepMetrics& metrics) {
    if (!std::isfinite(metrics.loss)) {
      fail(ErrorKind::numeric, cat("step ", metrics.step, ": the loss is ", metrics.loss),
           "lower learning_rate, or look at the data of this step");
    }
    if (!objective_.loss_tells()) return;
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
    if (!events_) return;
    // TensorBoard shows transformers' eval_loss as eval/loss.
    events_->scalar("eval/loss", metrics.eval_loss, metrics.step);
    for (const auto& metric : metrics.metrics)
      events_->scalar("eval/" + metric.name.substr(std::string("eval_").size()), metric.value, metrics.step);
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
    if (due) measure_held_out();
    if (due && hooks_.on_eval && hooks_.on_eval(result_.steps)) result_.stopped_early = !last;
  }

  void measure_held_out() {
    if (!result_.evals.empty() && result_.evals.back().step == result_.steps) return;  // before a Ctrl-C
    const Metrics figures = objective_.evaluate();
    if (figures.empty()) return;
    EvalMetrics metrics{result_.steps, epoch_at(result_.steps), figures.front().value, {}};
    metrics.metrics.assign(figures.begin() + 1, figures.end());
    std::string line = cat("step ", result_.steps, ":");
    for (const auto& figure : figures) line += cat(" ", figure.name, " ", fixed(figure.value, 4));
    log(metrics);
    result_.evals.push_back(std::move(metrics));
    reveille::say(line);
  }

  void save() {
    if (!output_dir_.empty()) {
      save_checkpoint(output_dir_, model_.params(), optimizer_.trainables(),
                      {options_, key_, result_.steps, total_, result_.history, result_.evals, hooks_.save_beside,
                       objective_.state()});
    }
  }

  // An optimiser that takes rates of its own does not read it.
  bool rate_is_zero() const { return options_.learning_rate == 0 && optimizer_.learning_rate(0, 1) == 0; }

  void check_moved() const {
    if (rate_is_zero()) return;
    if (!result_.could_learn()) {
      reveille::warn(cat("the warm-up is as long as the run: the learning rate was 0 at every one of its ",
                         result_.steps, " steps, and nothing is learnt"));
      return;
    }
    auto still = optimizer_.unmoved();
    if (still.empty()) return;
    const std::string what = cat("the training never moved '", still.front(), "'",
                                 still.size() > 1 ? cat(" and ", still.size() - 1, " more") : "",
                                 ": no gradient reached it, or the steps were too small to change it");
    if (!objective_.must_move()) return reveille::warn(what);
    fail(ErrorKind::numeric, what,
         "this run would have saved weights that learnt nothing there; a larger learning_rate may be what it needs");
  }

  nn::Transformer& model_;
  Objective& objective_;
  const TrainOptions& options_;
  fs::path output_dir_;
  const TrainHooks& hooks_;
  std::int64_t total_;
  Optimizer optimizer_;
  TrainResult result_;
  std::string key_;  // what must be the same for a checkpoint to be continued; of the weights before the first step
  std::int64_t num_tokens_ = 0;
  double first_loss_ = 0;
  std::unique_ptr<io::TfEventsWriter> events_;
};

}  // namespace

double value_of(const Metrics& metrics, const std::string& name, double fallback) {
  auto found = std::find_if(metrics.begin(), metrics.end(), [&](const Metric& metric) { return metric.name == name; });
  return found == metrics.end() ? fallback : found->value;
}

Json to_json(const StepMetrics& m) {
  Json out{{"step", m.step},
           {"epoch", m.epoch},
           {"loss", m.loss},
           {"grad_norm", m.grad_norm},
           {"learning_rate", m.learning_rate}};
  for (const auto& metric : m.metrics) out[metric.name] = metric.value;
  out["num_tokens"] = m.num_tokens;
  out["num_rows"] = m.num_rows;
  out["tokens_per_second"] = m.tokens_per_second;
  return out;
}

Json to_json(const EvalMetrics& m) {
  Json out{{"eval_loss", m.eval_loss}};
  for (const auto& metric : m.metrics) out[metric.name] = metric.value;
  out["epoch"] = m.epoch;
  out["step"] = m.step;
  return out;
}

at::ScalarType saved_type(const TrainOptions& options, const nn::Transformer& model) {
  const bool full =
      options.save_dtype == "float32" || (options.save_dtype == "auto" && model.compute_type() == at::kFloat);
  return full ? at::kFloat : at::kBFloat16;
}

std::int64_t total_steps(const TrainOptions& options, std::int64_t steps_per_epoch) {
  if (options.max_steps > 0) return options.max_steps;
  return std::max<std::int64_t>(
      1, static_cast<std::int64_t>(std::ceil(options.num_train_epochs * static_cast<double>(steps_per_epoch))));
}

bool TrainResult::could_learn() const {
  return std::any_of(history.begin(), history.end(), [](const auto& step) { return step.learning_rate > 0; });
}

TrainResult train(nn::Transformer& model, Objective& objective, const TrainOptions& options, const fs::path& output_dir,
                  const TrainHooks& hooks) {
  return Run(model, objective, options, output_dir, hooks).go();
}

}  // namespace reveille::train
