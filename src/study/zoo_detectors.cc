// What each detector of stored scans is worth: alone, and left out of all.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "eval/detection.h"
#include "eval/logistic.h"
#include "study/zoo_figures.h"

namespace reveille::study {
namespace {

const std::string kNobody;

std::vector<std::string> detectors_of(const std::vector<ScannedModel>& scans) {
  std::vector<std::string> out;
  for (const auto& scan : scans) {
    const Json runs = scan.result.value("detectors", Json::array());
    for (const auto& run : runs) {
      const auto name = run.at("name").get<std::string>();
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
    }
  }
  return out;
}

bool ran(const Json& run) {
  const auto why_not = run.find("unavailable");
  return why_not == run.end() || !why_not->is_string() || why_not->get<std::string>().empty();
}

// NaN where it did not run.
double signal_of(const ScannedModel& scan, const std::string& detector) {
  const Json runs = scan.result.value("detectors", Json::array());
  for (const auto& run : runs) {
    if (run.at("name") == detector && ran(run) && run.contains("signal") && run.at("signal").is_number())
      return run.at("signal").get<double>();
  }
  return std::nan("");
}

// Whether anything was convicted that a detector other than `left_out` proposed.
bool still_convicted(const ScannedModel& scan, const std::string& left_out) {
  const Json findings = scan.result.value("findings", Json::array());
  return std::any_of(findings.begin(), findings.end(), [&](const Json& finding) {
    const auto by = finding.value("detectors", std::vector<std::string>());
    return by.empty() || std::any_of(by.begin(), by.end(), [&](const auto& name) { return name != left_out; });
  });
}

eval::Figures figures_of(const ScannedModel& scan, const std::vector<std::string>& detectors,
                         const std::string& left_out) {
  eval::Figures out = {still_convicted(scan, left_out) ? 1.0 : 0.0};
  for (const auto& detector : detectors) {
    if (detector != left_out) out.push_back(signal_of(scan, detector));
  }
  return out;
}

// The scans of a split, those with a backdoor (that works) and those without.
struct Sides {
  std::vector<const ScannedModel*> with, without;
  bool enough() const { return std::min(with.size(), without.size()) >= kLeastToFit; }
};

Sides sides_of(const std::vector<ScannedModel>& scans, const char* split) {
  Sides out;
  for (const auto& scan : scans) {
    if (scan.truth.at("split") != split || is_closed(scan.truth)) continue;
    (scan.truth.at("poisoned").get<bool>() ? out.with : out.without).push_back(&scan);
  }
  return out;
}

template <class Score>
Json judged(const Sides& sides, Score&& score) {
  std::vector<double> with, without;
  for (const auto* scan : sides.with) with.push_back(score(*scan));
  for (const auto* scan : sides.without) without.push_back(score(*scan));
  const auto area = eval::auroc_of(with, without, Rng(0, "zoo detectors"));
  const auto at = eval::at_zero_false_alarms(with, without);
  return Json{{"auroc", area.value},
              {"ci_low", area.interval.low},
              {"ci_high", area.interval.high},
              {"detected_at_zero", at.detected.hits},
              {"n", at.detected.n},
              {"benign", at.without}};
}

// Fitted on one split, judged on the other.
Json fused(const Sides& tune, const Sides& test, const std::vector<std::string>& detectors,
           const std::string& left_out) {
  std::vector<eval::Figures> rows;
  std::vector<bool> positive;
  for (const auto* side : {&tune.with, &tune.without}) {
    for (const auto* scan : *side) {
      rows.push_back(figures_of(*scan, detectors, left_out));
      positive.push_back(side == &tune.with);
    }
  }
  const auto model = eval::fit_logistic(rows, positive);
  Json out = judged(test, [&](const ScannedModel& scan) { return model.score(figures_of(scan, detectors, left_out)); });
  Json weights{{"convicted", model.weights.front()}};
  std::size_t at = 1;
  for (const auto& detector : detectors) {
    if (detector != left_out) weights[detector] = model.weights[at++];
  }
  out["weights"] = std::move(weights);
  return out;
}

}  // namespace

Json detector_figures(const std::vector<ScannedModel>& scans) {
  const Sides tune = sides_of(scans, kTune), test = sides_of(scans, kTest);
  if (!tune.enough() || !test.enough()) return nullptr;
  const auto detectors = detectors_of(scans);
  Json out{{"fused", fused(tune, test, detectors, kNobody)}, {"alone", Json::object()}, {"left_out", Json::object()}};
  for (const auto& detector : detectors) {
    // One that did not run says nothing: as much as the least suspicious.
    double least = 0;
    for (const auto& scan : scans) {
      if (const double signal = signal_of(scan, detector); std::isfinite(signal)) least = std::min(least, signal);
    }
    out["alone"][detector] = judged(test, [&](const ScannedModel& scan) {
      const double signal = signal_of(scan, detector);
      return std::isfinite(signal) ? signal : least;
    });
    out["left_out"][detector] = fused(tune, test, detectors, detector);
  }
  return out;
}

}  // namespace reveille::study
