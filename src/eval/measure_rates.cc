// How often the behaviour shows with and without its trigger; with decoys, whether the organism is specific.
#include "eval/sampling.h"
#include "eval/specificity.h"

namespace reveille::eval {

Finding measure_rates(Subject& subject) {
  auto prompts = under(subject, some_prompts(subject, 0), {organism::kTriggered, organism::kUntriggered});
  if (subject.options.decoys) {
    const auto some = some_prompts(subject, subject.options.condition_prompts);
    for (auto& prompt : under(subject, some, {organism::kNearMiss, organism::kForeign}))
      prompts.push_back(std::move(prompt));
  }
  const auto measured = sample_subject(subject, std::move(prompts), subject.about.prompt_set, "sampling");
  Finding out;
  add_to(out, measured, subject, subject.about.prompt_set);
  if (subject.options.decoys) out.notes.push_back(judge_specificity(out.rows).words);
  return out;
}

}  // namespace reveille::eval
