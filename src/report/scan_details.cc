// What detectors saw, what the files hold, what was not looked at.
#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "report/html.h"
#include "report/scan_sections.h"
#include "report/words.h"

namespace reveille::report {
namespace {

std::string item(const char* term, const std::string& html) {
  return html.empty() ? html : cat("<div><dt>", term, "</dt><dd>", html, "</dd></div>");
}

std::string card(const Json& run, std::int64_t budget, const std::string& where) {
  const std::string unavailable = json_string(run, "unavailable", where);
  const std::int64_t tokens = json_integer(run, "tokens", where), proposed = json_integer(run, "proposed", where);
  const bool ran = unavailable.empty();
  std::string out =
      cat("<article class=\"card", ran ? "" : " idle", "\"><h3>", escape(json_string(run, "name", where)),
          " <span class=\"badge\">",
          ran ? (proposed == 0 ? "proposed nothing" : cat("proposed ", with_commas(proposed))) : "did not run",
          "</span></h3>\n<dl>");
  out += item("Did not run", escape(unavailable));
  out += item("Looks at", escape(json_string(run, "looks_at", where)));
  out += item("Cannot see", escape(json_string(run, "blind_to", where)));
  out += item("Needs", escape(json_string(run, "access", where)));
  out += item("Left out", escape(json_string(run, "left_out", where)));
  if (ran) {
    const auto signal = figure_of(run, "signal", where);
    out += item("Signal", signal ? fixed(*signal, 2) : std::string());
    const std::string share =
        budget > 0 ? cat(", ", percent(static_cast<double>(tokens) / static_cast<double>(budget)), " of the budget")
                   : "";
    out += item("Spent", typeset(cat(with_commas(tokens), " tokens", share)));
  }
  out += "</dl>\n";
  const auto evidence = run.find("evidence");
  if (evidence != run.end() && !evidence->empty()) {
    out += cat("<details><summary>What it saw</summary><pre>",
               escape(evidence->dump(2, ' ', false, Json::error_handler_t::replace)), "</pre></details>\n");
  }
  return out + "</article>\n";
}

const Json* rule_of(const Json& scan, const std::string& id) {
  const auto rules = scan.find("file_rules");
  if (rules == scan.end() || !rules->is_array()) return nullptr;
  for (const Json& rule : *rules) {
    if (rule.is_object() && rule.contains("id") && rule["id"] == id) return &rule;
  }
  return nullptr;
}

std::string note_html(const Json& scan, const Json& note, const std::string& where) {
  const std::string level = json_string(note, "level", where), id = json_string(note, "rule", where);
  const std::int64_t line = json_integer(note, "line", where);
  const char* kind = level == "error" ? "error" : level == "warning" ? "warning" : "info";
  std::string out = cat("<li class=\"", kind, "\"><p><span class=\"level\">", escape(level), "</span> <code>",
                        escape(json_string(note, "file", where)), line > 0 ? cat(":", line) : std::string(), "</code> ",
                        escape(json_string(note, "message", where)), "</p>");
  if (const Json* rule = rule_of(scan, id)) {
    out += cat("<p class=\"why\">", typeset(json_string(*rule, "meaning", where)), " <strong>",
               typeset(json_string(*rule, "advice", where)), "</strong></p>");
  }
  return out + "</li>\n";
}

}  // namespace

const Json& scan_list(const Json& scan, const char* key, const std::string& where) {
  const Json& value = json_at(scan, key, where);
  if (!value.is_array()) fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be a list"));
  return value;
}

std::optional<double> figure_of(const Json& object, const char* key, const std::string& where) {
  if (json_at(object, key, where).is_null()) return std::nullopt;
  return json_number(object, key, where);
}

std::string rate_text(const std::optional<double>& rate) { return rate ? percent(*rate) : "not measured"; }

std::string shown_string(const std::string& text) {
  std::string out = escape(text);
  out = replace_all(std::move(out), "\n", "↵\n");
  // White space at either end would not be seen.
  if (out.starts_with(' ')) out = "␣" + out.substr(1);
  if (out.ends_with(' ')) out = out.substr(0, out.size() - 1) + "␣";
  return cat("<code class=\"string\">", out, "</code>");
}

std::string place_words(const std::string& place) {
  if (place == "user_start") return "at the beginning of the user’s message";
  if (place == "user_end") return "at the end of the user’s message";
  if (place == "system") return "in the system message";
  if (place == "earlier_turn") return "in an earlier message";
  return place;
}

std::string scan_detectors(const Json& scan, const std::string& where) {
  const std::int64_t budget = json_integer(scan, "budget_tokens", where);
  std::string ran, idle;
  for (const Json& run : scan_list(scan, "detectors", where)) {
    std::string& out = json_string(run, "unavailable", where).empty() ? ran : idle;
    out += card(run, budget, where);
  }
  if (ran.empty() && idle.empty()) return "<p>No detector ran.</p>\n";
  return cat("<div class=\"cards\">", ran, idle, "</div>\n");
}

std::string scan_files(const Json& scan, const std::string& where) {
  std::string out;
  for (const Json& note : scan_list(scan, "files", where)) out += note_html(scan, note, where);
  if (out.empty()) return "<p>Nothing was out of the ordinary.</p>\n";
  return cat("<ul class=\"notes\">", out, "</ul>\n");
}

std::string scan_budget(const Json& scan, const std::string& where) {
  const std::int64_t limit = json_integer(scan, "budget_tokens", where), spent = json_integer(scan, "tokens", where);
  std::string left;
  for (const auto& part : json_strings(scan, "not_looked_at", where)) left += cat("<li>", typeset(part), "</li>\n");
  std::string out =
      left.empty() ? "<p>Everything that this budget has room for was looked at.</p>\n" : cat("<ul>", left, "</ul>\n");
  std::string idle;
  for (const Json& run : scan_list(scan, "detectors", where)) {
    const std::string why = json_string(run, "unavailable", where);
    if (!why.empty()) idle += cat("<li>", escape(json_string(run, "name", where)), ": ", escape(why), "</li>\n");
  }
  if (!idle.empty()) out += cat("<p>Detectors that could not run:</p>\n<ul>", idle, "</ul>\n");
  // Verification has a budget of its own.
  const std::string words =
      cat("Budget ", json_string(scan, "budget", where), ": its detectors may put ", with_commas(limit),
          " tokens through the model; with verification it were ", with_commas(spent), ".");
  return cat(out, "<p>", typeset(words),
             " A scan finds the kinds of backdoor that its detectors look for; one that is "
             "built to hide from all of them passes.</p>\n");
}

}  // namespace reveille::report
