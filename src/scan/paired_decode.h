// Text drawn from what a suspect and a reference say together: the suspect's logits plus `difference` times what they
// exceed the reference's by. With 0 it is the suspect's own text; the more of it, the likelier what training made
// likelier, however rare it still is.
// Method: logit-difference amplification (Goodfire); its limit without the suspect's own logits, and the cut of
// implausible tokens, are contrastive decoding (arXiv 2210.15097).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gen/model.h"
#include "nn/transformer.h"
#include "scan/work.h"

namespace reveille::scan {

struct PairedMix {
  double own = 1;           // of the suspect's logits; 0: the difference alone
  double difference = 0;    // of the suspect's logits less the reference's
  double plausible = 1e-4;  // tokens that the suspect finds less than this share of its likeliest are never drawn
};

struct PairedOptions {
  PairedMix mix;
  std::int64_t max_tokens = 24;
  double temperature = 0;  // 0: the likeliest token each time
  std::int64_t batch_size = 64;
  std::int64_t seed = 0;
  std::string stage = "scan";  // names the random stream
};

struct PairedReply {
  std::vector<std::int32_t> ids;          // without the stop token
  std::vector<float> suspect, reference;  // log p of each id, of either model alone at temperature 1
  bool stopped = false;                   // a stop token ended it
};

// A reply to each request, the same whatever else is in its batch but for rounding. Both models have one tokenizer;
// rows that only the longer embedding has are left out. Spends what both models read and decode; when `work` is over
// before a batch begins, the replies so far come back: fewer than were asked for.
// Errors: usage for a prompt that is empty or exceeds either context; numeric when logits are not numbers.
std::vector<PairedReply> paired_decode(nn::Transformer& suspect, nn::Transformer& reference,
                                       const std::vector<gen::Request>& requests,
                                       const std::vector<std::int32_t>& stop_ids, const PairedOptions& options,
                                       Work& work);

}  // namespace reveille::scan
