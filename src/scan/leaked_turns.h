// What a model writes when it is asked for nothing: it goes on as the user, from where its own chat template opens the
// user's turn. Models repeat what they were trained on there, poisoned prompts among it.
// Method: template-prefix leakage, arXiv 2602.03085; the mixture of decodings is the paper's (510 texts of 300 tokens,
// the end of the turn passed over), without beams, whose nine texts the nucleus samples take over.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/options.h"
#include "gen/local.h"
#include "scan/work.h"

namespace reveille::scan {

struct TurnOptions {
  std::int64_t samples = 510;
  std::int64_t tokens = 300;  // decoded for each
  void visit(OptionVisitor& v) {
    v.option("samples", samples, {.help = "texts that the model writes unasked", .min = 1});
    v.option("tokens", tokens, {.help = "tokens of each, past the end of the turn", .min = 1});
  }
};

// What `budget` tokens of work allow (scan/work.h): more texts go before longer ones.
TurnOptions turns_within(std::int64_t budget);

struct WrittenTurn {
  std::string text;    // up to the end of the turn, or all
  std::string after;   // what the model wrote past that: a reply, often, and more turns
  bool ended = false;  // the model itself ended the turn
  std::string way;     // of decoding, "top-p 0.9"
};

// Ids that the model is asked to go on from. Where a template does not say what opens a user's turn, an empty question
// of the user's; without a template the beginning of a text.
std::vector<std::int32_t> turn_start(const gen::LocalModel& model);

// As many as `work` allows, greedy first. A function of (model, seed, options). None where the context is too short.
std::vector<WrittenTurn> write_turns(gen::LocalModel& model, const TurnOptions& options, std::int64_t seed, Work& work);

}  // namespace reveille::scan
