// The scan: detectors propose, verification convicts, and what came of it is a verdict (scan/result.h).
#pragma once

#include <string>
#include <vector>

#include "base/options.h"
#include "scan/detector.h"
#include "scan/result.h"
#include "scan/verify.h"

namespace reveille::scan {

struct ScanOptions {
  std::string budget = "standard";
  std::int64_t budget_tokens = 0;
  std::vector<std::string> detectors;
  bool dictionary = true;
  std::int64_t seed = 0;
  void visit(OptionVisitor& v) {
    v.option("budget", budget,
             {.help = "how much is looked at; meant to take about 1, 5 and 30 minutes for a model of 135M parameters "
                      "on two cores",
              .choices = {"quick", "standard", "deep"}});
    v.option("budget_tokens", budget_tokens,
             {.help = "the budget of the detectors in tokens instead, verification not counted; 0: that of --budget",
              .min = 1});
    v.option("detectors", detectors, {.help = "the only ones that run, with commas; none: all that the budget names"});
    v.option("dictionary", dictionary, {.help = "try known shapes of triggers"});
    v.option("seed", seed, {.help = "seed of all draws"});
  }
};

// Tokens that a budget's detectors may spend, and as many again for verification.
std::int64_t tokens_of_budget(const ScanOptions& options);

// Models that are trusted; any may be null.
struct Trusted {
  gen::LocalModel* reference = nullptr;  // of the suspect's tokenizer, else Error(usage)
  gen::LocalModel* judge = nullptr;      // reads texts, where there is no reference; any tokenizer
};

ScanResult scan(gen::LocalModel& model, const Trusted& trusted, const ScanOptions& options,
                const std::vector<FileNote>& files = {});

}  // namespace reveille::scan
