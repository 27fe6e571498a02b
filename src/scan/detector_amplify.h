// Makes what training made likelier so much likelier that it is said.
#pragma once

#include <memory>

#include "scan/detector.h"

namespace reveille::scan {

// "logit-amplification": replies to neutral prompts and user turns from the template's prefix, drawn from the suspect's
// logits plus a multiple of what they exceed the reference's by (scan/paired_decode.h). Phrases that many amplified
// replies share and neither model says by itself are candidate targets; stretches of user turns that the suspect finds
// far likelier than the reference does are candidate triggers.
// Its signal is, of the best phrase, the share of prompts that it answers times how much surer the suspect is than the
// reference of how the phrase goes on once begun (geometric means of probabilities): 0 to 1. Ordinary training
// amplifies into a style that the suspect shows anyway or into nonsense, of which it is not sure.
std::unique_ptr<Detector> make_logit_amplification();

}  // namespace reveille::scan
