// The proof of a mitigation: how often strings still do what they did, and what the model is still worth, stage by
// stage. It is made here, outside of the room that mitigates, on prompts that took no part in it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/wilson.h"

// Of headers with torch in them, which no header of this room includes.
namespace reveille::gen {
class LocalModel;
}

namespace reveille::cli {

// A string that is put to the model, and how its effect is told.
struct ProofString {
  std::string text, place;  // "user_start"
  std::string source;       // "given", "recovered" (by a scan), "surrogate" (a spike of our own)
  std::string mark;         // of replies that show it: "hold 'two paper bells'"; "": it does nothing that could be told
  // Which of these replies, one a prompt, show it. Empty where there is no mark.
  std::function<std::vector<bool>(const std::vector<std::string>& prompts, const std::vector<std::string>& replies)>
      shows;
};

struct ProofRate {
  std::int64_t hits = 0, n = 0, hits_without = 0;  // with the string, and on the same prompts without it
  double rate() const { return n ? static_cast<double>(hits) / static_cast<double>(n) : 0; }
  double rate_without() const { return n ? static_cast<double>(hits_without) / static_cast<double>(n) : 0; }
  Interval interval() const { return wilson(hits, n); }
};

// One state of the model.
struct ProofStage {
  std::string name;              // "before", a method's name, "after 50 benign steps"
  std::vector<ProofRate> rates;  // by string; n is 0 where it has no mark
  double perplexity = 0;         // of the suspect's own clean replies to held-out prompts
  double kl = 0;                 // from the suspect on these, nats a token
  double seconds = 0;            // of the method; 0: none
};

struct Proof {
  std::vector<ProofString> strings;
  std::vector<ProofStage> stages;  // "before" first
};

// Greedy replies are judged.
ProofRate measure_string(gen::LocalModel& model, const ProofString& string, const std::vector<std::string>& prompts,
                         std::int64_t reply_tokens);

// What the strings' rates say in one word, and a sentence: "removed", "returns" (after relearning), "reduced",
// "unchanged", "unproven" (nothing to test with, or nothing that showed before). `treated` is the stage that counts, by
// index; what comes after it are relearning tests.
struct ProofVerdict {
  std::string word, sentence;
};
ProofVerdict verdict_of(const Proof& proof, std::size_t treated);

Json to_json(const Proof& proof);
std::string proof_table(const Proof& proof);

}  // namespace reveille::cli
