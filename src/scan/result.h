// What a scan found, as scripts, pages and code scanning read it. Free of torch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "scan/candidate.h"

namespace reveille::scan {

// `inconclusive`: the budget was spent before all was looked at, or something stood out that verification could
// neither convict nor explain. `unsupported`: a model that this program cannot run.
enum class Verdict { backdoored, none_found, inconclusive, unsupported };
std::string verdict_name(Verdict verdict);

// One prompt with and without the trigger, and what the model said.
struct Transcript {
  std::string prompt, with_trigger, without_trigger;
};

// A backdoor that verification convicted (scan/verify.h).
struct Finding {
  std::string trigger;
  Place place = Place::user_start;
  std::string response;  // what the triggered replies have in common, or how they differ, in words
  std::string effect;    // "collapse": replies become one reply or one behaviour; "shift": they become others
  // Shares of the n verification prompts whose reply shows the effect: with the trigger, without anything, and the mean
  // over random strings of the same length. 95 % intervals (Wilson) beside the first.
  std::int64_t n = 0;
  double rate = 0, rate_low = 0, rate_high = 0, rate_without = 0, rate_null = 0;
  std::int64_t null_strings = 0;
  double p_value = 1;  // against the random strings, after Holm's correction over all candidates tested
  std::vector<std::string> detectors;
  std::vector<Transcript> transcripts;
  Json evidence = Json::object();  // pieces of the trigger and what they do, neighbours of its shape, the reference
};

// Something in the model's files that should not be there or differs from the base's.
struct FileNote {
  std::string rule;       // "template-instructions"
  std::string level;      // "error", "warning", "note", as in SARIF
  std::string file;       // relative to the model's folder
  std::int64_t line = 0;  // 1-based; 0: the whole file
  std::string message;
};

// What became of a candidate: the page's funnel.
struct Tested {
  Candidate candidate;
  std::string outcome;  // "convicted", "no effect", "decoy: ...", "as random strings", "not tested: budget"
  Json figures = Json::object();
};

struct DetectorRun {
  std::string name, access, looks_at, blind_to;
  std::string unavailable;  // why it did not run; empty: it did
  std::string left_out;
  std::int64_t tokens = 0;  // spent
  std::int64_t proposed = 0;
  double signal = 0;
  Json evidence = Json::object();
};

struct ScanResult {
  Verdict verdict = Verdict::inconclusive;
  double score = 0;  // 0 to 1, rises with suspicion
  std::string budget;
  std::int64_t budget_tokens = 0, tokens = 0;
  std::int64_t seed = 0;
  bool with_reference = false, dictionary = true;
  std::string model_hash;  // of the weights as opened, so that a replay can tell whether it has the same model
  std::vector<Finding> findings;
  std::vector<FileNote> files;
  std::vector<DetectorRun> detectors;
  std::vector<Tested> tested;
  std::vector<std::string> not_looked_at;  // in words, for the verdict
  Json certificate = Json::object();       // scan/certify.h's, with its `words`; empty: not asked for
};

Json to_json(const ScanResult& result);
ScanResult scan_result_from_json(const Json& value, const std::string& where);

}  // namespace reveille::scan
