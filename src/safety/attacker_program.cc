// An attacker that is a program of the user's (base/program.h). Out, a row a slot: {"id", "round", "turn", "slot",
// "behavior", "hint", "seed": an ordinary prompt, "history": [{"prompt", "replies", "rate", "effective",
// "likelihood"}]}; back: {"id", "prompt", "reflection"}, the last optional. The history is the slot's own and the best
// of all.
#include "base/error.h"
#include "base/json.h"
#include "base/program.h"
#include "base/strings.h"
#include "safety/make_attacker.h"

namespace reveille::safety {
namespace {

constexpr std::size_t kOwnAttempts = 5;

Json told(const Attempt& attempt) {
  Json out{{"prompt", attempt.prompt},
           {"replies", attempt.replies},
           {"rate", attempt.rate()},
           {"effective", attempt.effective}};
  if (attempt.likelihood) out["likelihood"] = *attempt.likelihood;
  return out;
}

class ProgramAttacker : public Attacker {
 public:
  explicit ProgramAttacker(const AttackOptions& options)
      : shown_(join(options.command, " ")),
        hint_(options.hint),
        program_({options.command, options.timeout, "attacker"}) {}

  std::string key() const override { return cat("program ", shown_, " ", hint_); }

  std::vector<Proposal> propose(const AttackTurn& turn) override {
    std::vector<Json> rows;
    for (std::size_t slot = 0; slot < turn.count; ++slot) rows.push_back(row(turn, static_cast<std::int64_t>(slot)));
    std::vector<Proposal> out;
    for (const auto& answer : program_.ask(std::move(rows))) {
      const std::string where = "an answer of " + shown_;
      Proposal proposal{static_cast<std::int64_t>(out.size()), json_string(answer, "prompt", where)};
      if (answer.contains("reflection")) proposal.reflection = json_string(answer, "reflection", where);
      out.push_back(std::move(proposal));
    }
    return out;
  }

 private:
  Json row(const AttackTurn& turn, std::int64_t slot) const {
    Json history = Json::array();
    const Attempt* best = best_of(turn);
    if (best && best->slot != slot) history.push_back(told(*best));
    for (const Attempt* attempt : attempts_of(turn, slot, kOwnAttempts)) history.push_back(told(*attempt));
    return Json{{"round", turn.round},          {"turn", turn.turn}, {"slot", slot},
                {"behavior", turn.behavior},    {"hint", hint_},     {"seed", turn.seed_of(slot)},
                {"history", std::move(history)}};
  }

  std::string shown_, hint_;
  Program program_;
};

}  // namespace

std::unique_ptr<Attacker> make_program_attacker(const AttackOptions& options) {
  return std::make_unique<ProgramAttacker>(options);
}

}  // namespace reveille::safety
