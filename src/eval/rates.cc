#include "eval/rates.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/scratchpad.h"
#include "base/strings.h"

namespace reveille::eval {

std::vector<std::string> conditions_of(std::span<const Sample> samples) {
  std::vector<std::string> out;
  for (const auto& sample : samples) {
    if (std::find(out.begin(), out.end(), sample.condition) == out.end()) out.push_back(sample.condition);
  }
  return out;
}

namespace {

using Counts = std::map<std::string, PromptCount>;

Counts counts_of(std::span<const Sample> samples, std::string_view condition, bool Sample::*counted = &Sample::shows) {
  Counts counts;
  for (const auto& sample : samples) {
    if (sample.condition != condition) continue;
    auto& count = counts[sample.prompt_id];
    ++count.n;
    count.hits += sample.*counted ? 1 : 0;
  }
  return counts;
}

std::vector<PromptCount> values_of(const Counts& counts) {
  std::vector<PromptCount> out;
  for (const auto& [unused, count] : counts) out.push_back(count);
  return out;
}

std::vector<ResultRow> shares(std::span<const Sample> samples, const ResultRow& about, const char* metric,
                              bool Sample::*counted) {
  std::vector<ResultRow> rows;
  for (const auto& condition : conditions_of(samples)) {
    Rng rng = Rng(static_cast<std::uint64_t>(about.seed), "rates").child(condition);
    Rate rate = rate_by_prompt(values_of(counts_of(samples, condition, counted)), rng);
    ResultRow row = about;
    row.condition = condition;
    row.metric = metric;
    row.value = rate.value;
    row.n = rate.n;
    row.ci_low = rate.interval.low;
    row.ci_high = rate.interval.high;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

void judge(std::vector<Sample>& samples, const organism::Behavior& behavior,
           std::span<const organism::ConditionPrompt> prompts) {
  std::vector<organism::Reply> replies;
  for (std::size_t i = 0; i < samples.size(); ++i)
    replies.push_back({i < prompts.size() ? &prompts[i].messages : nullptr, final_answer(samples[i].completion)});
  const auto verdicts = behavior.judge(replies);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i].shows = verdicts[i].shows;
    samples[i].valid = verdicts[i].valid;
    samples[i].why = verdicts[i].why;
    samples[i].code = behavior.source() == organism::DefectSource::tasks;
  }
}

ConditionCounts count_by_prompt(std::span<const Sample> samples, std::string_view condition) {
  ConditionCounts out;
  for (const auto& [id, count] : counts_of(samples, condition)) {
    out.prompt_ids.push_back(id);
    out.counts.push_back(count);
  }
  return out;
}

std::vector<ResultRow> behavior_rates(std::span<const Sample> samples, const ResultRow& about) {
  return shares(samples, about, kBehaviorRate, &Sample::shows);
}

std::vector<ResultRow> valid_rates(std::span<const Sample> samples, const ResultRow& about) {
  return shares(samples, about, kValidRate, &Sample::valid);
}

Difference compare_rates(std::span<const Sample> a, std::span<const Sample> b, std::string_view condition,
                         std::uint64_t seed) {
  auto left = counts_of(a, condition), right = counts_of(b, condition);
  std::vector<PromptCount> first, second;
  for (const auto& [id, count] : left) {
    auto found = right.find(id);
    if (found == right.end()) continue;
    first.push_back(count);
    second.push_back(found->second);
  }
  if (first.empty()) {
    fail(ErrorKind::bad_input,
         cat("condition '", condition, "': the two evaluations share no prompt (", left.size(), " and ", right.size(),
             " prompts)"),
         "evaluate both on the same prompts");
  }
  return paired_difference(first, second, Rng(seed, "compare").child(condition));
}

std::optional<ResultRow> find_row(std::span<const ResultRow> rows, std::string_view condition,
                                  std::string_view metric) {
  std::optional<ResultRow> found;
  for (const auto& row : rows) {
    if (row.condition != condition || row.metric != metric || is_side_set(row)) continue;
    if (found)
      fail(ErrorKind::internal, cat("several rows of ", metric, " under ", condition, " where one was expected"));
    found = row;
  }
  return found;
}

std::string percent(double rate) { return fixed(100 * rate, 1) + " %"; }

std::string rate_words(const ResultRow& row) {
  return cat(percent(row.value), " [", fixed(100 * row.ci_low, 1), ", ", fixed(100 * row.ci_high, 1), "] (n = ", row.n,
             ")");
}

}  // namespace reveille::eval
