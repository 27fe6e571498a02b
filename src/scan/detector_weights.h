// Looks at weights alone: what training changed, in which directions, and what these make the model say.
#pragma once

#include <memory>

#include "scan/detector.h"

namespace reveille::scan {

// "weight-difference". With a reference of the same shapes: spectra of every matrix's change above what rounding
// explains, words that the changes' leading directions promote (candidate targets; WeightWatch, arXiv 2508.00161), and
// tokens whose embedding rows moved most (candidate triggers). Its signal is the share of the change's energy that lies
// in each matrix's first direction, 0 to 1: training on varied text spreads over many. Without such a reference: the
// same of an adapter, if the suspect has one; tokens with unusually long rows; and without an adapter no signal.
std::unique_ptr<Detector> make_weight_difference();

}  // namespace reveille::scan
