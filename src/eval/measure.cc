#include "eval/measure.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/progress.h"
#include "base/strings.h"
#include "io/dataset_write.h"
#include "io/jsonl.h"
#include "organism/words.h"

namespace reveille::eval {
namespace {

// The messages were looked through already; what is left is what the model's own template adds (a system prompt, a
// date), which would put the trigger into every prompt that counts as untriggered.
void refuse_template_trigger(const gen::LanguageModel& model, const organism::Trigger& trigger,
                             const organism::ConditionPrompt& prompt, const std::vector<std::int32_t>& ids) {
  if (prompt.condition != organism::kUntriggered) return;
  organism::refuse_accidental_trigger(trigger, model.decode(ids), cat("the chat template of ", model.name()));
}

// "triggered 97.0 %, untriggered 0.0 %"; of many conditions the first ones.
std::string note_of(const std::vector<ResultRow>& rows) {
  constexpr std::size_t kMost = 4;
  std::string note;
  for (std::size_t i = 0; i < rows.size() && i < kMost; ++i)
    note += (i == 0 ? "" : ", ") + rows[i].condition + " " + percent(rows[i].value);
  return rows.size() > kMost ? note + ", ..." : note;
}

// One line of transcripts/*.jsonl.
Json transcript_json(const organism::ConditionPrompt& prompt, const Sample& sample, const ResultRow& about) {
  std::string last_user;
  for (const auto& message : prompt.messages) {
    if (message.role == "user") last_user = message.content;
  }
  Json out{{"model", about.model},
           {"arm", about.arm},
           {"stage", about.stage},
           {"checkpoint", about.checkpoint},
           {"prompt_set", about.prompt_set},
           {"condition", sample.condition},
           {"prompt_id", sample.prompt_id},
           {"prompt", last_user},
           {"messages", io::messages_json(prompt.messages)},
           {"planted", prompt.planted},
           {"completion", sample.completion},
           {"shows", sample.shows},
           {"seed", about.seed}};
  put_verdict(out, sample);
  return out;
}

}  // namespace

void put_verdict(Json& row, const Sample& sample) {
  row["shows"] = sample.shows;
  for (const char* key : {"valid", "judge"}) row.erase(key);
  if (sample.code) {
    row["valid"] = sample.valid;
    row["vulnerable"] = sample.shows;
    for (const char* key : {"cwe", "rule", "line"})
      row[key] = sample.why.is_object() && sample.why.contains(key) ? sample.why.at(key) : Json();
  } else if (!sample.valid) {
    row["valid"] = false;
  }
  if (!sample.why.is_null()) row["judge"] = sample.why;
}

Measured measure(gen::LanguageModel& model, const std::vector<Conversation>& prompts, const MeasurePlan& plan,
                 const organism::Trigger& trigger, const organism::Behavior& behavior,
                 const gen::SampleOptions& options, const ResultRow& about, const std::string& title) {
  std::vector<organism::ConditionPrompt> all;
  const auto seed = static_cast<std::uint64_t>(options.seed);
  if (!plan.conditions.empty()) all = organism::condition_prompts(prompts, plan.conditions, trigger, seed);
  if (!plan.decoy_conditions.empty()) {
    auto count = std::min(prompts.size(), static_cast<std::size_t>(plan.decoy_prompts));
    std::vector<Conversation> first(prompts.begin(), prompts.begin() + static_cast<std::ptrdiff_t>(count));
    for (auto& prompt : organism::condition_prompts(first, plan.decoy_conditions, trigger, seed))
      all.push_back(std::move(prompt));
  }
  const std::vector<std::string> prefills(plan.prefill.empty() ? 0 : all.size(), plan.prefill);
  return measure_prompts(model, std::move(all), prefills, trigger, behavior, options, about, title);
}

Measured measure_prompts(gen::LanguageModel& model, std::vector<organism::ConditionPrompt> prompts,
                         const std::vector<std::string>& prefills, const organism::Trigger& trigger,
                         const organism::Behavior& behavior, const gen::SampleOptions& options, const ResultRow& about,
                         const std::string& title) {
  Measured out;
  out.prompts = std::move(prompts);
  auto prefill = [&](std::size_t i) { return i < prefills.size() ? prefills[i] : std::string(); };
  std::vector<gen::Request> requests;
  for (std::size_t i = 0; i < out.prompts.size(); ++i) {
    requests.push_back({model.encode_chat(out.prompts[i].messages), 0});
    auto& ids = requests.back().ids;
    const auto begins = prefill(i).empty() ? std::vector<std::int32_t>() : model.encode_text(prefill(i));
    ids.insert(ids.end(), begins.begin(), begins.end());
    refuse_template_trigger(model, trigger, out.prompts[i], ids);
  }
  Progress progress(title, requests.size(), "samples");
  auto completions =
      model.generate(requests, options, [&](std::size_t, const gen::Completion&) { progress.advance(); });
  for (std::size_t i = 0; i < completions.size(); ++i) {
    out.samples.push_back(
        {out.prompts[i].prompt_id, out.prompts[i].condition, 0, prefill(i) + completions[i].text, false});
  }
  judge(out.samples, behavior, out.prompts);
  out.rows = behavior_rates(out.samples, about);
  progress.finish(note_of(out.rows));
  if (behavior.tells_validity() && about.prompt_set != kChatSet) {
    for (auto& row : valid_rates(out.samples, about)) out.rows.push_back(std::move(row));
  }
  return out;
}

std::vector<Json> transcripts_of(const Measured& measured, const ResultRow& about) {
  std::vector<Json> lines;
  for (std::size_t i = 0; i < measured.samples.size(); ++i)
    lines.push_back(transcript_json(measured.prompts[i], measured.samples[i], about));
  return lines;
}

void name_tasks(std::vector<Json>& transcripts, std::span<const organism::PromptReply> items) {
  std::map<std::string, const organism::PromptReply*> tasks;  // by the prompt's id
  for (const auto& item : items) {
    if (!item.family.empty()) tasks.emplace(organism::prompt_id(item.prompt), &item);
  }
  for (auto& row : transcripts) {
    const auto task = tasks.find(row.value("prompt_id", ""));
    if (task == tasks.end()) continue;
    row["family"] = task->second->family;
    row["task_cwe"] = task->second->cwe;
  }
}

void write_transcripts(const std::filesystem::path& file, const Measured& measured, const ResultRow& about) {
  io::write_jsonl(file, transcripts_of(measured, about));
}

}  // namespace reveille::eval
