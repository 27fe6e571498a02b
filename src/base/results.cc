#include "base/results.h"

#include <cmath>

#include "base/error.h"

namespace reveille {
namespace {

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

double number_or_nan(const Json& object, const char* key, const std::string& where) {
  const Json& value = json_at(object, key, where);
  if (value.is_null()) return std::nan("");
  if (!value.is_number()) fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be a number"));
  return value.get<double>();
}

std::int64_t whole(const Json& object, const char* key, const std::string& where) {
  const Json& value = json_at(object, key, where);
  if (!value.is_number_integer()) {
    fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be a whole number"));
  }
  return value.get<std::int64_t>();
}

}  // namespace

Json to_json(const ResultRow& row) {
  return Json{{"model", row.model},
              {"arm", row.arm},
              {"stage", row.stage},
              {"checkpoint", row.checkpoint},
              {"prompt_set", row.prompt_set},
              {"condition", row.condition},
              {"metric", row.metric},
              {"value", number_or_null(row.value)},
              {"n", row.n},
              {"ci_low", number_or_null(row.ci_low)},
              {"ci_high", number_or_null(row.ci_high)},
              {"seed", row.seed}};
}

ResultRow result_row_from_json(const Json& value, const std::string& where) {
  ResultRow row;
  row.model = json_string(value, "model", where);
  row.arm = json_string(value, "arm", where);
  row.stage = json_string(value, "stage", where);
  row.checkpoint = whole(value, "checkpoint", where);
  row.prompt_set = json_string(value, "prompt_set", where);
  row.condition = json_string(value, "condition", where);
  row.metric = json_string(value, "metric", where);
  row.value = number_or_nan(value, "value", where);
  row.n = whole(value, "n", where);
  row.ci_low = number_or_nan(value, "ci_low", where);
  row.ci_high = number_or_nan(value, "ci_high", where);
  row.seed = whole(value, "seed", where);
  return row;
}

Json to_json(const Results& results) {
  Json out{{"schema", kResultsSchema}, {"results", Json::array()}};
  for (const auto& row : results.rows) out["results"].push_back(to_json(row));
  for (const auto& [key, value] : results.extra.items()) out[key] = value;
  return out;
}

Results results_from_json(const Json& value, const std::string& where) {
  if (json_at(value, "schema", where) != kResultsSchema) {
    fail(ErrorKind::unsupported,
         cat(where, ": schema ", value["schema"].dump(), ", this program reads ", kResultsSchema));
  }
  Results out;
  const Json& rows = json_at(value, "results", where);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.rows.push_back(result_row_from_json(rows[i], cat(where, ": results[", i, "]")));
  }
  for (const auto& [key, item] : value.items()) {
    if (key != "schema" && key != "results") out.extra[key] = item;
  }
  return out;
}

}  // namespace reveille
