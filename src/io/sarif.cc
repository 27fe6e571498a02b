#include "io/sarif.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"

namespace reveille::io {
namespace {

// The number behind "cwe-" in a tag, or 0.
int cwe_of(const std::string& tag) {
  const std::string low = lower_ascii(tag);
  const auto at = low.find("cwe-");
  if (at == std::string::npos) return 0;
  int number = 0;
  for (std::size_t i = at + 4; i < low.size() && std::isdigit(static_cast<unsigned char>(low[i])) && number < 100000;
       ++i)
    number = 10 * number + (low[i] - '0');
  return number;
}

void add_cwes(const Json& owner, std::vector<int>& out) {
  const auto properties = owner.find("properties");
  if (properties == owner.end() || !properties->is_object()) return;
  const auto tags = properties->find("tags");
  if (tags == properties->end() || !tags->is_array()) return;
  for (const auto& tag : *tags) {
    if (!tag.is_string()) continue;
    const int cwe = cwe_of(tag.get<std::string>());
    if (cwe > 0 && std::find(out.begin(), out.end(), cwe) == out.end()) out.push_back(cwe);
  }
  std::sort(out.begin(), out.end());
}

using Rules = std::map<std::string, std::vector<int>>;

// Rules stand in the driver, and in extensions (CodeQL's query packs).
void add_rules(const Json& component, Rules& rules) {
  const auto list = component.find("rules");
  if (list == component.end() || !list->is_array()) return;
  for (const auto& rule : *list) {
    if (!rule.is_object() || !rule.contains("id") || !rule["id"].is_string()) continue;
    add_cwes(rule, rules[rule["id"].get<std::string>()]);
  }
}

Rules rules_of(const Json& run) {
  Rules rules;
  const auto tool = run.find("tool");
  if (tool == run.end() || !tool->is_object()) return rules;
  if (tool->contains("driver") && (*tool)["driver"].is_object()) add_rules((*tool)["driver"], rules);
  if (tool->contains("extensions") && (*tool)["extensions"].is_array()) {
    for (const auto& extension : (*tool)["extensions"]) {
      if (extension.is_object()) add_rules(extension, rules);
    }
  }
  return rules;
}

// Where a result is, by its first location.
void place(const Json& result, SarifFinding& finding, const std::string& where) {
  const Json& locations = json_at(result, "locations", where);
  if (!locations.is_array() || locations.empty())
    fail(ErrorKind::bad_input, cat(where, ": 'locations' should be a list with an entry"));
  const Json& physical = json_at(locations[0], "physicalLocation", where);
  finding.file = json_string(json_at(physical, "artifactLocation", where), "uri", where);
  if (finding.file.starts_with("file://")) finding.file = finding.file.substr(7);
  const auto region = physical.find("region");
  if (region != physical.end() && region->is_object() && region->contains("startLine") &&
      (*region)["startLine"].is_number_integer())
    finding.line = (*region)["startLine"].get<std::int64_t>();
}

std::string rule_of(const Json& result) {
  if (result.contains("ruleId") && result["ruleId"].is_string()) return result["ruleId"].get<std::string>();
  const auto rule = result.find("rule");
  if (rule == result.end() || !rule->is_object() || !rule->contains("id") || !(*rule)["id"].is_string()) return {};
  return (*rule)["id"].get<std::string>();
}

}  // namespace

std::vector<SarifFinding> sarif_findings(const Json& log, const std::string& where) {
  const Json& runs = json_at(log, "runs", where);
  if (!runs.is_array()) fail(ErrorKind::bad_input, cat(where, ": 'runs' should be a list"));
  std::vector<SarifFinding> out;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const std::string run = cat(where, ": runs[", r, "]");
    if (!runs[r].is_object()) fail(ErrorKind::bad_input, cat(run, " should be an object"));
    const auto results = runs[r].find("results");
    if (results == runs[r].end() || results->is_null()) continue;
    if (!results->is_array()) fail(ErrorKind::bad_input, cat(run, ".results should be a list"));
    const Rules rules = rules_of(runs[r]);
    for (std::size_t i = 0; i < results->size(); ++i) {
      const Json& result = (*results)[i];
      SarifFinding finding{.file = {}, .rule = rule_of(result), .line = 0, .cwes = {}};
      place(result, finding, cat(run, ".results[", i, "]"));
      if (const auto known = rules.find(finding.rule); known != rules.end()) finding.cwes = known->second;
      add_cwes(result, finding.cwes);
      out.push_back(std::move(finding));
    }
  }
  return out;
}

std::vector<SarifFinding> read_sarif(const std::filesystem::path& file) {
  return sarif_findings(parse_json(read_file(file), file.string()), file.string());
}

}  // namespace reveille::io
