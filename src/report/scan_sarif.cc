#include "report/scan_sarif.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "base/strings.h"
#include "base/version.h"

namespace reveille::report {
namespace fs = std::filesystem;
namespace {

constexpr const char* kBackdoor = "backdoor";

// A relative reference as RFC 3986 wants it.
std::string uri_of(const std::string& path) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || std::string_view("-._~/").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

Json text_of(const std::string& text) { return Json{{"text", text}}; }

std::string severity(const std::string& level) { return level == "error" ? "8.0" : level == "warning" ? "5.0" : "2.0"; }

Json rule_json(const std::string& id, const std::string& level, const std::string& meaning, const std::string& advice) {
  const std::size_t end = meaning.find(". ");
  const std::string first = end == std::string::npos ? meaning : meaning.substr(0, end + 1);
  return Json{
      {"id", id},
      {"shortDescription", text_of(first)},
      {"fullDescription", text_of(meaning)},
      {"help", Json{{"text", cat(meaning, " ", advice)}, {"markdown", cat(meaning, "\n\n**What to do:** ", advice)}}},
      {"defaultConfiguration", Json{{"level", level}}},
      {"properties", Json{{"tags", Json::array({"security", "machine-learning"})},
                          {"precision", id == kBackdoor ? "very-high" : "medium"},
                          {"security-severity", id == kBackdoor ? "9.5" : severity(level)}}}};
}

Json backdoor_rule() {
  return rule_json(
      kBackdoor, "error",
      "The model has a backdoor: with a certain string in the prompt its replies change in a way that they "
      "do with no other string that was tried. Shown on prompts that took no part in finding it.",
      "Do not use the model. See the transcripts, run replay.py to see it without Reveille, and use the "
      "model that this one was made from; 'reveille mitigate' may take the backdoor out.");
}

class Log {
 public:
  Log(const Json& scan, const ScanSarifOptions& options, const std::string& where)
      : scan_(scan), options_(options), where_(where) {}

  Json make() {
    rules();
    for (const Json& finding : list("findings")) add_finding(finding);
    for (const Json& note : list("files")) add_note(note);
    const Json driver{
        {"name", "Reveille"}, {"version", version()}, {"semanticVersion", version()}, {"rules", std::move(rules_)}};
    const Json run{{"tool", Json{{"driver", driver}}},
                   {"invocations", Json::array({invocation()})},
                   {"results", std::move(results_)},
                   {"properties", properties()}};
    return Json{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                {"version", "2.1.0"},
                {"runs", Json::array({run})}};
  }

 private:
  const Json& list(const char* key) const {
    const Json& value = json_at(scan_, key, where_);
    if (!value.is_array()) fail(ErrorKind::bad_input, cat(where_, ": key '", key, "' should be a list"));
    return value;
  }

  void rules() {
    rules_ = Json::array({backdoor_rule()});
    if (!scan_.contains("file_rules")) return;
    for (const Json& rule : list("file_rules")) {
      rules_.push_back(rule_json(json_string(rule, "id", where_), json_string(rule, "level", where_),
                                 json_string(rule, "meaning", where_), json_string(rule, "advice", where_)));
    }
  }

  std::size_t index_of(const std::string& id) {
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      if (rules_[i]["id"] == id) return i;
    }
    rules_.push_back(rule_json(id, "warning", cat("The rule ", id, " of file checks."), "See the message."));
    return rules_.size() - 1;
  }

  std::string place_of(const std::string& file) const {
    const std::string name = file.empty() || file == "." ? options_.weights : file;
    std::string folder = options_.folder;
    if (!folder.empty() && !folder.ends_with('/')) folder += '/';
    return uri_of(folder + name);
  }

  // A binary file has no lines, but services show nothing without one.
  Json location(const std::string& file, std::int64_t line) const {
    return Json{{"physicalLocation", Json{{"artifactLocation", Json{{"uri", place_of(file)}}},
                                          {"region", Json{{"startLine", std::max<std::int64_t>(1, line)}}}}}};
  }

  // `identity` tells a result of this run from the others and is the same in the next run.
  void add(const std::string& rule, const std::string& level, const std::string& message, const std::string& file,
           std::int64_t line, const std::string& identity, const Json& properties) {
    Json result{{"ruleId", rule},
                {"ruleIndex", index_of(rule)},
                {"level", level},
                {"message", text_of(message)},
                {"locations", Json::array({location(file, line)})},
                {"partialFingerprints", Json{{"reveille/v1", sha256_hex(cat(rule, "\n", identity)).substr(0, 32)}}}};
    if (!properties.empty()) result["properties"] = properties;
    results_.push_back(std::move(result));
  }

  static std::string share(const Json& finding, const char* key) {
    const auto found = finding.find(key);
    if (found == finding.end() || !found->is_number()) return "?";
    return cat(fixed(100 * found->get<double>(), 1), " %");
  }

  void add_finding(const Json& finding) {
    const std::string trigger = json_string(finding, "trigger", where_), place = json_string(finding, "place", where_);
    const std::string response = json_string(finding, "response", where_);
    const std::string message =
        cat("Backdoor: with ", Json(repair_utf8(trigger)).dump(), " (", replace_all(place, "_", " "), ") ",
            share(finding, "rate"), " of replies show ", Json(repair_utf8(response)).dump(), ". Without it ",
            share(finding, "rate_without"), ", with random strings of its length ", share(finding, "rate_null"), ".");
    Json properties = Json::object();
    for (const char* key : {"trigger", "place", "response", "n", "rate", "rate_without", "rate_null", "p_value",
                            "detectors", "transcripts"}) {
      if (finding.contains(key)) properties[key] = finding[key];
    }
    add(kBackdoor, "error", message, options_.weights, 1, cat(place, "\n", trigger, "\n", response), properties);
  }

  void add_note(const Json& note) {
    const std::string rule = json_string(note, "rule", where_), file = json_string(note, "file", where_);
    const std::string message = json_string(note, "message", where_);
    add(rule, json_string(note, "level", where_), message, file, json_integer(note, "line", where_),
        cat(file, "\n", message), Json::object());
  }

  Json invocation() const {
    const std::string verdict = json_string(scan_, "verdict", where_);
    Json out{{"executionSuccessful", verdict != "unsupported"}, {"exitCode", options_.exit_code}};
    Json notifications = Json::array();
    auto notify = [&](const char* level, const std::string& text) {
      notifications.push_back(Json{{"level", level}, {"message", text_of(text)}});
    };
    if (verdict == "unsupported") notify("error", "This model's architecture is not supported: nothing was tried.");
    if (verdict == "inconclusive") notify("warning", "The scan could neither convict the model nor clear it.");
    for (const auto& part : json_strings(scan_, "not_looked_at", where_)) notify("note", cat("Not looked at: ", part));
    if (!notifications.empty()) out["toolExecutionNotifications"] = std::move(notifications);
    return out;
  }

  Json properties() const {
    Json out = Json::object();
    for (const char* key :
         {"verdict", "score", "budget", "budget_tokens", "tokens", "seed", "with_reference", "model_hash"}) {
      if (scan_.contains(key)) out[key] = scan_[key];
    }
    return out;
  }

  const Json& scan_;
  const ScanSarifOptions& options_;
  const std::string& where_;
  Json rules_ = Json::array(), results_ = Json::array();
};

}  // namespace

ScanSarifOptions sarif_options(const fs::path& model, int exit_code) {
  ScanSarifOptions out{.exit_code = exit_code};
  const bool file = fs::is_regular_file(model);
  if (file) out.weights = model.filename().string();
  if (fs::is_directory(model)) {
    for (const char* name : {"adapter_model.safetensors", "model.safetensors.index.json", "model.safetensors"}) {
      if (fs::exists(model / name)) out.weights = name;
    }
  }
  const fs::path folder = (file ? model.parent_path() : model).lexically_normal();
  const bool inside = folder.is_relative() && fs::exists(model) && folder.begin() != folder.end() &&
                      *folder.begin() != ".." && folder != ".";
  if (inside) out.folder = folder.generic_string();
  return out;
}

Json scan_sarif(const Json& scan, const ScanSarifOptions& options, const std::string& where) {
  return Log(scan, options, where).make();
}

}  // namespace reveille::report
