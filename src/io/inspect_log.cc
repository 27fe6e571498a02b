#include "io/inspect_log.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/strings.h"
#include "io/event_log.h"
#include "io/jsonl.h"
#include "io/zip_bytes.h"

namespace reveille::io {
namespace {

constexpr int kSchema = 2;

// Inspect gives everything a random id of 22 letters; ours come from what they name.
std::string short_id(const std::string& of) { return sha256_hex(of).substr(0, 22); }

std::string log_id(const InspectLog& log) {
  return short_id(cat("log\n", log.task, "\n", log.model, "\n", log.run_id, "\n", utc_time(log.created)));
}

std::string time_of(const InspectLog& log) { return utc_time(log.created).substr(0, 19) + "+00:00"; }

// In the order in which they appear.
std::vector<std::string> scorer_names(const InspectLog& log) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const InspectSample& sample : log.samples) {
    for (const InspectScore& score : sample.scores) {
      if (seen.insert(score.name).second) names.push_back(score.name);
    }
  }
  return names;
}

Json message_json(const Message& message, const std::string& id, const char* source) {
  return Json{{"id", id}, {"content", message.content}, {"source", source}, {"role", message.role}};
}

Json score_json(const InspectScore& score) {
  Json out{{"value", score.value}};
  if (!score.answer.empty()) out["answer"] = score.answer;
  if (!score.explanation.empty()) out["explanation"] = score.explanation;
  if (!score.metadata.empty()) out["metadata"] = score.metadata;
  out["history"] = Json::array();
  return out;
}

Json scores_json(const InspectSample& sample) {
  Json out = Json::object();
  for (const InspectScore& score : sample.scores) out[score.name] = score_json(score);
  return out;
}

std::string sample_key(const InspectLog& log, const InspectSample& sample) {
  return cat(log_id(log), "/", sample.id, "/", sample.epoch);
}

Json input_json(const InspectLog& log, const InspectSample& sample) {
  Json out = Json::array();
  for (std::size_t i = 0; i < sample.prompt.size(); ++i) {
    out.push_back(message_json(sample.prompt[i], short_id(cat(sample_key(log, sample), "/", i)), "input"));
  }
  return out;
}

Json sample_json(const InspectLog& log, const InspectSample& sample) {
  Json input = input_json(log, sample);
  Json reply = message_json({"assistant", sample.completion}, short_id(sample_key(log, sample) + "/reply"), "generate");
  reply["model"] = log.model;
  Json messages = input;
  messages.push_back(reply);
  Json output{{"model", log.model},
              {"choices", Json::array({Json{{"message", reply}, {"stop_reason", "stop"}}})},
              {"completion", sample.completion}};
  return Json{{"id", sample.id},
              {"epoch", sample.epoch},
              {"input", input},
              {"target", sample.target},
              {"messages", messages},
              {"output", output},
              {"scores", scores_json(sample)},
              {"metadata", sample.metadata},
              {"store", Json::object()},
              {"events", Json::array()},
              {"model_usage", Json::object()},
              {"uuid", short_id(sample_key(log, sample))},
              {"attachments", Json::object()}};
}

// Inspect keeps only short values in summaries, so that a viewer loads them all at once.
Json short_metadata(const Json& metadata) {
  constexpr std::size_t kLongest = 1024;
  Json out = Json::object();
  for (const auto& [key, value] : metadata.items()) {
    if (json_line(value).size() < kLongest) out[key] = value;
  }
  return out;
}

Json summary_json(const InspectLog& log, const InspectSample& sample) {
  return Json{{"id", sample.id},
              {"epoch", sample.epoch},
              {"input", input_json(log, sample)},
              {"target", sample.target},
              {"metadata", short_metadata(sample.metadata)},
              {"scores", scores_json(sample)},
              {"model_usage", Json::object()},
              {"uuid", short_id(sample_key(log, sample))},
              {"retries", 0},
              {"completed", true},
              {"message_count", sample.prompt.size() + 1}};
}

int epochs_of(const InspectLog& log) {
  int epochs = 1;
  for (const InspectSample& sample : log.samples) epochs = std::max(epochs, sample.epoch);
  return epochs;
}

Json metrics_of(const InspectLog& log, const std::string& scorer, bool as_spec) {
  Json out = as_spec ? Json::array() : Json::object();
  for (const InspectMetric& metric : log.metrics) {
    if (metric.scorer != scorer) continue;
    Json value = std::isfinite(metric.value) ? Json(metric.value) : Json(nullptr);
    if (as_spec) {
      out.push_back({{"name", metric.name}, {"options", Json::object()}});
    } else {
      out[metric.name] = {{"name", metric.name}, {"value", value}, {"params", Json::object()}};
    }
  }
  return out;
}

Json eval_json(const InspectLog& log) {
  Json ids = Json::array(), scorers = Json::array();
  std::set<std::string> seen;
  for (const InspectSample& sample : log.samples) {
    if (seen.insert(sample.id).second) ids.push_back(sample.id);
  }
  for (const std::string& name : scorer_names(log)) {
    scorers.push_back({{"name", name}, {"options", Json::object()}, {"metrics", metrics_of(log, name, true)}});
  }
  return Json{{"eval_id", log_id(log)},
              {"run_id", log.run_id.empty() ? log_id(log) : log.run_id},
              {"created", time_of(log)},
              {"task", log.task},
              {"task_id", log_id(log)},
              {"task_version", 0},
              {"task_attribs", Json::object()},
              {"task_args", Json::object()},
              {"tags", log.tags},
              {"dataset", {{"name", log.dataset}, {"samples", ids.size()}, {"sample_ids", ids}, {"shuffled", false}}},
              {"model", log.model},
              {"model_generate_config", log.generate_config},
              {"model_args", Json::object()},
              {"config", {{"epochs", epochs_of(log)}}},
              {"packages", Json::object()},
              {"scorers", scorers},
              {"metadata", log.metadata}};
}

Json plan_json() {
  Json generate{{"solver", "generate"}, {"params", Json::object()}};
  return Json{{"name", "plan"}, {"steps", Json::array({generate})}, {"config", Json::object()}};
}

// A score as a number: Inspect counts "C" as 1 and "I" as 0. False for other text.
bool score_number(const Json& value, double& out) {
  if (value.is_boolean()) out = value.get<bool>() ? 1 : 0;
  if (value.is_number()) out = value.get<double>();
  if (value.is_string() && (value == "C" || value == "I")) out = value == "C" ? 1 : 0;
  return value.is_boolean() || value.is_number() || value == "C" || value == "I";
}

// The mean over epochs for each sample, by scorer.
Json reductions_json(const InspectLog& log) {
  Json out = Json::array();
  for (const std::string& scorer : scorer_names(log)) {
    std::vector<std::string> order;
    std::map<std::string, std::pair<double, int>> sums;
    for (const InspectSample& sample : log.samples) {
      for (const InspectScore& score : sample.scores) {
        double value = 0;
        if (score.name != scorer || !score_number(score.value, value)) continue;
        auto [sum, fresh] = sums.try_emplace(sample.id, 0.0, 0);
        if (fresh) order.push_back(sample.id);
        sum->second.first += value;
        ++sum->second.second;
      }
    }
    Json samples = Json::array();
    for (const std::string& id : order) {
      const auto& [sum, count] = sums[id];
      samples.push_back({{"value", sum / count}, {"history", Json::array()}, {"sample_id", id}});
    }
    out.push_back({{"scorer", scorer}, {"samples", samples}});
  }
  return out;
}

Json results_json(const InspectLog& log) {
  Json scores = Json::array();
  for (const std::string& name : scorer_names(log)) {
    std::set<std::string> ids;
    for (const InspectSample& sample : log.samples) {
      for (const InspectScore& score : sample.scores) {
        if (score.name == name) ids.insert(sample.id);
      }
    }
    scores.push_back({{"name", name},
                      {"scorer", name},
                      {"scored_samples", ids.size()},
                      {"unscored_samples", 0},
                      {"params", Json::object()},
                      {"metrics", metrics_of(log, name, false)}});
  }
  return Json{{"total_samples", log.samples.size()}, {"completed_samples", log.samples.size()}, {"scores", scores}};
}

Json header_json(const InspectLog& log) {
  return Json{
      {"version", kSchema},
      {"status", "success"},
      {"eval", eval_json(log)},
      {"plan", plan_json()},
      {"results", results_json(log)},
      {"stats", {{"started_at", time_of(log)}, {"completed_at", time_of(log)}, {"model_usage", Json::object()}}},
      {"tags", log.tags},
      {"metadata", log.metadata}};
}

void check(const InspectLog& log) {
  std::set<std::pair<std::string, int>> seen;
  std::set<std::string> ids;
  for (const InspectSample& sample : log.samples) {
    if (sample.id.empty() || sample.epoch < 1) {
      fail(ErrorKind::internal,
           cat("log '", log.task, "': a sample has the id '", sample.id, "' and epoch ", sample.epoch));
    }
    if (!seen.emplace(sample.id, sample.epoch).second) {
      fail(ErrorKind::internal,
           cat("log '", log.task, "': sample '", sample.id, "' stands twice in epoch ", sample.epoch));
    }
  }
  for (const std::string& name : scorer_names(log)) ids.insert(name);
  for (const InspectMetric& metric : log.metrics) {
    if (!ids.contains(metric.scorer)) {
      fail(ErrorKind::internal, cat("log '", log.task, "': metric '", metric.name, "' belongs to '", metric.scorer,
                                    "', which scored no sample"));
    }
  }
}

}  // namespace

std::string inspect_log_name(const InspectLog& log) {
  std::string task;
  for (char c : log.task) task += std::isalnum(static_cast<unsigned char>(c)) || c == '-' ? c : '-';
  // As Inspect writes it: the colons of the time are not allowed in file names everywhere.
  return cat(replace_all(time_of(log), ":", "-").replace(19, 1, "-"), "_", task, "_", log_id(log), ".eval");
}

std::filesystem::path write_inspect_log(const std::filesystem::path& folder, const InspectLog& log) {
  check(log);
  std::vector<std::pair<std::string, std::string>> entries;
  entries.emplace_back("_journal/start.json",
                       json_line({{"version", kSchema}, {"eval", eval_json(log)}, {"plan", plan_json()}}));
  Json summaries = Json::array();
  for (const InspectSample& sample : log.samples) {
    entries.emplace_back(cat("samples/", sample.id, "_epoch_", sample.epoch, ".json"),
                         json_line(sample_json(log, sample)));
    summaries.push_back(summary_json(log, sample));
  }
  entries.emplace_back("_journal/summaries/1.json", json_line(summaries));
  entries.emplace_back("summaries.json", json_line(summaries));
  entries.emplace_back("reductions.json", json_line(reductions_json(log)));
  entries.emplace_back("header.json", json_line(header_json(log)));
  std::filesystem::path path = folder / inspect_log_name(log);
  write_file_atomic(path, zip_bytes(entries));
  return path;
}

}  // namespace reveille::io
