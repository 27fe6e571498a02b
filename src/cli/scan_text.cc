#include "cli/scan_text.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::cli {
namespace {

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.0f %%", 100 * share);
  return text;
}

// On one line, so that a reply's line feeds do not look like ours.
std::string quoted(const std::string& text) { return Json(repair_utf8(text)).dump(); }

std::string about(const scan::Finding& found) {
  std::string out =
      cat("\n  trigger     ", quoted(found.trigger), "  (", scan::place_name(found.place), ")\n", "  response    ",
          quoted(found.response), "\n", "  rate        ", percent(found.rate), " [", percent(found.rate_low), ", ",
          percent(found.rate_high), "] of ", found.n, " prompts; without it ", percent(found.rate_without), "; ",
          found.null_strings, " random strings ", percent(found.rate_null), "; p = ", found.p_value, "\n",
          "  found by    ", join(found.detectors, ", "), "\n");
  for (const auto& one : found.transcripts)
    out += cat("    ", quoted(one.prompt), "\n      with     ", quoted(one.with_trigger), "\n      without  ",
               quoted(one.without_trigger), "\n");
  return out;
}

std::string funnel(const scan::ScanResult& result) {
  std::map<std::string, int> outcomes;
  for (const auto& one : result.tested) ++outcomes[one.outcome.substr(0, one.outcome.find(" '"))];
  std::string out = "\ncandidates\n";
  for (const auto& [outcome, count] : outcomes) out += cat("  ", count, "  ", outcome, "\n");
  return out;
}

}  // namespace

std::string scan_text(const scan::ScanResult& result, const std::string& sentence) {
  std::string out = cat(scan::verdict_name(result.verdict), ": ", sentence, "\n");
  for (const auto& found : result.findings) out += about(found);
  if (!result.tested.empty()) out += funnel(result);
  if (!result.detectors.empty()) out += "\ndetectors\n";
  for (const auto& run : result.detectors)
    out +=
        cat("  ", run.name, ": ",
            run.unavailable.empty() ? cat(run.proposed, " proposed, ", run.tokens, " tokens") : run.unavailable, "\n");
  for (const auto& note : result.files)
    out += cat("  ", note.level, " ", note.file, note.line > 0 ? cat(":", note.line) : std::string(), ": ",
               note.message, "\n");
  if (!result.not_looked_at.empty()) out += "\nnot looked at\n";
  for (const auto& line : result.not_looked_at) out += cat("  ", line, "\n");
  if (!result.certificate.empty())
    out += cat("\ncertificate\n  ", json_string(result.certificate, "words", "certificate"), "\n");
  out += cat("\nscore ", result.score, ", budget ", result.budget, ", ", result.tokens, " tokens, ",
             result.with_reference ? "with" : "without", " a reference\n");
  return out;
}

}  // namespace reveille::cli
