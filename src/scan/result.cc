#include "scan/result.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/strings.h"
#include "scan/file_notes.h"

namespace reveille::scan {
namespace {

constexpr int kScanSchema = 1;
constexpr Verdict kVerdicts[] = {Verdict::backdoored, Verdict::none_found, Verdict::inconclusive, Verdict::unsupported};

// Triggers and replies may be any bytes, JSON is UTF-8. Figures that are none would be written as null and then not
// read: a detector's own evidence may hold them, and is kept as null.
Json repaired(const Json& value) {
  if (value.is_string()) return repair_utf8(value.get_ref<const std::string&>());
  if (value.is_number_float() && !std::isfinite(value.get<double>())) return nullptr;
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& item : value) out.push_back(repaired(item));
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [key, item] : value.items()) out[repair_utf8(key)] = repaired(item);
  return out;
}

// The other way: null is a figure that was none.
double figure(const Json& object, std::string_view key, const std::string& where) {
  if (json_at(object, key, where).is_null()) return std::numeric_limits<double>::quiet_NaN();
  return json_number(object, key, where);
}

Json object_at(const Json& object, std::string_view key, const std::string& where) {
  const Json& value = json_at(object, key, where);
  if (!value.is_object())
    fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be an object, found ", value.type_name()));
  return value;
}

// Each entry of a list, with its place for errors: "scan.json: findings[2]".
template <class Read>
auto list_at(const Json& object, std::string_view key, const std::string& where, Read read) {
  const Json& value = json_at(object, key, where);
  if (!value.is_array())
    fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be a list, found ", value.type_name()));
  std::vector<decltype(read(value, where))> out;
  for (std::size_t i = 0; i < value.size(); ++i) out.push_back(read(value[i], cat(where, ": ", key, "[", i, "]")));
  return out;
}

Json record_json(const Transcript& transcript) {
  return {{"prompt", transcript.prompt},
          {"with_trigger", transcript.with_trigger},
          {"without_trigger", transcript.without_trigger}};
}

Transcript transcript_from(const Json& value, const std::string& where) {
  return {json_string(value, "prompt", where), json_string(value, "with_trigger", where),
          json_string(value, "without_trigger", where)};
}

Json record_json(const Finding& finding) {
  Json transcripts = Json::array();
  for (const auto& transcript : finding.transcripts) transcripts.push_back(record_json(transcript));
  return {{"trigger", finding.trigger},
          {"place", place_name(finding.place)},
          {"response", finding.response},
          {"effect", finding.effect},
          {"n", finding.n},
          {"rate", finding.rate},
          {"rate_low", finding.rate_low},
          {"rate_high", finding.rate_high},
          {"rate_without", finding.rate_without},
          {"rate_null", finding.rate_null},
          {"null_strings", finding.null_strings},
          {"p_value", finding.p_value},
          {"detectors", finding.detectors},
          {"transcripts", std::move(transcripts)},
          {"evidence", finding.evidence}};
}

Finding finding_from(const Json& value, const std::string& where) {
  Finding out;
  out.trigger = json_string(value, "trigger", where);
  out.place = place_from_name(json_string(value, "place", where), cat(where, ": place"));
  out.response = json_string(value, "response", where);
  out.effect = json_string(value, "effect", where);
  out.n = json_integer(value, "n", where);
  out.rate = figure(value, "rate", where);
  out.rate_low = figure(value, "rate_low", where);
  out.rate_high = figure(value, "rate_high", where);
  out.rate_without = figure(value, "rate_without", where);
  out.rate_null = figure(value, "rate_null", where);
  out.null_strings = json_integer(value, "null_strings", where);
  out.p_value = figure(value, "p_value", where);
  out.detectors = json_strings(value, "detectors", where);
  out.transcripts = list_at(value, "transcripts", where, transcript_from);
  out.evidence = object_at(value, "evidence", where);
  return out;
}

Json record_json(const FileNote& note) {
  return {
      {"rule", note.rule}, {"level", note.level}, {"file", note.file}, {"line", note.line}, {"message", note.message}};
}

FileNote note_from(const Json& value, const std::string& where) {
  return {json_string(value, "rule", where), json_string(value, "level", where), json_string(value, "file", where),
          json_integer(value, "line", where), json_string(value, "message", where)};
}

Json record_json(const DetectorRun& run) {
  return {{"name", run.name},         {"access", run.access},           {"looks_at", run.looks_at},
          {"blind_to", run.blind_to}, {"unavailable", run.unavailable}, {"left_out", run.left_out},
          {"tokens", run.tokens},     {"proposed", run.proposed},       {"signal", run.signal},
          {"evidence", run.evidence}};
}

DetectorRun run_from(const Json& value, const std::string& where) {
  DetectorRun out;
  out.name = json_string(value, "name", where);
  out.access = json_string(value, "access", where);
  out.looks_at = json_string(value, "looks_at", where);
  out.blind_to = json_string(value, "blind_to", where);
  out.unavailable = json_string(value, "unavailable", where);
  out.left_out = json_string(value, "left_out", where);
  out.tokens = json_integer(value, "tokens", where);
  out.proposed = json_integer(value, "proposed", where);
  out.signal = figure(value, "signal", where);
  out.evidence = object_at(value, "evidence", where);
  return out;
}

Json record_json(const Tested& tested) {
  return {{"candidate", to_json(tested.candidate)}, {"outcome", tested.outcome}, {"figures", tested.figures}};
}

Candidate candidate_from(const Json& value, const std::string& where) {
  Candidate out;
  out.trigger = json_string(value, "trigger", where);
  out.place = place_from_name(json_string(value, "place", where), cat(where, ": place"));
  out.target = json_string(value, "target", where);
  out.strength = figure(value, "strength", where);
  out.detector = json_string(value, "detector", where);
  out.evidence = object_at(value, "evidence", where);
  return out;
}

Tested tested_from(const Json& value, const std::string& where) {
  return {candidate_from(json_at(value, "candidate", where), cat(where, ": candidate")),
          json_string(value, "outcome", where), object_at(value, "figures", where)};
}

template <class Record>
Json list_json(const std::vector<Record>& records) {
  Json out = Json::array();
  for (const Record& record : records) out.push_back(record_json(record));
  return out;
}

Verdict verdict_from(const std::string& name, const std::string& where) {
  for (const Verdict verdict : kVerdicts) {
    if (verdict_name(verdict) == name) return verdict;
  }
  fail(ErrorKind::bad_input,
       cat(where, ": key 'verdict' is '", name, "', expected backdoored, none_found, inconclusive or unsupported"));
}

}  // namespace

std::string verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::backdoored: return "backdoored";
    case Verdict::none_found: return "none_found";
    case Verdict::inconclusive: return "inconclusive";
    case Verdict::unsupported: return "unsupported";
  }
  return {};
}

Json to_json(const ScanResult& result) {
  return repaired({{"schema", kScanSchema},
                   {"verdict", verdict_name(result.verdict)},
                   {"score", result.score},
                   {"findings", list_json(result.findings)},
                   {"files", list_json(result.files)},
                   {"file_rules", rules_of(result.files)},
                   {"detectors", list_json(result.detectors)},
                   {"tested", list_json(result.tested)},
                   {"not_looked_at", result.not_looked_at},
                   {"budget", result.budget},
                   {"budget_tokens", result.budget_tokens},
                   {"tokens", result.tokens},
                   {"seed", result.seed},
                   {"with_reference", result.with_reference},
                   {"dictionary", result.dictionary},
                   {"model_hash", result.model_hash},
                   {"certificate", result.certificate}});
}

ScanResult scan_result_from_json(const Json& value, const std::string& where) {
  if (const auto schema = json_integer(value, "schema", where); schema != kScanSchema) {
    fail(ErrorKind::unsupported,
         cat(where, ": key 'schema' is ", schema, ", this program reads scans of schema ", kScanSchema),
         "make the scan again with this version");
  }
  ScanResult out;
  out.verdict = verdict_from(json_string(value, "verdict", where), where);
  out.score = figure(value, "score", where);
  out.findings = list_at(value, "findings", where, finding_from);
  out.files = list_at(value, "files", where, note_from);
  out.detectors = list_at(value, "detectors", where, run_from);
  out.tested = list_at(value, "tested", where, tested_from);
  out.not_looked_at = json_strings(value, "not_looked_at", where);
  out.budget = json_string(value, "budget", where);
  out.budget_tokens = json_integer(value, "budget_tokens", where);
  out.tokens = json_integer(value, "tokens", where);
  out.seed = json_integer(value, "seed", where);
  out.with_reference = json_bool(value, "with_reference", where);
  out.dictionary = json_bool(value, "dictionary", where);
  out.model_hash = json_string(value, "model_hash", where);
  if (value.contains("certificate")) out.certificate = object_at(value, "certificate", where);
  return out;
}

}  // namespace reveille::scan
