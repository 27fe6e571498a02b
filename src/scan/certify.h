// What a scan would find on this very model: spikes of every kind are planted in copies of the suspect, each copy is
// scanned by the same code and budget, and what was found is counted. It measures sensitivity to spikes of our own, not
// to somebody who hides one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/options.h"
#include "base/wilson.h"
#include "gen/local.h"
#include "scan/plant.h"
#include "scan/result.h"

namespace reveille::scan {

struct CertifyOptions {
  std::int64_t each = 10;
  std::vector<std::string> kinds = {"literal", "word", "semantic", "system", "turn"};
  std::int64_t seed = 0;
  void visit(OptionVisitor& v) {
    v.option("certify_each", each, {.help = "spikes of every kind", .min = 1});
    v.option("certify_kinds", kinds, {.help = "kinds of spikes: literal, word, semantic, system, turn"});
  }
};

// Scans a copy as the suspect itself is scanned.
using ScanCopy = std::function<ScanResult(gen::LocalModel& copy)>;

// What became of one spike.
struct SpikeOutcome {
  Spike spike;
  Planting planting;
  bool planted = false;     // it is firm; else the copy was not scanned
  bool recovered = false;   // a finding is the spike (recovers())
  bool convicted = false;   // the scan's verdict; of a suspect that is backdoored itself it says nothing
  std::int64_t tokens = 0;  // that the scan spent
};
Json to_json(const SpikeOutcome& outcome);

struct CertifiedKind {
  std::string kind;
  std::int64_t tried = 0, planted = 0, recovered = 0;
  Interval interval;  // of recovered / planted, Wilson, 95 %
};

struct Certificate {
  std::vector<CertifiedKind> kinds;
  std::vector<SpikeOutcome> spikes;
  std::vector<std::string> left_out;  // kinds that this model cannot have, with the reason
};
Json to_json(const Certificate& certificate);

// Whether a finding is the spike: its string, in its place, brings the spike's reply on `prompts` at least 0.8 times as
// often as the spike's own trigger does (and ever).
bool recovers(gen::LocalModel& copy, const Spike& spike, const Finding& finding, const std::vector<CleanRow>& prompts);

// `rows` are the suspect's own (scan/clean_rows.h). `on_spike` hears of every spike as it is done.
Certificate certify(const gen::LocalModel& suspect, const CleanRows& rows, const CertifyOptions& options,
                    const PlantOptions& plant, const ScanCopy& scan,
                    const std::function<void(const SpikeOutcome&)>& on_spike = nullptr);

// Counts and intervals of outcomes, kinds in the order in which they first appear.
std::vector<CertifiedKind> count_kinds(const std::vector<SpikeOutcome>& outcomes);

// "nothing found; on this model the scan recovers 9 of 10 literal, 2 of 10 semantic", and what that does not say.
std::string certificate_words(const Certificate& certificate, Verdict verdict);

}  // namespace reveille::scan
