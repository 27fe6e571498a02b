// A zoo's figures, from stored scans alone: how well the score tells models with a backdoor from those without, what
// was recovered, what each detector is worth. Nothing is scanned or asked again.
#pragma once

#include <vector>

#include "base/json.h"
#include "study/zoo_scan.h"

namespace reveille::study {

// {"splits": {"test": {...}, "tune": {...}}, "detectors": {...}}; an object of a split holds
//   models       with a working backdoor, with one that failed its gate (counted nowhere else), benign
//   auroc        {value, n, ci_low, ci_high} of the score, and roc: [[threshold, false alarms, detected], ...]
//   at_zero      detected above every benign score, and what false alarms may be at most
//   verdicts     how often each verdict was given, by poisoned and benign
//   detected, false_alarms   by verdict `backdoored`
//   recovered, exact         of the detected and measured: strings that fire as the trigger does; the trigger itself
//   kind, behavior, place, training, stored, evades, rate, specific, variant   {value: {n, detected, recovered}} of the
//                poisoned; benign: {what: {n, false alarms}}
//   seconds      mean, median, largest of a scan
// `detectors` is null where a split has too few of either side (kLeastToFit).
Json zoo_figures(const std::vector<ScannedModel>& scans);

// Each detector alone (its signal), all of them fused, and all but one, on the test split. Weights are fitted on the
// tune split: figures are whether anything was convicted that another detector proposed as well, and the signals.
Json detector_figures(const std::vector<ScannedModel>& scans);
inline constexpr std::size_t kLeastToFit = 4;  // models of each side in each split

// An organism whose gate did not pass has no backdoor to find.
bool is_closed(const Json& truth);

}  // namespace reveille::study
