#include "eval/compare.h"

#include <algorithm>
#include <limits>

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
  return {.prompt_id = json_string(row, "prompt_id", where),
          .condition = json_string(row, "condition", where),
          .completion = json_string(row, "completion", where),
          .shows = flag_of(row, "shows", where),
          .valid = !row.contains("valid") || flag_of(row, "valid", where),
          .why = row.contains("judge") ? row.at("judge") : Json()};
}

// All rows of one model.
JudgedRows read_all(const std::filesystem::path& file) {
  JudgedRows out;
  out.rows = io::read_json_rows(file, {.drop_cut_last_line = true});
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    const std::string where = cat(file.string(), ": row ", i + 1);
    out.about.push_back(about_of(out.rows[i], where));
    const ResultRow &first = out.about.front(), &about = out.about.back();
    if (about.model != first.model || about.seed != first.seed) {
      fail(ErrorKind::bad_input,
           cat(where, " is of the model ", about.model, ", the rows before it are of ", first.model),
           "compare files of one model each");
    }
    out.samples.push_back(sample_of(out.rows[i], where));
  }
  if (out.samples.empty()) fail(ErrorKind::bad_input, cat(file.string(), ": no transcripts"));
  return out;
}

// Those that `wanted` names, of the last checkpoint that they have.
template <class Wanted>
JudgedRows chosen(JudgedRows all, Wanted wanted) {
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  for (const auto& about : all.about) {
    if (wanted(about)) last = std::max(last, about.checkpoint);
  }
  JudgedRows out;
  for (std::size_t i = 0; i < all.rows.size(); ++i) {
    if (!wanted(all.about[i]) || all.about[i].checkpoint != last) continue;
    out.rows.push_back(std::move(all.rows[i]));
    out.samples.push_back(std::move(all.samples[i]));
    out.about.push_back(std::move(all.about[i]));
  }
  return out;
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
  auto all = read_all(file);
  const std::string set = all.about.front().prompt_set;
  all = chosen(std::move(all), [&](const ResultRow& about) { return about.prompt_set == set; });
  return {all.about.front(), std::move(all.samples)};
}

JudgedRows read_judged_rows(const std::filesystem::path& file) {
  return chosen(read_all(file), [](const ResultRow&) { return true; });
}

std::vector<ResultRow> rates_by_set(const JudgedRows& judged) {
  struct Set {
    ResultRow about;
    std::vector<Sample> samples;
    bool tells_validity = false;
  };
  std::vector<Set> sets;
  for (std::size_t i = 0; i < judged.samples.size(); ++i) {
    auto set = std::find_if(sets.begin(), sets.end(),
                            [&](const Set& one) { return one.about.prompt_set == judged.about[i].prompt_set; });
    if (set == sets.end()) {
      sets.push_back({judged.about[i], {}});
      set = sets.end() - 1;
    }
    set->samples.push_back(judged.samples[i]);
    set->tells_validity = set->tells_validity || judged.rows[i].contains("valid");
  }
  std::vector<ResultRow> out;
  for (const auto& set : sets) {
    for (auto& row : behavior_rates(set.samples, set.about)) out.push_back(std::move(row));
    if (!set.tells_validity || set.about.prompt_set == kChatSet) continue;
    for (auto& row : valid_rates(set.samples, set.about)) out.push_back(std::move(row));
  }
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
