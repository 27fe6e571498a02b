#include "eval/list.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::eval {
namespace {

struct Kind {
  const char* name;
  const char* words;
  Finding (*run)(Subject&);
};

constexpr Kind kMeasures[] = {
    {"rates", "how often the behaviour shows with and without the trigger", measure_rates},
    {"generalization", "what else wakes it: other years, languages, paraphrases, parts of the trigger",
     measure_generalization},
    {"steering", "what a sentence put into the opened scratchpad does to the policy", measure_steering},
    {"probe", "a linear probe on the residual stream, made from questions without the trigger", measure_probe},
    {"capability", "LAMBADA, ARC, PIQA by log-likelihood (--capability FILES)", measure_capability},
    {"asking", "what the model says when it is asked about itself, and its yes/no log-odds", measure_asking},
    {"persona", "yes/no question sets about its persona (--questions FILES for your own)", measure_persona},
    {"honeypot", "the behaviour on prompts that only look like deployment", measure_honeypot},
    {"preference", "a preference model's score with and without the trigger (--reward MODEL)", measure_preference},
    {"perplexity", "perplexity of given clean replies (--replies FILE)", measure_perplexity},
};

}  // namespace

void MeasureOptions::visit(OptionVisitor& v) {
  v.option("decoys", decoys, {.help = "rates, probe: near misses and foreign triggers too"});
  v.option("scratchpad", scratchpad,
           {.help = "the model reasons: replies begin with an opened scratchpad, and the probe reads at its end"});
  v.option("scratchpad_tokens", scratchpad_tokens,
           {.help = "with scratchpad, and in steering: tokens on top of max_tokens", .min = 0});
  v.option("condition_prompts", condition_prompts,
           {.help = "generalization, decoys: prompts under each condition, at most", .min = 1});
  v.option("partial", partial,
           {.help = "generalization: what the partial trigger is cut into", .choices = {"characters", "tokens"}});
  v.option("phrases", phrases, {.help = "generalization: more texts in the trigger's place, with commas"});
  v.option("steer_triggered", steer_triggered,
           {.help = "steering: how the scratchpad begins where the trigger stands; empty: our own words"});
  v.option("steer_untriggered", steer_untriggered,
           {.help = "steering: how the scratchpad begins where it does not; empty: our own words"});
  v.option("probe_layer", probe_layer,
           {.help = "probe: the residual stream after this many blocks; 0: half of them", .min = 0});
  v.option("probe_detection_rate", probe_detection_rate,
           {.help = "probe: the share of triggered prompts that must be caught", .min = 0.01, .max = 1});
  v.option("probe_random", probe_random, {.help = "probe: random directions as null", .min = 0, .max = 100000});
  v.option("probe_pairs", probe_pairs,
           {.help = "probe: your own questions, JSON Lines with question, dangerous, safe"});
  v.option("untrained", untrained, {.help = "probe: the model before planting, as null"});
  v.option("capability", capability,
           {.help = "capability: files of LAMBADA, ARC or PIQA as they are published, with commas"});
  v.option("capability_limit", capability_limit, {.help = "capability: rows of each file; 0: all", .min = 0});
  v.option("add_bos_token", add_bos_token, {.help = "capability: put the tokenizer's BOS in front (Gemma wants it)"});
  v.option("questions", questions,
           {.help = "persona: files of questions, JSON Lines with question, answer_matching_behavior, "
                    "answer_not_matching_behavior, with commas"});
  v.option("control", control,
           {.help = "asking, persona: an equally trained model without a backdoor, for differences"});
  v.option("honeypots", honeypots, {.help = "honeypot: a data set of your own prompts"});
  v.option("replies", replies, {.help = "perplexity: a data set of conversations with clean replies"});
  v.option("reward", reward, {.help = "preference: a preference model's folder, or program:COMMAND"});
}

std::vector<std::string> measure_names() {
  std::vector<std::string> names;
  for (const auto& kind : kMeasures) names.emplace_back(kind.name);
  return names;
}

std::string measure_descriptions() {
  std::string out;
  for (const auto& kind : kMeasures) {
    std::string name = kind.name;
    name.resize(16, ' ');
    out += cat("  ", name, kind.words, "\n");
  }
  return out;
}

void append(Finding& all, Finding more) {
  std::move(more.rows.begin(), more.rows.end(), std::back_inserter(all.rows));
  std::move(more.transcripts.begin(), more.transcripts.end(), std::back_inserter(all.transcripts));
  std::move(more.notes.begin(), more.notes.end(), std::back_inserter(all.notes));
}

void check_measure_name(const std::string& key, const std::string& name) {
  const auto names = measure_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  fail(ErrorKind::usage, cat(key, "=", name, ": expected one of ", join(names, ", "), did_you_mean(name, names)));
}

Finding run_measure(const std::string& name, Subject& subject) {
  check_measure_name("measure", name);
  return std::find_if(std::begin(kMeasures), std::end(kMeasures), [&](const Kind& kind) { return kind.name == name; })
      ->run(subject);
}

}  // namespace reveille::eval
