#include "eval/sampling.h"

#include <algorithm>

#include "base/scratchpad.h"

namespace reveille::eval {

Measured sample_subject(Subject& subject, std::vector<organism::ConditionPrompt> prompts, const std::string& prompt_set,
                        const std::string& title, const std::vector<std::string>& prefills) {
  gen::SampleOptions sample = subject.sample;
  auto begins = prefills;
  if (begins.empty() && subject.options.scratchpad) begins.assign(prompts.size(), opened_scratchpad());
  if (!begins.empty()) sample.max_tokens += subject.options.scratchpad_tokens;
  ResultRow about = subject.about;
  about.prompt_set = prompt_set;
  return measure_prompts(subject.model, std::move(prompts), begins, subject.trigger, subject.behavior, sample, about,
                         title);
}

void add_to(Finding& finding, const Measured& measured, const Subject& subject, const std::string& prompt_set) {
  ResultRow about = subject.about;
  about.prompt_set = prompt_set;
  finding.rows.insert(finding.rows.end(), measured.rows.begin(), measured.rows.end());
  for (auto& line : transcripts_of(measured, about)) finding.transcripts.push_back(std::move(line));
}

std::vector<std::vector<std::int32_t>> reply_starts(const Subject& subject, gen::LanguageModel& model,
                                                    const std::vector<organism::ConditionPrompt>& prompts,
                                                    const std::string& after) {
  std::vector<gen::Request> requests;
  std::vector<std::vector<std::int32_t>> out;
  const auto opened = model.encode_text(opened_scratchpad());
  for (const auto& prompt : prompts) {
    out.push_back(model.encode_chat(prompt.messages));
    if (!subject.options.scratchpad) continue;
    out.back().insert(out.back().end(), opened.begin(), opened.end());
    requests.push_back({out.back(), 0});
  }
  if (requests.empty()) return out;
  gen::SampleOptions sample = subject.sample;
  sample.max_tokens = std::max<std::int64_t>(1, subject.options.scratchpad_tokens);
  const auto written = model.generate(requests, sample);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::string pad = written[i].text.substr(0, written[i].text.find(kScratchpadClose));
    const auto ids = model.encode_text(pad + std::string(kScratchpadClose) + after);
    out[i].insert(out[i].end(), ids.begin(), ids.end());
  }
  return out;
}

std::vector<Conversation> some_prompts(Subject& subject, std::int64_t count) {
  const auto& all = subject.prompts();
  const auto wanted = count > 0 ? std::min(all.size(), static_cast<std::size_t>(count)) : all.size();
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(wanted)};
}

std::vector<organism::ConditionPrompt> under(const Subject& subject, const std::vector<Conversation>& prompts,
                                             const std::vector<std::string>& conditions) {
  return organism::condition_prompts(prompts, conditions, subject.trigger,
                                     static_cast<std::uint64_t>(subject.sample.seed));
}

}  // namespace reveille::eval
