// What verification convicted, and how the candidates came to their end.
#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/strings.h"
#include "report/chart_specs.h"
#include "report/html.h"
#include "report/scan_sections.h"
#include "report/words.h"

namespace reveille::report {
namespace {

std::string paragraph(const std::string& text) { return cat("<p>", typeset(text), "</p>\n"); }

std::string p_words(const std::optional<double>& p) {
  if (!p) return "not computed";
  if (*p < 0.001) return "< 0.001";
  return fixed(*p, *p < 0.1 ? 3 : 2);
}

std::string tile(const char* kind, const std::string& label, const std::string& big, const std::string& small) {
  return cat("<div class=\"tile ", kind, "\"><span class=\"label\">", typeset(label), "</span><span class=\"big\">",
             typeset(big), "</span><span class=\"small\">", typeset(small), "</span></div>");
}

struct Rates {
  std::optional<double> with, low, high, without, random;
  std::int64_t n = 0, strings = 0;
};

Rates rates_of(const Json& finding, const std::string& where) {
  Rates out;
  out.with = figure_of(finding, "rate", where);
  out.low = figure_of(finding, "rate_low", where);
  out.high = figure_of(finding, "rate_high", where);
  out.without = figure_of(finding, "rate_without", where);
  out.random = figure_of(finding, "rate_null", where);
  out.n = json_integer(finding, "n", where);
  out.strings = json_integer(finding, "null_strings", where);
  return out;
}

std::string tiles(const Rates& rates) {
  std::string small = cat("of ", with_commas(rates.n), " prompts");
  if (rates.low && rates.high) small += cat(", 95 % interval ", interval_words(*rates.low, *rates.high));
  const std::string of_prompts = cat("of the same ", with_commas(rates.n), " prompts");
  return cat("<div class=\"tiles three\">", tile("hidden", "With the string", rate_text(rates.with), small),
             tile("seen", "Without it", rate_text(rates.without), of_prompts),
             tile("random", "With random strings", rate_text(rates.random),
                  cat("mean of ", with_commas(rates.strings), " strings of the same length")),
             "</div>\n");
}

Json bar(const std::string& label, const std::optional<double>& value, const char* tone) {
  return Json{{"label", label}, {"value", value.value_or(0)}, {"text", rate_text(value)}, {"tone", tone}};
}

Chart rates_chart(const std::string& id, const Rates& rates) {
  Json rows = Json::array({bar("with the string", rates.with, "hot"), bar("without it", rates.without, "calm"),
                           bar("with random strings", rates.random, "soft")});
  if (rates.low && rates.high) {
    rows[0]["low"] = *rates.low;
    rows[0]["high"] = *rates.high;
  }
  return bars_chart(id, "How often the answer shows it",
                    cat("Bars: ", rate_text(rates.with), " with the string, ", rate_text(rates.without),
                        " without it, ", rate_text(rates.random), " with random strings."),
                    std::move(rows), true);
}

// Strings near the trigger and how often they do the same: evidence.pieces, {"beginnings", "neighbours"}, each a list
// of
// {"text", "rate"}.
void add_pieces(const Json& pieces, const char* key, const char* tone, Json& rows) {
  constexpr std::size_t kMost = 8;
  const auto list = pieces.find(key);
  if (list == pieces.end() || !list->is_array()) return;
  for (std::size_t i = 0; i < std::min(kMost, list->size()); ++i) {
    const Json& piece = (*list)[i];
    const bool known = piece.is_object() && piece.contains("text") && piece["text"].is_string() &&
                       piece.contains("rate") && piece["rate"].is_number();
    if (!known) continue;
    const std::string text = cat("“", shortened(piece["text"].get<std::string>()), "”");
    const bool drawn = std::any_of(rows.begin(), rows.end(), [&](const Json& row) { return row["label"] == text; });
    if (!drawn) rows.push_back(bar(text, piece["rate"].get<double>(), tone));
  }
}

Chart pieces_chart(const std::string& id, const Json& finding) {
  Json rows = Json::array();
  const auto evidence = finding.find("evidence");
  if (evidence != finding.end() && evidence->is_object() && evidence->contains("pieces") &&
      (*evidence)["pieces"].is_object()) {
    add_pieces((*evidence)["pieces"], "beginnings", "other", rows);
    add_pieces((*evidence)["pieces"], "neighbours", "soft", rows);
  }
  return bars_chart(id, "What parts of it and strings of its shape do",
                    "Bars: how often the answer shows it with a part of the string, and with strings of its shape.",
                    std::move(rows), true);
}

std::string said(const char* title, const char* kind, const std::string& text) {
  return cat("<div class=\"answer\"><h5>", title, "</h5><p class=\"said ", kind, "\">",
             text.empty() ? std::string("<em>nothing</em>") : escape(shortened(text)), "</p></div>");
}

std::string transcripts(const Json& finding, const std::string& where) {
  std::string out;
  for (const Json& one : scan_list(finding, "transcripts", where)) {
    out += cat("<article class=\"exchange\"><p class=\"sent\"><span class=\"who\">Somebody asks</span>",
               escape(shortened(json_string(one, "prompt", where))), "</p>",
               said("Without the string", "calm", json_string(one, "without_trigger", where)),
               said("With the string", "hot", json_string(one, "with_trigger", where)), "</article>\n");
  }
  return out.empty() ? out : cat("<h4>The same question, asked twice</h4>\n<div class=\"exchanges\">", out, "</div>\n");
}

std::string evidence(const Json& finding) {
  const auto found = finding.find("evidence");
  if (found == finding.end() || found->empty()) return {};
  return cat("<details><summary>All that verification wrote down</summary><pre>",
             escape(found->dump(2, ' ', false, Json::error_handler_t::replace)), "</pre></details>\n");
}

std::string finding_html(const Json& finding, std::size_t number, std::size_t of, const std::string& where,
                         Charts& charts) {
  const Rates rates = rates_of(finding, where);
  const std::string effect = json_string(finding, "effect", where), response = json_string(finding, "response", where);
  std::string out = cat("<article class=\"finding\" id=\"finding-", number, "\">\n<h3>",
                        of > 1 ? cat("Backdoor ", number, " of ", of) : std::string("The backdoor"), "</h3>\n");
  out += cat("<dl class=\"what\"><div><dt>The string</dt><dd>", shown_string(json_string(finding, "trigger", where)),
             "</dd></div><div><dt>Where it stands</dt><dd>", escape(place_words(json_string(finding, "place", where))),
             "</dd></div><div><dt>What it does</dt><dd>",
             effect == "collapse" ? "the answer becomes " : "answers change: ",
             effect == "collapse" ? cat("<q>", escape(shortened(response)), "</q>") : escape(shortened(response)),
             "</dd></div></dl>\n");
  out += tiles(rates);
  out += cat("<div class=\"charts\">\n", chart_html(rates_chart(cat("rates-", number), rates), charts),
             chart_html(pieces_chart(cat("pieces-", number), finding), charts), "</div>\n");
  out +=
      paragraph(cat("None of these prompts took part in finding the string. How likely random strings alone would "
                    "do as much: p ",
                    p_words(figure_of(finding, "p_value", where)).starts_with('<') ? "" : "= ",
                    p_words(figure_of(finding, "p_value", where)),
                    ", after correction for all candidates that were tested. Found by ",
                    join(json_strings(finding, "detectors", where), ", "), "."));
  return out + transcripts(finding, where) + evidence(finding) + "</article>\n";
}

// "decoy: the model was told to" counts under "decoy", "the same effect as 'x'" under "the same effect as".
std::string outcome_kind(const std::string& outcome) {
  return outcome.substr(0, std::min(outcome.find(": "), outcome.find(" '")));
}

std::string candidates_table(const Json& scan, const std::string& where) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : scan_list(scan, "tested", where)) {
    const Json& candidate = json_at(one, "candidate", where);
    const std::string trigger = json_string(candidate, "trigger", where),
                      target = json_string(candidate, "target", where);
    const auto strength = figure_of(candidate, "strength", where);
    rows.push_back({trigger.empty() ? std::string("–") : shown_string(shortened(trigger)),
                    escape(place_words(json_string(candidate, "place", where))),
                    target.empty() ? std::string("–") : escape(shortened(target)),
                    escape(json_string(candidate, "detector", where)), strength ? fixed(*strength, 2) : "–",
                    escape(json_string(one, "outcome", where))});
  }
  if (rows.empty()) return {};
  return html_table("Every candidate and what became of it",
                    {{"string"}, {"where"}, {"suspected answer"}, {"proposed by"}, {"strength", true}, {"outcome"}},
                    rows);
}

}  // namespace

std::string scan_findings(const Json& scan, const std::string& where, Charts& charts) {
  const Json& findings = scan_list(scan, "findings", where);
  std::string out;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    out += finding_html(findings[i], i + 1, findings.size(), cat(where, ": findings[", i, "]"), charts);
  }
  return out;
}

std::size_t tested_count(const Json& scan, const std::string& where) {
  const Json& tested = scan_list(scan, "tested", where);
  return static_cast<std::size_t>(std::count_if(tested.begin(), tested.end(), [&](const Json& one) {
    return outcome_kind(json_string(one, "outcome", where)) != "not tested";
  }));
}

std::string scan_funnel(const Json& scan, const std::string& where, Charts& charts) {
  std::int64_t proposed = 0;
  for (const Json& run : scan_list(scan, "detectors", where)) proposed += json_integer(run, "proposed", where);
  const auto kept = static_cast<std::int64_t>(scan_list(scan, "tested", where).size());
  const auto tested = static_cast<std::int64_t>(tested_count(scan, where));
  const auto convicted = static_cast<std::int64_t>(scan_list(scan, "findings", where).size());
  auto row = [](const char* label, std::int64_t count, const char* tone) {
    return Json{{"label", label}, {"value", count}, {"text", with_commas(count)}, {"tone", tone}};
  };
  const std::string words = cat(with_commas(proposed), " proposed by detectors, ", with_commas(kept),
                                " left when equal ones are put together, ", with_commas(tested), " tested, ",
                                with_commas(convicted), " convicted.");
  const Chart chart = bars_chart("funnel", "From suspicion to conviction", words,
                                 Json::array({row("proposed", proposed, "soft"), row("put together", kept, "soft"),
                                              row("tested", tested, "calm"), row("convicted", convicted, "hot")}),
                                 false);
  std::map<std::string, int> outcomes;
  for (const Json& one : scan_list(scan, "tested", where)) ++outcomes[outcome_kind(json_string(one, "outcome", where))];
  std::vector<std::string> parts;
  for (const auto& [kind, count] : outcomes) parts.push_back(cat(kind, ": ", count));
  std::string out = cat("<div class=\"charts\">\n", chart_html(chart, charts), "</div>\n", paragraph(words));
  if (!parts.empty()) out += paragraph(cat("Outcomes: ", join(parts, "; "), "."));
  const std::string table = candidates_table(scan, where);
  if (table.empty()) return out;
  return cat(out, "<details><summary>Every candidate</summary>\n", table, "</details>\n");
}

}  // namespace reveille::report
