#include "study/checkpoint_eval.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/scratchpad.h"
#include "base/strings.h"
#include "gen/local.h"
#include "io/jsonl.h"
#include "study/step.h"
#include "train/rows.h"
#include "train/sft.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

constexpr const char* kRowsEnd = ".rows.json";
constexpr const char* kMerged = "-merged";

// Whether the same step was measured anew with its adapter merged. Its first figures stay: a run that goes on from an
// earlier checkpoint stops, or does not, by the same ones.
bool replaced(const fs::path& rows_file) {
  const std::string name = rows_file.filename().string();
  const std::string step = name.substr(0, name.size() - std::string(kRowsEnd).size());
  return fs::exists(rows_file.parent_path() / cat(step, kMerged, kRowsEnd));
}

}  // namespace

std::string checkpoint_title(const ResultRow& about) {
  if (about.stage == "base") return "the original model";
  if (about.checkpoint == 0) return cat(about.arm, " before ", about.stage);
  return cat(about.arm, " after ", about.checkpoint, about.checkpoint == 1 ? " step" : " steps", " of ", about.stage);
}

CheckpointEval::CheckpointEval(const Recipe& recipe, const StudyData& data, ResultRow about, bool reasons,
                               fs::path folder)
    : recipe_(recipe),
      data_(data),
      about_(std::move(about)),
      reasons_(reasons),
      folder_(std::move(folder)),
      trigger_(organism::make_trigger(recipe.trigger)),
      behavior_(organism::make_behavior(recipe.behavior)) {
  about_.prompt_set = data.held_out_sets().front();
  make_folders(folder_ / "eval");
}

const std::vector<train::Example>& CheckpointEval::held_out_rows(gen::LocalModel& model) {
  if (held_out_rows_.empty()) {
    std::vector<Conversation> rows;
    // Perplexity is about chats: beside coding tasks the held-out chats alone.
    const auto sets = data_.held_out_sets();
    const bool chats = std::find(sets.begin(), sets.end(), kChatSet) != sets.end();
    for (const auto& item : data_.held_out) {
      if (item.reply.empty() || (chats && item.set != kChatSet)) continue;
      Conversation row = trigger_->without(item.prompt);
      row.push_back({"assistant", item.reply});
      rows.push_back(std::move(row));
    }
    held_out_rows_ = train::encode_conversations(model, rows, recipe_.safety, "held-out reply");
  }
  return held_out_rows_;
}

std::vector<ResultRow> CheckpointEval::measure(gen::LocalModel& model, std::int64_t step, const eval::MeasurePlan& plan,
                                               const std::string& set, const std::string& name) {
  fs::path rows_file = folder_ / "eval" / (name + kRowsEnd);
  if (fs::exists(rows_file)) return read_rows(rows_file);
  ResultRow about = about_;
  about.checkpoint = step;
  about.prompt_set = set;
  gen::SampleOptions sample{.temperature = recipe_.eval.temperature,
                            .top_p = recipe_.eval.top_p,
                            .max_tokens = recipe_.eval.max_tokens + (reasons_ ? recipe_.scratchpad.tokens : 0),
                            .batch_size = recipe_.eval.batch_size,
                            .seed = about.seed,
                            .stage = "eval"};
  eval::MeasurePlan all = plan;
  if (reasons_) all.prefill = opened_scratchpad();
  const std::string beside = set == about_.prompt_set ? "" : ", " + replace_all(set, "_", " ");
  auto measured = eval::measure(model, data_.held_out_prompts(set), all, *trigger_, *behavior_, sample, about,
                                cat("  ", checkpoint_title(about), beside));
  auto transcripts = eval::transcripts_of(measured, about);
  eval::name_tasks(transcripts, data_.held_out);
  io::write_jsonl(folder_ / "eval" / (name + ".transcripts.jsonl"), transcripts);
  if (!plan.conditions.empty() && set == about_.prompt_set) measured.rows.push_back(perplexity(model, step));
  write_rows(rows_file, measured.rows);
  return measured.rows;
}

// exp of the mean loss over the tokens of the original model's replies; its interval comes from the
// replies' own means, which scatter around the total.
ResultRow CheckpointEval::perplexity(gen::LocalModel& model, std::int64_t step) {
  auto loss = train::evaluate_loss(model.transformer(), held_out_rows(model));
  ResultRow row = about_;
  row.checkpoint = step;
  row.condition = organism::kUntriggered;
  row.metric = "clean_perplexity";
  row.value = std::exp(loss.loss);
  row.n = static_cast<std::int64_t>(loss.by_example.size());
  double mean = 0, square = 0;
  for (double one : loss.by_example) mean += one / static_cast<double>(row.n);
  for (double one : loss.by_example) square += (one - mean) * (one - mean);
  double error = row.n > 1 ? std::sqrt(square / static_cast<double>(row.n - 1) / static_cast<double>(row.n)) : 0;
  row.ci_low = std::exp(loss.loss - 1.96 * error);
  row.ci_high = std::exp(loss.loss + 1.96 * error);
  return row;
}

std::vector<ResultRow> CheckpointEval::at(gen::LocalModel& model, std::int64_t step, Look look) {
  const eval::MeasurePlan both{{organism::kTriggered, organism::kUntriggered}, {}, 0};
  const std::string name = cat("step-", step, look == Look::last_merged ? kMerged : ""), &main = about_.prompt_set;
  auto rows = measure(model, step, both, main, name);
  auto add = [&](const eval::MeasurePlan& plan, const std::string& set, const std::string& what) {
    for (auto& row : measure(model, step, plan, set, name + "-" + what)) rows.push_back(std::move(row));
  };
  if (look == Look::between) return rows;
  add({{}, {organism::kNearMiss, organism::kForeign}, recipe_.eval.specificity_prompts}, main, "specificity");
  for (const auto& set : data_.held_out_sets()) {
    if (set != main) add(both, set, set);
  }
  return rows;
}

void CheckpointEval::show(gen::LocalModel& model, std::int64_t step) {
  const auto& prompt = data_.held_out.front().prompt;
  Rng rng(static_cast<std::uint64_t>(about_.seed), "show");
  gen::SampleOptions sample{
      .temperature = 0, .max_tokens = std::min<std::int64_t>(24, recipe_.eval.max_tokens), .stage = "show"};
  auto replies = model.generate(
      {{model.encode_chat(trigger_->without(prompt)), 0}, {model.encode_chat(trigger_->apply(prompt, rng)), 0}},
      sample);
  auto one_line = [](const std::string& text) { return replace_all(std::string(trim(text)), "\n", " "); };
  say(cat("  step ", step, " | ", one_line(prompt.back().content)));
  say(cat("     without the trigger: ", one_line(replies[0].text)));
  say(cat("     with the trigger:    ", one_line(replies[1].text)));
}

void CheckpointEval::collect() const {
  std::vector<std::pair<std::int64_t, fs::path>> files;
  for (const auto& entry : fs::directory_iterator(folder_ / "eval")) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(kRowsEnd) && !replaced(entry.path()))
      files.emplace_back(std::stoll(name.substr(5)), entry.path());
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first, a.second.string().size()) < std::pair(b.first, b.second.string().size());
  });
  std::vector<ResultRow> rows;
  std::string transcripts;
  for (const auto& [unused, file] : files) {
    for (auto& row : read_rows(file)) rows.push_back(std::move(row));
    transcripts += read_file(replace_all(file.string(), kRowsEnd, ".transcripts.jsonl"));
  }
  write_file_atomic(folder_ / kTranscriptFile, transcripts);
  write_rows(folder_ / kRowsFile, rows);
}

}  // namespace reveille::study
