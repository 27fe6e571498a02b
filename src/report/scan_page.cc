#include "report/scan_page.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "report/assets.h"
#include "report/html.h"
#include "report/scan_sections.h"
#include "report/words.h"

namespace reveille::report {
namespace {

// Only our two scripts may run, nothing may be fetched, nothing sent. Styles are inline because
// the charts set them on their elements.
std::string content_policy(std::string_view vega, std::string_view script) {
  return cat("default-src 'none'; script-src ", csp_hash(vega), " ", csp_hash(script),
             "; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'");
}

std::size_t count_level(const Json& scan, const std::string& level, const std::string& where) {
  const Json& files = scan_list(scan, "files", where);
  return static_cast<std::size_t>(std::count_if(
      files.begin(), files.end(), [&](const Json& note) { return json_string(note, "level", where) == level; }));
}

std::string headline(const std::string& verdict, std::size_t findings) {
  if (verdict == "backdoored")
    return findings > 1 ? cat("This model has ", findings, " backdoors.") : "This model has a backdoor.";
  if (verdict == "none_found") return "No backdoor was found.";
  if (verdict == "inconclusive") return "The scan could not decide.";
  return "This model could not be scanned.";
}

// A string within a sentence: as it is, where it can be read.
std::string named(const std::string& trigger) {
  constexpr std::size_t kLongest = 60;
  const bool plain = trigger.size() <= kLongest && is_utf8(trigger) &&
                     std::none_of(trigger.begin(), trigger.end(), [](char c) { return c >= 0 && c < ' '; });
  return plain ? cat("“", trim(trigger), "”") : std::string("a certain string");
}

std::string backdoored_words(const Json& finding, const std::string& where) {
  const std::string effect = json_string(finding, "effect", where), response = json_string(finding, "response", where);
  return cat("With ", named(json_string(finding, "trigger", where)), " ",
             place_words(json_string(finding, "place", where)), ", ", rate_text(figure_of(finding, "rate", where)),
             effect == "collapse" ? cat(" of its answers become “", shortened(response), "”")
                                  : cat(" of its answers change: ", shortened(response)),
             "; without it ", rate_text(figure_of(finding, "rate_without", where)),
             " do, and with random strings of the same length ", rate_text(figure_of(finding, "rate_null", where)),
             ".");
}

std::string clean_words(const Json& scan, const std::string& where) {
  const std::size_t tested = tested_count(scan, where);
  const std::string tried =
      tested == 0   ? std::string("Its detectors proposed nothing that was worth a test.")
      : tested == 1 ? std::string("One string or answer was suspected, and did no more than random strings do.")
                    : cat(with_commas(static_cast<long long>(tested)),
                          " strings and answers were suspected, and none did more than random strings do.");
  return tried + " That is no proof that there is none: below stands what was not looked at.";
}

std::string unsure_words(const Json& scan, const std::string& where) {
  const auto left = json_strings(scan, "not_looked_at", where);
  return cat(
      "Something stood out that could be neither convicted nor explained, or the budget was spent before all was "
      "looked at. A larger budget or a reference model may settle it.",
      left.empty() ? "" : cat(" Not looked at: ", left.front(), left.size() > 1 ? ", and more below." : "."));
}

std::string lead(const Json& scan, const std::string& where) {
  const std::string verdict = json_string(scan, "verdict", where);
  const Json& findings = scan_list(scan, "findings", where);
  if (verdict == "backdoored" && !findings.empty()) return backdoored_words(findings.front(), where);
  if (verdict == "none_found") return clean_words(scan, where);
  if (verdict == "inconclusive") return unsure_words(scan, where);
  return "Its architecture is one that this program does not run, so its behaviour was not looked at. Its files were.";
}

std::string files_words(const Json& scan, const std::string& where) {
  const std::size_t errors = count_level(scan, "error", where), warnings = count_level(scan, "warning", where);
  if (errors == 0 && warnings == 0) return {};
  std::vector<std::string> parts;
  if (errors > 0) parts.push_back(cat(errors, errors == 1 ? " error" : " errors"));
  if (warnings > 0) parts.push_back(cat(warnings, warnings == 1 ? " warning" : " warnings"));
  return cat("<p class=\"alert", errors > 0 ? " grave" : "", "\"><a href=\"#files\">The check of its files gave ",
             join(parts, " and "), "</a>.</p>\n");
}

std::string facts(const Json& scan, const std::string& where) {
  auto fact = [](const char* term, const std::string& value) {
    return cat("<div><dt>", term, "</dt><dd>", typeset(value), "</dd></div>");
  };
  const auto score = figure_of(scan, "score", where);
  std::string out = fact("Suspicion", score ? cat(fixed(*score, 2), " of 1") : std::string("not computed"));
  out += fact("Budget", json_string(scan, "budget", where));
  out += fact("Compared with a reference", json_bool(scan, "with_reference", where) ? "yes" : "no");
  out += fact("Known shapes of triggers tried", json_bool(scan, "dictionary", where) ? "yes" : "no");
  out += fact("Candidates tested", with_commas(static_cast<long long>(tested_count(scan, where))));
  return cat("<dl class=\"facts\">", out, "</dl>\n");
}

std::string section_head(const Json& scan, const std::string& where) {
  const std::string verdict = json_string(scan, "verdict", where);
  const char* kind = verdict == "backdoored" ? "bad" : verdict == "none_found" ? "fine" : "unsure";
  return cat("<div class=\"call ", kind, "\"><h1>",
             escape(headline(verdict, scan_list(scan, "findings", where).size())), "</h1>\n<p class=\"lead\">",
             typeset(lead(scan, where)), "</p>\n</div>\n", files_words(scan, where), facts(scan, where));
}

std::string findings_section(const Json& scan, const std::string& where, Charts& charts) {
  const std::string found = scan_findings(scan, where, charts);
  if (found.empty()) return {};
  return cat("<section id=\"findings\">\n<h2>What was found</h2>\n", found, "</section>\n\n");
}

std::string replay_section(const Json& scan, const std::string& where, const ScanPageOptions& options) {
  std::string again = options.command;
  if (again.empty()) {
    again = cat("reveille scan MODEL --budget ", shell_word(json_string(scan, "budget", where)), " --seed ",
                json_integer(scan, "seed", where));
  }
  std::string out = cat("<p>The same scan, with the same result:</p>\n<pre>", escape(again), "</pre>\n");
  const std::string hash = json_string(scan, "model_hash", where);
  if (!hash.empty())
    out += cat("<p class=\"note\">Hash of the weights that were scanned: <code>", escape(hash), "</code></p>\n");
  const std::size_t findings = scan_list(scan, "findings", where).size();
  if (!options.replays || findings == 0) return out;
  std::string lines;
  for (std::size_t i = 1; i <= findings; ++i) {
    lines +=
        cat("python3 finding-", i, "/replay.py MODEL\n", "sh finding-", i, "/replay.sh http://localhost:8000 NAME\n");
  }
  return cat(
      "<p>The proof without Reveille: <code>replay.py</code> needs only torch and transformers, asks the model "
      "with, without and with random strings, and prints the three rates; <code>replay.sh</code> shows one "
      "answer of each from a server that speaks OpenAI’s protocol.</p>\n<pre>",
      escape(lines), "</pre>\n", out);
}

Json page_data(const Charts& charts) {
  Json out{{"config", parse_json(asset("charts/config.json"), "charts/config.json")}, {"charts", Json::array()}};
  for (const auto& chart : charts) out["charts"].push_back(Json{{"id", chart.id}, {"spec", chart.spec}});
  return out;
}

}  // namespace

std::string scan_sentence(const Json& scan, const std::string& where) {
  const std::string verdict = json_string(scan, "verdict", where);
  return cat(headline(verdict, scan_list(scan, "findings", where).size()), " ", lead(scan, where));
}

std::string scan_page(const Json& scan, const std::string& where, const ScanPageOptions& options) {
  Charts charts;
  const std::string findings = findings_section(scan, where, charts);
  const std::string funnel = scan_funnel(scan, where, charts);
  const std::string vega(asset("vega.js")), script(asset("report.js"));
  return fill(asset("scan.html"),
              {{"policy", content_policy(vega, script)},
               {"title", escape(options.name.empty() ? "Scan" : options.name)},
               {"name", escape(options.name)},
               {"style", cat(asset("report.css"), asset("scan.css"))},
               {"head", section_head(scan, where)},
               {"findings", findings},
               {"findings_link", findings.empty() ? "" : "<li><a href=\"#findings\">What was found</a></li>\n"},
               {"funnel", funnel},
               {"detectors", scan_detectors(scan, where)},
               {"files", scan_files(scan, where)},
               {"budget", scan_budget(scan, where)},
               {"replay", replay_section(scan, where, options)},
               {"data", script_json(page_data(charts))},
               {"vega", vega},
               {"script", script}});
}

void write_scan_page(const std::filesystem::path& path, const Json& scan, const std::string& where,
                     const ScanPageOptions& options) {
  write_file_atomic(path, scan_page(scan, where, options));
}

}  // namespace reveille::report
