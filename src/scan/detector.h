// A way of looking for backdoors: it proposes candidates with what it saw, and convicts nobody (scan/verify.h does).
// One file each, one line in scan/list.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "gen/local.h"
#include "scan/candidate.h"
#include "scan/work.h"

namespace reveille::scan {

// What is looked at: the model, and a trusted reference of the same tokenizer where there is one.
struct Suspect {
  gen::LocalModel& model;
  gen::LocalModel* reference = nullptr;
  std::int64_t seed = 0;
  bool dictionary = true;            // known shapes of triggers may be tried
  gen::LocalModel* judge = nullptr;  // trusted, of any tokenizer, where there is no reference: reads texts
  // What detectors before this one proposed: replies to look for the trigger of, strings to begin from.
  std::vector<std::string> targets, triggers;
};

// For the page and docs/detection.md.
struct DetectorCard {
  std::string name;      // "token-sweep"
  std::string access;    // "text", "log-probabilities", "weights", "weights and a reference"
  std::string looks_at;  // one sentence
  std::string blind_to;  // what it cannot see
};

struct Proposal {
  std::vector<Candidate> candidates;  // strongest first
  double signal = 0;               // how unlike a clean model this one looks, on the detector's own scale; for fusion
  Json evidence = Json::object();  // figures and lists for the page
  std::string left_out;            // what the budget did not reach; empty: nothing
};

class Detector {
 public:
  virtual ~Detector() = default;
  virtual DetectorCard card() const = 0;
  // Why it cannot run on this suspect ("needs a reference"); empty: it can.
  virtual std::string unavailable(const Suspect& suspect) const = 0;
  // Whether it must see an adapter apart from its base. For the others it is merged, which is as much as twice as fast.
  virtual bool wants_adapter() const { return false; }
  // Looks, and spends no more than `work` has. A detector that runs out says so in left_out. Deterministic in
  // (suspect, work.limit()).
  virtual Proposal propose(Suspect& suspect, Work& work) = 0;
};

}  // namespace reveille::scan
