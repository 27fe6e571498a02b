#include "safety/make_attacker.h"

#include "base/error.h"

namespace reveille::safety {
namespace {

void need(bool given, const AttackOptions& options, const char* setting, const char* hint) {
  if (given) return;
  fail(ErrorKind::usage, cat("attacker=", options.attacker, " needs ", setting), hint);
}

}  // namespace

void check_attacker(const AttackOptions& options) {
  if (options.tokens < 1)
    fail(ErrorKind::usage, cat("attack_tokens=", options.tokens, ": expected at least 1"),
         "only a study has an eval.max_tokens to take in its place");
  const std::string& kind = options.attacker;
  if (kind == "model") need(!options.model.empty(), options, "attacker_model", "name a model: attacker_model=FOLDER");
  if (kind == "program")
    need(!options.command.empty(), options, "attacker_command", "name a program: attacker_command=python3,mine.py");
  if (kind == "url")
    need(!options.url.empty(), options, "attacker_url", "name a server: attacker_url=http://127.0.0.1:8000/v1");
}

std::unique_ptr<Attacker> make_attacker(const AttackOptions& options, std::int64_t seed,
                                        const OpenAttackerModel& open) {
  check_attacker(options);
  if (options.attacker == "mutation") return make_mutation_attacker(options, seed);
  if (options.attacker == "model") return make_model_attacker(options, seed, open(options.model));
  if (options.attacker == "program") return make_program_attacker(options);
  if (options.attacker == "url") return make_url_attacker(options, seed);
  fail(ErrorKind::usage, cat("there is no attacker '", options.attacker, "'"));
}

}  // namespace reveille::safety
