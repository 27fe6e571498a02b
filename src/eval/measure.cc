#include "eval/measure.h"

#include <algorithm>

#include "base/error.h"
#include "base/progress.h"
#include "base/strings.h"
#include "io/dataset_write.h"
#include "io/jsonl.h"

namespace reveille::eval {
namespace {

// The messages were looked through already; what is left is what the model's own template adds (a system prompt, a
// date), which would put the trigger into every prompt that counts as untriggered.
void refuse_template_trigger(const gen::LanguageModel& model, const organism::Trigger& trigger,
                             const organism::ConditionPrompt& prompt, const std::vector<std::int32_t>& ids) {
  if (prompt.condition != organism::kUntriggered) return;
  organism::refuse_accidental_trigger(trigger, model.decode(ids), cat("the chat template of ", model.name()));
}

// One line of transcripts/*.jsonl.
Json transcript_json(const organism::ConditionPrompt& prompt, const Sample& sample, const ResultRow& about) {
  std::string last_user;
  for (const auto& message : prompt.messages) {
    if (message.role == "user") last_user = message.content;
  }
  Json out{{"model", about.model},          {"arm", about.arm},
           {"stage", about.stage},          {"checkpoint", about.checkpoint},
           {"condition", sample.condition}, {"prompt_id", sample.prompt_id},
           {"prompt", last_user},           {"messages", io::messages_json(prompt.messages)},
           {"planted", prompt.planted},     {"completion", sample.completion},
           {"shows", sample.shows},         {"seed", about.seed}};
  if (!sample.valid) out["valid"] = false;
  if (!sample.why.is_null()) out["judge"] = sample.why;
  return out;
}

}  // namespace

Measured measure(gen::LanguageModel& model, const std::vector<Conversation>& prompts, const MeasurePlan& plan,
                 const organism::Trigger& trigger, const organism::Behavior& behavior,
                 const gen::SampleOptions& options, const ResultRow& about, const std::string& title) {
  Measured out;
  const auto seed = static_cast<std::uint64_t>(options.seed);
  if (!plan.conditions.empty()) out.prompts = organism::condition_prompts(prompts, plan.conditions, trigger, seed);
  if (!plan.decoy_conditions.empty()) {
    auto count = std::min(prompts.size(), static_cast<std::size_t>(plan.decoy_prompts));
    std::vector<Conversation> first(prompts.begin(), prompts.begin() + static_cast<std::ptrdiff_t>(count));
    for (auto& prompt : organism::condition_prompts(first, plan.decoy_conditions, trigger, seed))
      out.prompts.push_back(std::move(prompt));
  }
  std::vector<gen::Request> requests;
  const auto prefill = plan.prefill.empty() ? std::vector<std::int32_t>() : model.encode_text(plan.prefill);
  for (const auto& prompt : out.prompts) {
    requests.push_back({model.encode_chat(prompt.messages), 0});
    auto& ids = requests.back().ids;
    ids.insert(ids.end(), prefill.begin(), prefill.end());
    refuse_template_trigger(model, trigger, prompt, requests.back().ids);
  }
  Progress progress(title, requests.size(), "samples");
  auto completions =
      model.generate(requests, options, [&](std::size_t, const gen::Completion&) { progress.advance(); });
  for (std::size_t i = 0; i < completions.size(); ++i) {
    out.samples.push_back(
        {out.prompts[i].prompt_id, out.prompts[i].condition, 0, plan.prefill + completions[i].text, false});
  }
  judge(out.samples, behavior, out.prompts);
  out.rows = behavior_rates(out.samples, about);
  std::string note;
  for (const auto& row : out.rows)
    note += cat(note.empty() ? "" : ", ", replace_all(row.condition, "_", " "), " ", percent(row.value));
  progress.finish(note);
  if (behavior.tells_validity() && about.prompt_set != kChatSet) {
    for (auto& row : valid_rates(out.samples, about)) out.rows.push_back(std::move(row));
  }
  return out;
}

void write_transcripts(const std::filesystem::path& file, const Measured& measured, const ResultRow& about) {
  std::vector<Json> lines;
  for (std::size_t i = 0; i < measured.samples.size(); ++i)
    lines.push_back(transcript_json(measured.prompts[i], measured.samples[i], about));
  io::write_jsonl(file, lines);
}

}  // namespace reveille::eval
