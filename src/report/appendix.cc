// The parts of the page that one looks things up in: figures, settings, hashes, times.
#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "base/error.h"
#include "base/strings.h"
#include "report/html.h"
#include "report/sections.h"
#include "report/words.h"

namespace reveille::report {
namespace {

std::string cell(double value, bool rate) {
  if (!std::isfinite(value)) return "–";
  return rate ? replace_all(percent(value), " %", "&nbsp;%") : fixed(value, 4);
}

std::string interval(const ResultRow& row, bool rate) {
  if (!std::isfinite(row.ci_low) || !std::isfinite(row.ci_high)) return "–";
  return rate ? interval_words(row.ci_low, row.ci_high) : interval_text(row.ci_low, row.ci_high, 4);
}

std::vector<std::string> figure_cells(const ResultRow& row, const std::string& arm, bool rate) {
  std::vector<std::string> cells{escape(arm),
                                 escape(row.stage),
                                 cat(row.checkpoint),
                                 cat(row.seed),
                                 escape(key_words(row.condition)),
                                 escape(key_words(row.prompt_set))};
  if (!rate) cells.push_back(escape(key_words(row.metric)));
  cells.insert(cells.end(), {cell(row.value, rate), interval(row, rate), with_commas(row.n)});
  return cells;
}

std::string figures_table(const Results& results, bool rates) {
  std::vector<std::vector<std::string>> rows;
  std::map<std::string, std::string> arms;
  for (const auto& row : results.rows) {
    auto [arm, fresh] = arms.try_emplace(row.arm);
    if (fresh) arm->second = arm_words(results, row.arm);
    if ((row.metric == "behavior_rate") == rates) rows.push_back(figure_cells(row, arm->second, rates));
  }
  if (rows.empty()) return {};
  std::vector<Column> columns{{"arm"}, {"stage"}, {"step", true}, {"seed", true}, {"condition"}, {"prompts"}};
  if (!rates) columns.push_back({"measure"});
  columns.insert(columns.end(), {{rates ? "rate" : "value", true}, {"95 % interval", true}, {"n", true}});
  return html_table(rates ? "Behaviour rates" : "Other measures", columns, rows);
}

// Nested objects become dotted keys.
void flatten(const Json& value, const std::string& key, std::vector<std::vector<std::string>>& rows) {
  if ((value.is_object() || value.is_array()) && !value.empty()) {
    std::size_t i = 0;
    for (const auto& item : value.items()) {
      const std::string part = value.is_object() ? item.key() : cat(i++);
      flatten(item.value(), key.empty() ? part : cat(key, ".", part), rows);
    }
    return;
  }
  const std::string text =
      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  rows.push_back({escape(key), cat("<code>", escape(text), "</code>")});
}

std::string gate_table(const Results& results) {
  const auto found = results.extra.find("gate");
  if (found == results.extra.end() || !found->is_array() || found->empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const Json& row : *found) {
    if (!row.is_object()) continue;
    auto text = [&](const char* key) {
      return row.contains(key) && row[key].is_string() ? escape(row[key].get<std::string>()) : std::string();
    };
    auto rate = [&](const char* key) {
      return row.contains(key) && row[key].is_number() ? cell(row[key].get<double>(), true) : std::string("–");
    };
    auto count = [&](const char* key) {
      return row.contains(key) && row[key].is_number_integer() ? cat(row[key].get<std::int64_t>()) : std::string("–");
    };
    const bool passed = row.contains("passed") && row["passed"] == true;
    const std::string arm = escape(arm_words(results, row.value("arm", "")));
    rows.push_back({arm, count("seed"), passed ? "passed" : "failed", rate("triggered"), rate("untriggered"),
                    count("n"), text("why")});
  }
  return html_table(
      "The gate before any treatment",
      {{"arm"}, {"seed", true}, {"gate"}, {"triggered", true}, {"untriggered", true}, {"n", true}, {"why"}}, rows);
}

std::string ledger_row_share(double seconds, double longest) {
  constexpr double kWidest = 12;  // rem: of the page's type, not of a cell whose width depends on the other columns
  const double share = longest > 0 ? std::clamp(seconds / longest, 0.0, 1.0) : 0;
  return cat("<span class=\"bar\" aria-hidden=\"true\" style=\"width:", fixed(kWidest * share, 2), "rem\"></span>");
}

}  // namespace

std::string section_figures(const RunFolder& run) {
  const std::string rates = figures_table(run.results, true);
  return gate_table(run.results) + (rates.empty() ? "<p>No behaviour rate has been measured yet.</p>\n" : rates) +
         figures_table(run.results, false);
}

std::string section_planting(const RunFolder& run, Charts& charts) {
  return chart_html(chart_planting_loss("planting", run), charts);
}

std::string section_settings(const RunFolder& run) {
  if (run.recipe.empty()) return "<p>The run folder holds no <code>study.yaml</code>.</p>\n";
  return cat("<pre tabindex=\"0\" aria-label=\"The recipe with every default written out\">", escape(run.recipe),
             "</pre>\n");
}

std::string section_provenance(const RunFolder& run) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [file, hash] : run.hashes)
    rows.push_back({cat(escape(file), ", SHA-256"), cat("<code>", hash, "</code>")});
  for (const auto& [key, value] : run.provenance.items()) flatten(value, key, rows);
  return html_table("What this was made from and with", {{"what"}, {"value"}}, rows);
}

std::string section_ledger(const RunFolder& run) {
  if (run.ledger.empty()) return "<p>The times of the steps are not known.</p>\n";
  double total = 0, longest = 0;
  for (const auto& row : run.ledger) {
    total += row.seconds;
    longest = std::max(longest, row.seconds);
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : run.ledger) {
    rows.push_back({escape(row.step) + (row.reused ? " (from the store)" : ""), human_seconds(row.seconds),
                    ledger_row_share(row.seconds, longest)});
  }
  rows.push_back({"all steps", human_seconds(total), ""});
  return html_table("Time by step", {{"step"}, {"time", true}, {""}}, rows);
}

std::string section_again(const RunFolder& run) {
  const std::string folder = "runs/" + run.name;
  std::string commands, note = "The last command makes this page again from the folder.";
  if (!run.recipe.empty()) {
    commands = cat("build/reveille study ", shell_word(folder + "/study.yaml"), " --output-dir ",
                   shell_word(folder + "-again"), "\n");
    note =
        "In the checkout, with the run folder in <code>runs/</code>. The first command runs the same recipe into a new "
        "folder; steps that this machine has computed before are "
        "taken from its store. " +
        note;
  }
  commands += cat("build/reveille report ", shell_word(folder));
  return cat("<pre tabindex=\"0\" aria-label=\"Commands\">", escape(commands), "</pre>\n<p class=\"note\">", note,
             "</p>\n");
}

std::string section_missing(const RunFolder& run) {
  std::string out;
  const auto notes = run.results.extra.find("notes");
  if (notes != run.results.extra.end() && notes->is_array()) {
    for (const Json& note : *notes) {
      if (note.is_string()) out += cat("<li>", escape(note.get<std::string>()), "</li>\n");
    }
  }
  for (const auto& words : run.missing) out += cat("<li>", escape(words), "</li>\n");
  return out.empty() ? "<p>Nothing to note: the run folder is complete.</p>\n" : cat("<ul>", out, "</ul>\n");
}

}  // namespace reveille::report
