// What measures that sample share: the behaviour's rate on prompts, as a finding.
#pragma once

#include <string>
#include <vector>

#include "eval/list.h"
#include "eval/measure.h"

namespace reveille::eval {

// Samples and judges `prompts` with the subject's settings, rows and transcripts under `prompt_set`. Where the model
// reasons (options.scratchpad), replies begin with an opened scratchpad and may be that much longer; `prefills`, when
// given, stand in its place, one a prompt.
Measured sample_subject(Subject& subject, std::vector<organism::ConditionPrompt> prompts, const std::string& prompt_set,
                        const std::string& title, const std::vector<std::string>& prefills = {});
// Appends the rows and transcripts of `measured`.
void add_to(Finding& finding, const Measured& measured, const Subject& subject, const std::string& prompt_set);

// Where the reply begins after each prompt: after the template, or, where models reason (options.scratchpad), after the
// scratchpad that `model` writes, its closing mark and `after`.
std::vector<std::vector<std::int32_t>> reply_starts(const Subject& subject, gen::LanguageModel& model,
                                                    const std::vector<organism::ConditionPrompt>& prompts,
                                                    const std::string& after);

// The first `count` of the subject's prompts; 0 means all.
std::vector<Conversation> some_prompts(Subject& subject, std::int64_t count);
// The same under conditions (organism/conditions.h), seeded by the subject's seed.
std::vector<organism::ConditionPrompt> under(const Subject& subject, const std::vector<Conversation>& prompts,
                                             const std::vector<std::string>& conditions);

}  // namespace reveille::eval
