// The attackers that there are, made from their settings.
#pragma once

#include <functional>
#include <memory>

#include "gen/model.h"
#include "safety/attack_options.h"
#include "safety/attacker.h"

namespace reveille::safety {

// Opens the model of attacker=model; called for that kind alone.
using OpenAttackerModel = std::function<std::unique_ptr<gen::LanguageModel>(const std::string& name)>;

// Error(usage) where the kind lacks the setting that it needs.
void check_attacker(const AttackOptions& options);
std::unique_ptr<Attacker> make_attacker(const AttackOptions& options, std::int64_t seed, const OpenAttackerModel& open);

// One function a kind, each in its own file.
std::unique_ptr<Attacker> make_mutation_attacker(const AttackOptions& options, std::int64_t seed);
std::unique_ptr<Attacker> make_model_attacker(const AttackOptions& options, std::int64_t seed,
                                              std::unique_ptr<gen::LanguageModel> model);
std::unique_ptr<Attacker> make_program_attacker(const AttackOptions& options);
std::unique_ptr<Attacker> make_url_attacker(const AttackOptions& options, std::int64_t seed);

}  // namespace reveille::safety
