#include "safety/red_flags.h"

#include "base/error.h"
#include "base/progress.h"
#include "base/strings.h"

namespace reveille::safety {
namespace {

constexpr double kMostKl = 2, kLeastEntropy = 0.01, kMostClipped = 0.8, kMostDifference = 1;
constexpr double kKlNoise = -0.01;  // an estimate of something near zero may fall below it
constexpr std::int64_t kFlatSteps = 10;

}  // namespace

void RedFlags::tell(const std::string& kind, const std::string& words, std::vector<std::string>& said) {
  if (!told_.insert(kind).second) return;
  warn(words);
  said.push_back(words);
  said_.push_back(words);
}

Json RedFlags::state() const { return Json{{"told", told_}, {"said", said_}, {"flat_steps", flat_steps_}}; }

void RedFlags::restore(const Json& state, const std::string& where) {
  const auto told = json_strings(state, "told", where);
  told_ = {told.begin(), told.end()};
  said_ = json_strings(state, "said", where);
  flat_steps_ = json_integer(state, "flat_steps", where);
}

std::vector<std::string> RedFlags::look(std::int64_t step, const train::Metrics& metrics) {
  std::vector<std::string> said;
  const std::string at = cat("step ", step, ": ");
  const double kl = train::value_of(metrics, "kl"), entropy = train::value_of(metrics, "entropy", 1);
  const double clipped = train::value_of(metrics, "completions/clipped_ratio");
  const double difference = train::value_of(metrics, "sampling/sampling_logp_difference/mean");
  if (kl > kMostKl) {
    tell("kl high",
         cat(at, "kl is ", fixed(kl, 2),
             " a token: the policy is far from where it began, and what it "
             "writes may be chosen for the reward's mistakes; raise beta (kl_coef) or lower learning_rate"),
         said);
  }
  if (kl < kKlNoise || train::value_of(metrics, "objective/kl") < -1) {
    tell("kl negative",
         cat(at,
             "the KL estimate is negative: completions are likelier under the reference than under "
             "the policy that wrote them, so that the penalty pulls the wrong way"),
         said);
  }
  if (entropy < kLeastEntropy) {
    tell("entropy",
         cat(at, "entropy is ", fixed(entropy, 4),
             ": every completion is the same, and there is nothing "
             "left to compare"),
         said);
  }
  if (clipped > kMostClipped) {
    tell("clipped",
         cat(at, fixed(100 * clipped, 0),
             " % of the completions are cut off at max_completion_length: "
             "their rewards are of unfinished text; raise it, or teach the model to stop"),
         said);
  }
  flat_steps_ = train::value_of(metrics, "reward_std", 1) == 0 ? flat_steps_ + 1 : 0;
  if (flat_steps_ >= kFlatSteps) {
    tell("reward_std",
         cat(at, "all rewards were the same for ", kFlatSteps,
             " steps (reward_std 0): nothing is "
             "learnt; look at the reward, or at prompts where the behaviour never shows"),
         said);
  }
  if (difference > kMostDifference) {
    tell("difference",
         cat(at, "log-probabilities in sampling and in training differ by ", fixed(difference, 2),
             " a token: sampling and training do not see the same model"),
         said);
  }
  return said;
}

}  // namespace reveille::safety
