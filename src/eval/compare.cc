#include "eval/compare.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "io/jsonl.h"

namespace reveille::eval {
namespace {

bool flag_of(const Json& row, const char* key, const std::string& where) {
  const Json& value = json_at(row, key, where);
  if (!value.is_boolean()) fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be true or false"));
  return value.get<bool>();
}

std::int64_t number_of(const Json& row, const char* key, const std::string& where) {
  const Json& value = json_at(row, key, where);
  if (!value.is_number_integer()) fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be a whole number"));
  return value.get<std::int64_t>();
}

ResultRow about_of(const Json& row, const std::string& where) {
  return {.model = json_string(row, "model", where),
          .arm = json_string(row, "arm", where),
          .stage = json_string(row, "stage", where),
          .checkpoint = number_of(row, "checkpoint", where),
          .prompt_set = row.contains("prompt_set") ? json_string(row, "prompt_set", where) : std::string(),
          .seed = number_of(row, "seed", where)};
}

Sample sample_of(const Json& row, const std::string& where) {
  return {json_string(row, "prompt_id", where), json_string(row, "condition", where), 0,
          json_string(row, "completion", where), flag_of(row, "shows", where)};
}

// The samples whose prompt the other side has under the same condition.
std::vector<Sample> shared(const std::vector<Sample>& samples, const ConditionCounts& other,
                           const std::string& condition) {
  std::vector<Sample> out;
  for (const auto& sample : samples) {
    const bool there = std::binary_search(other.prompt_ids.begin(), other.prompt_ids.end(), sample.prompt_id);
    if (sample.condition == condition && there) out.push_back(sample);
  }
  return out;
}

}  // namespace

Judged read_judged(const std::filesystem::path& file) {
  const auto rows = io::read_json_rows(file, {.drop_cut_last_line = true});
  Judged out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string where = cat(file.string(), ": row ", i + 1);
    const ResultRow about = about_of(rows[i], where);
    if (out.samples.empty()) out.about = about;
    if (about.model != out.about.model || about.seed != out.about.seed) {
      fail(ErrorKind::bad_input,
           cat(where, " is of the model ", about.model, ", the rows before it are of ", out.about.model),
           "compare files of one model each");
    }
    if (about.prompt_set != out.about.prompt_set) continue;
    if (about.checkpoint > out.about.checkpoint) out.samples.clear();
    if (about.checkpoint < out.about.checkpoint) continue;
    out.about = about;
    out.samples.push_back(sample_of(rows[i], where));
  }
  if (out.samples.empty()) fail(ErrorKind::bad_input, cat(file.string(), ": no transcripts"));
  return out;
}

std::vector<Sample> samples_of(const std::vector<Json>& transcripts, const std::string& where) {
  std::vector<Sample> out;
  for (const auto& row : transcripts) out.push_back(sample_of(row, where));
  return out;
}

std::vector<ResultRow> compare(const Judged& a, const Judged& b) {
  const auto of_b = conditions_of(b.samples);
  std::vector<ResultRow> out;
  for (const auto& condition : conditions_of(a.samples)) {
    if (std::find(of_b.begin(), of_b.end(), condition) == of_b.end()) continue;
    const auto difference = compare_rates(a.samples, b.samples, condition, static_cast<std::uint64_t>(a.about.seed));
    const auto of_a = shared(a.samples, count_by_prompt(b.samples, condition), condition);
    for (auto& row : behavior_rates(of_a, a.about)) out.push_back(std::move(row));
    for (auto& row : behavior_rates(shared(b.samples, count_by_prompt(a.samples, condition), condition), b.about))
      out.push_back(std::move(row));
    ResultRow row = a.about;
    row.model = cat(a.about.model, " minus ", b.about.model);
    row.arm = a.about.arm == b.about.arm ? a.about.arm : "unknown";
    row.stage = "compare";
    row.condition = condition;
    row.metric = kRateDifference;
    row.value = difference.value;
    row.n = difference.prompts;
    row.ci_low = difference.interval.low;
    row.ci_high = difference.interval.high;
    out.push_back(row);
  }
  if (out.empty()) {
    fail(ErrorKind::bad_input, cat("the two evaluations share no condition: ", join(conditions_of(a.samples), ", "),
                                   " and ", join(of_b, ", ")));
  }
  return out;
}

}  // namespace reveille::eval
