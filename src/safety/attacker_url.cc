// An attacker behind an OpenAI-compatible address, asked as a local model is. The requests are made by
// python/reveille_attacker, one program that is kept running.
#include "base/error.h"
#include "base/program.h"
#include "base/python_module.h"
#include "io/dataset_write.h"
#include "safety/attack_words.h"
#include "safety/make_attacker.h"

namespace reveille::safety {
namespace {

constexpr int kTries = 3;  // that python/reveille_attacker makes

std::vector<std::string> command(const AttackOptions& options) {
  auto out = python_module("reveille_attacker");
  out.insert(out.end(), {"--url", options.url, "--timeout", cat(options.timeout), "--tries", cat(kTries)});
  if (!options.url_model.empty()) out.insert(out.end(), {"--model", options.url_model});
  if (!options.key_variable.empty()) out.insert(out.end(), {"--key-variable", options.key_variable});
  return out;
}

class UrlAttacker : public Attacker {
 public:
  UrlAttacker(const AttackOptions& options, std::int64_t seed)
      : options_(options),
        seed_(seed),
        // It gives up by itself, with a better word than ours.
        program_({command(options), kTries * (options.timeout + 10) + 30, "attacker"}) {}

  std::string key() const override {
    return cat("url ", options_.url, " ", options_.url_model, " ", options_.max_tokens, " ", options_.hint, " ", seed_);
  }

  std::vector<Proposal> propose(const AttackTurn& turn) override {
    std::vector<Json> rows;
    for (std::size_t slot = 0; slot < turn.count; ++slot) {
      const auto number = static_cast<std::int64_t>(slot);
      rows.push_back(Json{{"messages", io::messages_json(attack_words(turn, number, options_.hint))},
                          {"temperature", 1.0},
                          {"max_tokens", options_.max_tokens},
                          {"seed", seed_ + (turn.round * 1000 + turn.turn) * 100000 + number}});
    }
    std::vector<Proposal> out;
    for (const auto& answer : program_.ask(std::move(rows))) {
      if (answer.contains("error")) refuse(answer);
      out.push_back(proposal_from(static_cast<std::int64_t>(out.size()),
                                  json_string(answer, "text", "an answer of " + options_.url)));
    }
    return out;
  }

 private:
  [[noreturn]] void refuse(const Json& answer) const {
    fail(ErrorKind::io,
         cat("attacker_url=", options_.url, ": ", json_string(answer, "error", "an answer of " + options_.url)),
         "see that a server answers there; what was done so far is kept, and the same command goes on from it");
  }

  AttackOptions options_;
  std::int64_t seed_;
  Program program_;
};

}  // namespace

std::unique_ptr<Attacker> make_url_attacker(const AttackOptions& options, std::int64_t seed) {
  return std::make_unique<UrlAttacker>(options, seed);
}

}  // namespace reveille::safety
