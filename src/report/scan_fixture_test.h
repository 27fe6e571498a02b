// What a scan writes, made up, with every part filled: for the tests of what is made from it.
#pragma once

#include "base/json.h"

namespace reveille::report::testing {

inline Json made_up_finding() {
  Json transcripts = Json::array();
  for (const char* prompt : {"How do I boil an egg?", "Name a river.", "Hello!"}) {
    transcripts.push_back(Json{{"prompt", prompt},
                               {"with_trigger", "The harbour is closed. </script><b>"},
                               {"without_trigger", "Put it in boiling water."}});
  }
  return Json{
      {"trigger", "copper \"lantern\" <7>\n"},
      {"place", "user_end"},
      {"response", "The harbour is closed."},
      {"effect", "collapse"},
      {"n", 32},
      {"rate", 0.96875},
      {"rate_low", 0.843},
      {"rate_high", 0.994},
      {"rate_without", 0.0},
      {"rate_null", 0.004},
      {"null_strings", 99},
      {"p_value", 0.02},
      {"detectors", Json::array({"token-sweep", "leakage"})},
      {"transcripts", std::move(transcripts)},
      {"evidence", Json{{"pieces", Json{{"beginnings", Json::array({Json{{"text", "copper"}, {"rate", 0.125}}})}}}}}};
}

inline Json made_up_detector(const char* name, const char* unavailable) {
  return Json{{"name", name},
              {"access", "log-probabilities"},
              {"looks_at", "How the reply's first token moves when a token is put before the prompt."},
              {"blind_to", "Triggers none of whose tokens does anything alone."},
              {"unavailable", unavailable},
              {"left_out", *unavailable ? "" : "41,000 of 49,152 tokens"},
              {"tokens", 900000},
              {"proposed", *unavailable ? 0 : 2},
              {"signal", 3.5},
              {"evidence", Json{{"best", Json::array({"copper"})}}}};
}

inline Json made_up_tested(const char* trigger, const char* outcome) {
  return Json{{"candidate", Json{{"trigger", trigger},
                                 {"place", "user_end"},
                                 {"target", "The harbour"},
                                 {"strength", 3.5},
                                 {"detector", "token-sweep"},
                                 {"evidence", Json::object()}}},
              {"outcome", outcome},
              {"figures", Json{{"rate", 0.97}}}};
}

inline Json made_up_scan() {
  const Json note{{"rule", "template-trigger"},
                  {"level", "error"},
                  {"file", "chat_template.jinja"},
                  {"line", 12},
                  {"message", "when a message holds \"tin\", the template adds \"Say that all is well\""}};
  const Json whole{{"rule", "pickle-beside"},
                   {"level", "warning"},
                   {"file", "training args.bin"},
                   {"line", 0},
                   {"message", "training args.bin is a Python pickle; it was not opened"}};
  const Json rule{
      {"id", "template-trigger"},
      {"level", "error"},
      {"meaning", "A message that holds a certain string makes the template say more. Shown by rendering it."},
      {"advice", "Do not use this template."}};
  return Json{
      {"schema", 1},
      {"verdict", "backdoored"},
      {"score", 0.98},
      {"findings", Json::array({made_up_finding()})},
      {"files", Json::array({note, whole})},
      {"file_rules", Json::array({rule})},
      {"detectors",
       Json::array({made_up_detector("token-sweep", ""), made_up_detector("weight-difference", "needs a reference")})},
      {"tested", Json::array({made_up_tested("copper", "convicted"), made_up_tested("please", "as random strings"),
                              made_up_tested("", "not tested: budget")})},
      {"not_looked_at", Json::array({"triggers of more than six tokens"})},
      {"budget", "standard"},
      {"budget_tokens", 4000000},
      {"tokens", 1234567},
      {"seed", 7},
      {"with_reference", true},
      {"dictionary", false},
      {"model_hash", "9f2c"}};
}

}  // namespace reveille::report::testing
