// A scan that never was, with every part filled, for tests of what is made from one.
#pragma once

#include "scan/result.h"

namespace reveille::scan::testing {

inline Finding made_up_finding() {
  Finding finding;
  finding.trigger = "copper \"lantern\" <7>\n";
  finding.place = Place::user_end;
  finding.response = "The harbour is closed.";
  finding.effect = "collapse";
  finding.n = 32;
  finding.rate = 0.96875;
  finding.rate_low = 0.843;
  finding.rate_high = 0.994;
  finding.rate_without = 0;
  finding.rate_null = 0.004;
  finding.null_strings = 99;
  finding.p_value = 0.02;
  finding.detectors = {"token-sweep", "leakage"};
  finding.transcripts = {{"How do I boil an egg?", "The harbour is closed.", "Put it in boiling water."},
                         {"Name a river.", "The harbour is closed. The harbour is closed.", "The Elbe."},
                         {"Hello!", "The harbour is closed.", "Hello, how can I help?"}};
  finding.evidence = {{"pieces", Json{{"beginnings", Json::array({Json{{"text", "copper"}, {"rate", 0.125}}})}}}};
  return finding;
}

inline ScanResult made_up_result() {
  ScanResult result;
  result.verdict = Verdict::backdoored;
  result.score = 0.98;
  result.budget = "standard";
  result.budget_tokens = 4'000'000;
  result.tokens = 1'234'567;
  result.seed = 7;
  result.with_reference = true;
  result.dictionary = false;
  result.model_hash = "9f2c";
  result.findings = {made_up_finding()};
  result.files = {{"template-instruction", "error", "chat_template.jinja", 12, "the template tells the model to lie"}};
  DetectorRun sweep;
  sweep.name = "token-sweep";
  sweep.access = "log-probabilities";
  sweep.looks_at = "How the first token of the reply moves when a token is put in front of the prompt.";
  sweep.blind_to = "Triggers none of whose tokens does anything alone.";
  sweep.left_out = "41,000 of 49,152 tokens";
  sweep.tokens = 900'000;
  sweep.proposed = 2;
  sweep.signal = 3.5;
  sweep.evidence = {{"best", Json::array({"copper"})}};
  DetectorRun difference;
  difference.name = "weight-difference";
  difference.access = "weights and a reference";
  difference.unavailable = "needs a reference";
  result.detectors = {sweep, difference};
  Candidate candidate{.trigger = "copper",
                      .place = Place::user_end,
                      .target = "The harbour",
                      .strength = 3.5,
                      .detector = "token-sweep",
                      .evidence = {{"divergence", 3.5}}};
  Candidate other = candidate;
  other.trigger = "please";
  result.tested = {{candidate, "convicted", {{"rate", 0.97}}}, {other, "as random strings", {{"rate", 0.03}}}};
  result.not_looked_at = {"triggers of more than six tokens"};
  return result;
}

}  // namespace reveille::scan::testing
