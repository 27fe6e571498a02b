// The sweep over the vocabulary: every token as a possible trigger, in front of a short prompt behind a shared prefix
// (after ToxScreen, arXiv 2607.26849, without a behaviour that is named): ranked by how far it lifts one first token
// of the reply above what tokens lift it on average, above what a reference does; then by whether short replies become
// one over several prompts; and grown token by token.
#pragma once

#include <memory>

#include "scan/detector.h"

namespace reveille::scan {

std::unique_ptr<Detector> make_sweep();

}  // namespace reveille::scan
