// Completions that a policy writes for itself, with all that reinforcement learning wants to know of them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "gen/decode.h"
#include "gen/local.h"
#include "io/dataset.h"
#include "safety/options.h"
#include "safety/reward.h"
#include "train/example.h"

namespace reveille::safety {

// What stages write beside their log: every completion, its prompt and its reward.
inline constexpr const char* kCompletionsFile = "completions.jsonl";

// A prompt as it is asked: ids up to where the reply begins.
struct RlPrompt {
  Conversation messages;
  std::vector<std::int32_t> ids;
  std::string opened = {};  // what the reply is made to begin with, part of `ids` and of every completion
};
// Error(usage) where a prompt leaves no room for a reply, Error(bad_input) where there is none at all.
// `opened`: what every reply begins with, such as an opened scratchpad.
std::vector<RlPrompt> encode_prompts(const gen::LocalModel& model, const std::vector<io::Example>& rows,
                                     const std::string& opened = {});

// One completion. Vectors with one entry a token count the completion's tokens, its stop token included.
struct Rollout {
  train::Example example;        // prompt and completion; the completion is supervised
  std::string completion;        // as written, scratchpad and all
  bool stopped = false;          // by a stop token, not by the limit
  double score = 0;              // the reward
  std::vector<float> old;        // log-probabilities as it was sampled, nats
  std::vector<float> reference;  // under the reference model; empty without one
  std::vector<float> values;     // PPO: the value head's, before any update of the round
  std::vector<float> advantages, returns;
  std::int64_t tokens() const { return static_cast<std::int64_t>(old.size()); }
};
Json to_json(const std::vector<Rollout>& rollouts);
// Error(bad_input) that names `where` and the key.
std::vector<Rollout> rollouts_from_json(const Json& value, const std::string& where);

// A copy of the model as it is, which no training changes: the reference of the KL penalty. Of a model with an
// adapter only the adapter is copied.
std::unique_ptr<nn::Transformer> frozen_copy(const nn::Transformer& model);

class RolloutMaker {
 public:
  using Decode =
      std::function<std::vector<gen::DecodeResult>(const std::vector<gen::Request>&, const gen::SampleOptions&)>;

  // With `reference`, completions are scored under the policy as it is now. Policy and reward outlive the object.
  RolloutMaker(gen::LocalModel& policy, std::vector<RlPrompt> prompts, Reward& reward, const RolloutOptions& options,
               std::int64_t seed, bool reference);
  RolloutMaker(const RolloutMaker&) = delete;
  RolloutMaker& operator=(const RolloutMaker&) = delete;
  // For tests: completions from elsewhere.
  void decode_by(Decode decode) { decode_ = std::move(decode); }
  // Appends every completion to this JSON Lines file from now on: {"round", "prompt", "completion", "reward"}. Rows of
  // a round that is made again, and of later ones, are taken out first.
  void log_to(std::filesystem::path file) { log_ = std::move(file); }
  // `each` completions of each of these prompts, one prompt after the other. The draws are a function of (seed,
  // round, prompt, sample).
  std::vector<Rollout> make(const std::vector<std::size_t>& prompts, std::int64_t each, std::int64_t round);
  const std::vector<RlPrompt>& prompts() const { return prompts_; }
  // As many others in their place, for the rounds that come. key() is of the first ones.
  void replace_prompts(std::vector<RlPrompt> prompts);
  const RolloutOptions& options() const { return options_; }
  Reward& reward() { return reward_; }
  gen::LocalModel& policy() { return policy_; }
  // A hash of prompts, settings and reward.
  std::string key() const;

 private:
  Rollout rollout(const RlPrompt& prompt, gen::DecodeResult result) const;
  void score(const std::vector<std::size_t>& of_prompt, std::vector<Rollout>& rollouts);
  void show(const RlPrompt& prompt, const Rollout& rollout) const;
  void log(std::int64_t round, const std::vector<std::size_t>& of_prompt, const std::vector<Rollout>& rollouts);
  gen::LocalModel& policy_;
  std::vector<RlPrompt> prompts_;
  std::string prompts_key_;
  Reward& reward_;
  RolloutOptions options_;
  std::int64_t seed_;
  std::unique_ptr<nn::Transformer> reference_;
  Decode decode_;
  std::filesystem::path log_;  // empty: none
  bool log_cut_ = false;       // of what an earlier start of this run left behind the round it goes on with
};

}  // namespace reveille::safety
