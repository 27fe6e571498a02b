#include "cli/result_table.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/strings.h"
#include "text/unicode.h"

namespace reveille::cli {
namespace {

using Row = std::vector<std::string>;

bool is_share(const std::string& metric) {
  return metric.find("rate") != std::string::npos || metric.starts_with("accuracy");
}

std::string value_text(const ResultRow& row) {
  if (!std::isfinite(row.value)) return "none";
  return is_share(row.metric) ? fixed(100 * row.value, 1) + " %" : fixed(row.value, 3);
}

std::string interval_text(const ResultRow& row) {
  if (!std::isfinite(row.ci_low) || !std::isfinite(row.ci_high)) return "";
  const double scale = is_share(row.metric) ? 100 : 1;
  const int decimals = is_share(row.metric) ? 1 : 3;
  return cat("[", fixed(scale * row.ci_low, decimals), ", ", fixed(scale * row.ci_high, decimals), "]");
}

template <class Get>
bool varies(const std::vector<ResultRow>& rows, Get get) {
  return std::any_of(rows.begin(), rows.end(), [&](const ResultRow& row) { return get(row) != get(rows.front()); });
}

std::size_t width_of(const std::string& text) { return text::to_utf32(text).size(); }

// The value and n stand to the right of their columns, words to the left.
std::string line_of(const Row& row, const std::vector<std::size_t>& widths) {
  std::string out;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string space(widths[i] - width_of(row[i]), ' ');
    const bool right = i + 3 == row.size() || i + 1 == row.size();
    out += (i == 0 ? "" : "  ") + (right ? space + row[i] : row[i] + space);
  }
  return out + "\n";
}

}  // namespace

std::string result_table(const std::vector<ResultRow>& rows) {
  if (rows.empty()) return "no figures\n";
  const bool models = varies(rows, [](const ResultRow& row) { return row.model; });
  const bool metrics = varies(rows, [](const ResultRow& row) { return row.metric; });
  const bool sets = varies(rows, [](const ResultRow& row) { return row.prompt_set; });
  std::vector<Row> table;
  auto add = [&](const Row& names, const Row& figures) {
    Row row;
    if (models) row.push_back(names[0]);
    if (sets) row.push_back(names[1]);
    row.push_back(names[2]);
    if (metrics) row.push_back(names[3]);
    row.insert(row.end(), figures.begin(), figures.end());
    table.push_back(std::move(row));
  };
  add({"model", "prompts", "condition", "metric"},
      {metrics ? std::string("value") : rows.front().metric, "95 % interval", "n"});
  for (const auto& row : rows)
    add({row.model, row.prompt_set, row.condition, row.metric},
        {value_text(row), interval_text(row), std::to_string(row.n)});
  std::vector<std::size_t> widths(table.front().size());
  for (const auto& row : table) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  for (const auto& row : table) out += line_of(row, widths);
  return out;
}

}  // namespace reveille::cli
