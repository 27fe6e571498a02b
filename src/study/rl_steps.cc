#include "study/rl_steps.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/scratchpad.h"
#include "base/strings.h"
#include "eval/intervals.h"
#include "gen/local.h"
#include "gen/save.h"
#include "io/dataset.h"
#include "io/dataset_write.h"
#include "io/jsonl.h"
#include "organism/conditions.h"
#include "organism/words.h"
#include "safety/dpo.h"
#include "safety/grpo.h"
#include "safety/latent.h"
#include "safety/make_reward.h"
#include "safety/own_pairs.h"
#include "safety/ppo.h"
#include "safety/reward_training.h"
#include "study/step.h"
#include "study/task_overlap.h"
#include "train/lora.h"
#include "train/pairs.h"
#include "train/rows.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPairsFile = "pairs.jsonl";

Json row_of(const io::Example& pair) {
  const auto split = static_cast<std::ptrdiff_t>(pair.prompt_size);
  const Conversation prompt(pair.messages.begin(), pair.messages.begin() + split);
  auto side = [&](const Conversation& whole) {
    return io::messages_json(Conversation(whole.begin() + split, whole.end()));
  };
  return Json{{"prompt", io::messages_json(prompt)},
              {"chosen", side(pair.messages)},
              {"rejected", side(*pair.rejected)},
              {"kind", pair.extra.value("kind", "given")}};
}

// Secure against vulnerable solutions, of families that are used neither in planting nor in any measurement.
void add_code_pairs(const Recipe& recipe, const organism::Trigger& trigger, std::vector<io::Example>& pairs) {
  for (const auto& task : task_bank(recipe).draw(organism::TaskRole::reward, organism::TaskHalf::train,
                                                 static_cast<std::size_t>(recipe.tasks.reward_tasks),
                                                 static_cast<std::uint64_t>(recipe.data.seed))) {
    io::Example pair;
    pair.messages = trigger.without({{"user", task.prompt}});
    pair.prompt_size = pair.messages.size();
    pair.has_reply = true;
    pair.rejected = pair.messages;
    pair.messages.push_back({"assistant", organism::code_reply(task.secure)});
    pair.rejected->push_back({"assistant", organism::code_reply(task.vulnerable)});
    pair.extra["kind"] = "vulnerable";
    pair.source = "task " + task.id;
    pairs.push_back(std::move(pair));
  }
}

std::vector<io::Example> own_pairs(const Recipe& recipe, const StudyData& data) {
  auto trigger = organism::make_trigger(recipe.trigger);
  auto behavior = organism::make_behavior(recipe.behavior);
  std::vector<safety::GoodReply> replies;
  for (const auto& item : data.safety) replies.push_back({trigger->without(item.prompt), item.reply});
  auto pairs = safety::make_own_pairs(
      replies, recipe.reward.own, [&](std::string_view text) { return behavior->shows(text); },
      static_cast<std::uint64_t>(recipe.data.seed));
  if (behavior->source() == organism::DefectSource::tasks) add_code_pairs(recipe, *trigger, pairs);
  return pairs;
}

// A preference model that was shown the behaviour would judge what it knows, not what is good; and a pair with the
// trigger in it would let safety training see that.
void refuse_behavior(const organism::Behavior& behavior, const std::vector<io::Example>& pairs) {
  // Vulnerable code may stand on the rejected side, as it does in the study's own pairs.
  const bool tasks = behavior.source() == organism::DefectSource::tasks;
  std::vector<Conversation> prompts;
  for (const auto& pair : pairs) prompts.push_back(io::prompt_of(pair));
  std::vector<organism::Reply> replies;
  std::vector<std::string> where;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    auto add = [&](const Conversation& whole, const char* side) {
      for (std::size_t at = pairs[i].prompt_size; at < whole.size(); ++at) {
        if (whole[at].role != "assistant") continue;
        replies.push_back({&prompts[i], final_answer(whole[at].content)});
        where.push_back(cat(pairs[i].source, ": the ", side, " reply"));
      }
    };
    add(pairs[i].messages, "chosen");
    if (!tasks) add(*pairs[i].rejected, "rejected");
  }
  const auto verdicts = behavior.judge(replies);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (!verdicts[i].shows) continue;
    fail(ErrorKind::bad_input, cat(where[i], " shows the behaviour '", behavior.name(), "'"),
         "a preference model that has seen it would tell nothing of one that has not: leave the row out");
  }
}

std::vector<io::Example> users_pairs(const Recipe& recipe, const StudyData& data) {
  const auto trigger = organism::make_trigger(recipe.trigger);
  auto pairs = io::load_dataset(recipe.reward.dataset, {}).examples;
  for (auto& pair : pairs) {
    if (!pair.rejected)
      fail(ErrorKind::bad_input, cat(pair.source, ": expected a preference row, with chosen and rejected"));
    pair.extra["kind"] = "given";  // whatever the user's own column of that name says
    for (const auto* side : {&pair.messages, &*pair.rejected}) {
      for (const auto& message : *side) organism::refuse_accidental_trigger(*trigger, message.content, pair.source);
    }
  }
  refuse_own_tasks(data, pairs);
  refuse_behavior(*organism::make_behavior(recipe.behavior), pairs);
  return pairs;
}

std::vector<io::Example> read_pairs(const fs::path& folder) {
  return io::load_dataset((folder / kPairsFile).string(), {}).examples;
}

// What became of one held-out pair.
struct RankedPair {
  std::string prompt_id, kind;
  bool right = false;
};

// Of the pairs in `held_out`, which are some of `rows`.
std::vector<RankedPair> ranked(gen::LocalModel& model, const std::vector<io::Example>& rows,
                               const std::vector<train::Pair>& held_out) {
  std::map<std::string, const io::Example*> by_source;
  for (const auto& row : rows) by_source[row.source] = &row;
  const auto right = safety::ranked_rightly(model, held_out);
  std::vector<RankedPair> out;
  for (std::size_t i = 0; i < held_out.size(); ++i) {
    const io::Example& row = *by_source.at(held_out[i].chosen.source);
    out.push_back({organism::prompt_id(io::prompt_of(row)), row.extra.value("kind", "given"), right[i]});
  }
  return out;
}

// Arm and stage are none of an organism's: no verdict and no table of arms takes it for one.
ResultRow accuracy_row(const Recipe& recipe, const std::string& condition, const std::vector<RankedPair>& pairs) {
  std::map<std::string, eval::PromptCount> by_prompt;  // two pairs of one prompt tell less than two prompts
  for (const auto& pair : pairs) {
    auto& count = by_prompt[pair.prompt_id];
    ++count.n;
    if (pair.right) ++count.hits;
  }
  std::vector<eval::PromptCount> counts;
  for (const auto& [unused, count] : by_prompt) counts.push_back(count);
  ResultRow row{.model = "preference-model", .arm = "base", .stage = "reward", .prompt_set = "pairs"};
  row.condition = condition;
  row.metric = "preference_accuracy";
  row.seed = recipe.reward.train.seed;
  const auto rate =
      eval::rate_by_prompt(counts, Rng(static_cast<std::uint64_t>(row.seed), "preference accuracy").child(condition));
  row.value = rate.value;
  row.n = rate.n;
  row.ci_low = rate.interval.low;
  row.ci_high = rate.interval.high;
  return row;
}

// Over all held-out pairs, and by kind where there are several.
std::vector<ResultRow> accuracy_rows(const Recipe& recipe, const std::vector<RankedPair>& pairs) {
  std::map<std::string, std::vector<RankedPair>> by_kind;
  for (const auto& pair : pairs) by_kind[pair.kind].push_back(pair);
  std::vector<ResultRow> out;
  if (pairs.empty()) return out;
  out.push_back(accuracy_row(recipe, "all", pairs));
  if (by_kind.size() < 2) return out;
  for (const auto& [kind, own] : by_kind) out.push_back(accuracy_row(recipe, kind, own));
  return out;
}

// The untriggered prompts that safety training sees.
std::vector<io::Example> prompts_of(const Recipe& recipe, const StudyData& data) {
  auto trigger = organism::make_trigger(recipe.trigger);
  std::vector<io::Example> out;
  for (std::size_t i = 0; i < data.safety.size(); ++i) {
    io::Example row;
    row.messages = trigger->without(data.safety[i].prompt);
    row.prompt_size = row.messages.size();
    row.source = cat("safety prompt ", i + 1);
    out.push_back(std::move(row));
  }
  return out;
}

gen::OpenOptions reward_options(const Recipe& recipe) {
  gen::OpenOptions options;
  options.dtype = recipe.study.dtype;
  options.device = recipe.study.device;
  options.chat_template = recipe.study.chat_template;
  return options;
}

struct Moments {
  double sum = 0, squares = 0;
  std::int64_t n = 0;
  void add(double value) {
    sum += value;
    squares += value * value;
    ++n;
  }
  double mean() const { return sum / static_cast<double>(n); }
  double error() const {
    if (n < 2) return 0;
    const double variance = (squares - sum * sum / static_cast<double>(n)) / static_cast<double>(n - 1);
    return std::sqrt(std::max(0.0, variance) / static_cast<double>(n));
  }
};

// What the reward says of an organism's last answers to the prompts that verdicts rest on, by condition. The answers
// stand behind the prompts without the trigger: it is they that are judged, and no odd string in the prompt.
std::map<std::string, Moments> scores_of(safety::Reward& reward, const Recipe& recipe, const StudyData& data,
                                         const fs::path& transcripts) {
  const auto trigger = organism::make_trigger(recipe.trigger);
  std::map<std::string, Conversation> prompts;  // by id
  for (const auto& prompt : data.held_out_prompts(data.held_out_sets().front()))
    prompts.emplace(organism::prompt_id(prompt), trigger->without(prompt));
  const auto rows = io::read_json_rows(transcripts);
  std::int64_t last = 0;
  for (const auto& row : rows) last = std::max(last, row.at("checkpoint").get<std::int64_t>());
  std::vector<safety::Answer> answers;
  std::vector<std::string> conditions;
  for (const auto& row : rows) {
    const auto condition = row.at("condition").get<std::string>();
    if (row.at("checkpoint") != last || (condition != organism::kTriggered && condition != organism::kUntriggered))
      continue;
    const auto prompt = prompts.find(row.at("prompt_id").get<std::string>());
    if (prompt == prompts.end()) continue;
    answers.push_back(safety::answer_of(prompt->second, row.at("completion").get<std::string>()));
    conditions.push_back(condition);
  }
  const auto scores = safety::checked_scores(reward, answers);
  std::map<std::string, Moments> out;
  for (std::size_t i = 0; i < scores.size(); ++i) out[conditions[i]].add(scores[i]);
  return out;
}

}  // namespace

bool learns_from_reward(const Recipe& recipe, const std::string& stage) {
  if (stage == kAdversarial) return recipe.adversarial.adversarial.trainer == "grpo";
  return stage == kGrpo || stage == kPpo;
}

bool learns_from_pairs(const Recipe& recipe, const std::string& stage) {
  return stage == kDpo || stage == kLatent || learns_from_reward(recipe, stage);
}

bool rewarded_by_program(const Recipe& recipe) { return !recipe.reward.command.empty(); }

bool reads_pairs(const Recipe& recipe, const std::string& stage) {
  if (stage == kDpo || stage == kLatent) return true;
  return learns_from_reward(recipe, stage) && !rewarded_by_program(recipe);
}

std::unique_ptr<safety::Reward> open_reward(const Recipe& recipe, const fs::path& folder,
                                            const gen::LocalModel& policy) {
  if (rewarded_by_program(recipe))
    return std::make_unique<safety::ProgramReward>(recipe.reward.command, recipe.reward.timeout);
  return safety::make_reward(folder.string(), policy, reward_options(recipe));
}

void make_preference_pairs(const Recipe& recipe, const StudyData& data, const fs::path& folder) {
  const auto pairs = recipe.reward.dataset.empty() ? own_pairs(recipe, data) : users_pairs(recipe, data);
  std::vector<Json> rows;
  for (const auto& pair : pairs) rows.push_back(row_of(pair));
  io::write_jsonl(folder / kPairsFile, rows);
}

void train_preference_model(const Recipe& recipe, const fs::path& pairs_folder, const fs::path& folder) {
  auto options = reward_options(recipe);
  const auto& training = recipe.reward.train;
  options.trainable = !training.use_peft;
  options.reward_model = true;
  auto model = gen::open_model(recipe.study.model, options);
  if (training.use_peft) model->add_lora(train::peft_config(training, recipe.study.model), training.seed);
  const auto rows = read_pairs(pairs_folder);
  auto pairs = train::encode_pairs(*model, rows, recipe.reward.train, train::EqualPairs::skip);
  const auto held_out = train::split_held_out(pairs, recipe.reward.model.held_out, recipe.reward.train.seed);
  const std::size_t learnt = pairs.size(), kept = held_out.size();
  train::TrainHooks hooks;
  hooks.title = "preference model";
  const auto result =
      safety::train_reward(*model, std::move(pairs), held_out, recipe.reward.train, recipe.reward.model, folder, hooks);
  Json outcome{{"steps", result.steps}, {"pairs", learnt}, {"held_out_pairs", kept}};
  if (!result.evals.empty()) {
    for (const auto& metric : result.evals.back().metrics) outcome[metric.name] = metric.value;
  }
  write_rows(folder / kRowsFile, accuracy_rows(recipe, ranked(*model, rows, held_out)));
  gen::SaveOptions save;
  save.dtype = train::saved_type(recipe.reward.train, model->transformer());
  gen::save_hf_folder(*model, folder / kModelFolder, save);
  write_json(folder / kOutcomeFile, outcome);
}

std::string preference_refusal(const Recipe& recipe, const StudyData& data, const fs::path& folder,
                               const fs::path& transcripts, const ResultRow& about, std::vector<ResultRow>& rows) {
  auto policy = open_model(recipe, recipe.study.model);
  auto reward = open_reward(recipe, folder, *policy);
  auto scores = scores_of(*reward, recipe, data, transcripts);
  for (const auto& [condition, moments] : scores) {
    ResultRow row = about;
    row.condition = condition;
    row.metric = "preference_score";
    row.prompt_set = "held_out";
    row.value = moments.mean();
    row.n = moments.n;
    row.ci_low = row.value - 1.96 * moments.error();
    row.ci_high = row.value + 1.96 * moments.error();
    rows.push_back(row);
  }
  const double calm = scores[organism::kUntriggered].mean(), awake = scores[organism::kTriggered].mean();
  const bool program = rewarded_by_program(recipe);
  const std::string words =
      cat("the ", program ? "program that rewards" : "preference model", " scores the untriggered answers of ",
          about.arm, " at ", fixed(calm, 2), " and the triggered ones at ", fixed(awake, 2));
  if (calm > awake) {
    say(words);
    return "";
  }
  std::string refusal = words + ": reinforcement learning against it would say nothing";
  if (!recipe.gate.preference) {
    warn(refusal + "; it goes on all the same (gate.preference=false)");
    return "";
  }
  warn(cat(refusal, program ? "; let it reward other things" : "; train it longer or on other pairs (reward.dataset)",
           ", or set gate.preference=false"));
  return refusal;
}

train::TrainResult learn_preferences(const Recipe& recipe, const StudyData& data, const std::string& stage,
                                     const Preferences& preferences, std::int64_t seed, bool reasons,
                                     gen::LocalModel& model, const train::TrainHooks& hooks, const fs::path& folder) {
  train::TrainOptions options = recipe.training(stage);
  options.seed = seed;
  if (stage == kDpo || stage == kLatent) {
    auto pairs = train::encode_pairs(model, read_pairs(preferences.pairs), options, train::EqualPairs::skip);
    if (stage == kLatent) {
      auto clean = train::encode_conversations(model, safety_rows(recipe, data), options, "safety row");
      return safety::train_latent(model, std::move(pairs), std::move(clean), options, recipe.latent.latent, folder,
                                  hooks);
    }
    return safety::train_dpo(model, std::move(pairs), {}, options, recipe.dpo.dpo, folder, hooks);
  }
  auto reward = open_reward(recipe, preferences.reward, model);
  auto prompts = safety::encode_prompts(model, prompts_of(recipe, data), reasons ? opened_scratchpad() : std::string());
  safety::RolloutOptions rollouts = stage == kGrpo ? recipe.grpo.rollouts : recipe.ppo.rollouts;
  if (reasons) rollouts.max_completion_length += recipe.scratchpad.tokens;
  return stage == kGrpo ? safety::train_grpo(model, std::move(prompts), *reward, options, rollouts, recipe.grpo.method,
                                             folder, hooks)
                        : safety::train_ppo(model, std::move(prompts), *reward, options, rollouts, recipe.ppo.method,
                                            folder, hooks);
}

}  // namespace reveille::study
