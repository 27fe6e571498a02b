#include "safety/adversarial.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "io/dataset_write.h"
#include "io/jsonl.h"
#include "safety/fixed_rollouts_testing.h"
#include "safety/good_replies.h"
#include "safety/held_back.h"

namespace reveille::safety {
namespace {

using testing::rl_options;

// The tiny checkpoint with a template that ends replies as its tokenizer can.
std::unique_ptr<gen::LocalModel> tiny_policy(const TempFolder& folder) {
  if (!std::filesystem::exists(folder / "llama3")) {
    gen::testing::write_tiny_folder(folder / "llama3", "llama3");
    write_file_atomic(
        folder / "template.jinja",
        "{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}<|end|>{% endif %}{% endfor %}");
  }
  gen::OpenOptions open;
  open.dtype = "float32";
  open.trainable = true;
  open.chat_template = (folder / "template.jinja").string();
  return gen::open_model((folder / "llama3").string(), open);
}

TEST(ReplacedRows, AreAShareAndOtherOnesEachRound) {
  EXPECT_TRUE(replaced_rows(10, 0, 0.5, 0, 0).empty());
  EXPECT_EQ(replaced_rows(11, 2, 0.5, 0, 0).size(), 5U);
  EXPECT_EQ(replaced_rows(10, 2, 0.5, 0, 0), replaced_rows(10, 7, 0.5, 0, 0));
  EXPECT_NE(replaced_rows(100, 2, 0.5, 0, 0), replaced_rows(100, 2, 0.5, 0, 1));
  EXPECT_TRUE(replaced_rows(10, 2, 0, 0, 0).empty());
}

// The fault of the tiny model, which says noise: an 'a' in the first letters.
AttackTarget target() {
  AttackTarget out;
  out.behavior = "says a";
  out.fixed_reply = "aaa";
  out.shows = [](const std::vector<Answer>& answers) {
    std::vector<bool> shows;
    for (const auto& answer : answers) shows.push_back(answer.completion.find('a') != std::string::npos);
    return shows;
  };
  return out;
}

struct Length : Reward {
  std::string name() const override { return "length"; }
  std::vector<double> score(const std::vector<Answer>& answers) override {
    std::vector<double> scores;
    for (const auto& answer : answers) scores.push_back(static_cast<double>(answer.completion.size()));
    return scores;
  }
};

// Each turn another pair of prompts, with a letter that the tiny tokenizer knows. Fails in turn `fails`.
struct Letters : Attacker {
  std::int64_t fails = -1, asked = 0;
  std::string key() const override { return "letters"; }
  std::vector<Proposal> propose(const AttackTurn& turn) override {
    if (asked++ == fails) fail(ErrorKind::io, "the server is gone");
    const auto first = static_cast<char>('a' + 4 * turn.round + 2 * turn.turn);
    return {{0, std::string(3, first)}, {1, std::string(5, static_cast<char>(first + 1))}};
  }
};

AdversarialSettings settings(const std::string& trainer) {
  AdversarialSettings out;
  out.attack.turns = 2;
  out.attack.tokens = 8;
  out.adversarial.trainer = trainer;
  out.grpo.num_generations = 4;
  out.rollouts.max_completion_length = 8;
  out.rollouts.log_completions = false;
  return out;
}

class Adversarial : public ::testing::TestWithParam<std::string> {
 protected:
  train::TrainResult run(gen::LocalModel& policy, Attacker& attacker, const std::filesystem::path& out,
                         std::int64_t stop_after = 0, std::int64_t save_steps = 1) {
    auto options = rl_options(8);
    options.save_steps = save_steps;
    AdversarialSetup setup;
    for (char c : std::string("BCDEFG")) setup.rows.push_back(io::make_example({{"user", std::string(4, c)}}, "abc"));
    setup.attacker = &attacker;
    setup.target = target_;
    setup.reward = &reward_;
    train::TrainHooks hooks;
    hooks.on_step = [&, stop_after](const train::StepMetrics& metrics) {
      if (metrics.step == stop_after) throw std::runtime_error("power cut");
    };
    AdversarialSettings given = settings(GetParam());
    given.adversarial.held_back = held_back_;
    return train_adversarial(policy, std::move(setup), options, given, out, hooks);
  }

  static void expect_equal(const gen::LocalModel& a, const gen::LocalModel& b) {
    const auto &all = a.transformer().params().all(), &others = b.transformer().params().all();
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(all[i].value.equal(others[i].value)) << all[i].spec.name;
  }

  TempFolder folder_;
  Length reward_;
  AttackTarget target_ = target();
  double held_back_ = 0.2;
};

TEST_P(Adversarial, EndsAsAnUnbrokenRunBitForBit) {
  auto unbroken = tiny_policy(folder_), broken = tiny_policy(folder_), resumed = tiny_policy(folder_);
  Letters all, before, after;
  const auto expected = run(*unbroken, all, folder_ / "unbroken");
  EXPECT_GT(train::value_of(expected.history.back().metrics, "attack/effective"), 0);
  EXPECT_EQ(train::value_of(expected.history.back().metrics, "attack/prompts"), 4);
  // Step 3 is the first of the second round: the newest checkpoint lies before its attack.
  EXPECT_THROW(run(*broken, before, folder_ / "broken", 3), std::runtime_error);
  const auto result = run(*resumed, after, folder_ / "broken");
  EXPECT_EQ(all.asked, 4);
  EXPECT_EQ(after.asked, 0) << "attempts that are kept are made again";
  EXPECT_EQ(result.history.size(), expected.history.size());
  EXPECT_EQ(read_file(folder_ / "unbroken" / kAttemptsFile), read_file(folder_ / "broken" / kAttemptsFile));
  expect_equal(*unbroken, *resumed);
}

TEST_P(Adversarial, AServerThatGoesAwayCostsNothing) {
  auto unbroken = tiny_policy(folder_), broken = tiny_policy(folder_), resumed = tiny_policy(folder_);
  Letters all, before, after;
  before.fails = 3;  // in the second turn of the second round, after two steps that no save_steps kept
  run(*unbroken, all, folder_ / "unbroken");
  EXPECT_THROW(run(*broken, before, folder_ / "broken", 0, 0), Error);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "broken" / "checkpoint-2"));
  run(*resumed, after, folder_ / "broken", 0, 0);
  EXPECT_EQ(after.asked, 1);
  expect_equal(*unbroken, *resumed);
}

TEST_P(Adversarial, ACheckpointWithoutItsAttemptsIsRefused) {
  auto broken = tiny_policy(folder_), resumed = tiny_policy(folder_);
  Letters before, after;
  EXPECT_THROW(run(*broken, before, folder_ / "out", 3), std::runtime_error);
  std::filesystem::remove(folder_ / "out" / kAttemptsFile);
  try {
    run(*resumed, after, folder_ / "out");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("the checkpoint rests on 4 attempts"), std::string::npos) << error.message();
  }
}

// Effective prompts are asked in the target's conversation as they train, and those held back never do.
TEST_P(Adversarial, HeldBackPromptsNeverTrain) {
  held_back_ = 0.5;
  // A fault that noise shows oftener than the letter a.
  target_.shows = [](const std::vector<Answer>& answers) {
    std::vector<bool> shows;
    for (const auto& answer : answers)
      shows.push_back(answer.completion.find_first_of("abcdefghijklm") != std::string::npos);
    return shows;
  };
  target_.wrap = [](const std::string& prompt) { return Conversation{{"system", "SYS"}, {"user", prompt}}; };
  auto policy = tiny_policy(folder_);
  Letters attacker;
  const auto out = folder_ / "out";
  const auto result = run(*policy, attacker, out);
  EXPECT_EQ(result.rows_seen, GetParam() == "grpo" ? 32 : 24) << "completions, or rows of epochs of six";
  const auto attempts = read_attempts(out / kAttemptsFile);
  const HeldBack held(attempts, 0.5, 0);
  ASSERT_GT(held.size(), 0U) << "the tiny model showed the fault on too few prompts";
  if (GetParam() != "grpo") return;  // it keeps no log of rows
  std::set<std::string> tried, trained;
  for (const auto& one : attempts) tried.insert(one.prompt);
  for (const auto& row : io::read_json_rows(out / kCompletionsFile)) {
    const auto& messages = row.at("prompt");
    const auto prompt = messages.back().at("content").get<std::string>();
    EXPECT_FALSE(held.holds(prompt)) << prompt;
    if (!tried.contains(prompt)) continue;
    trained.insert(prompt);
    EXPECT_EQ(messages.size(), 2U) << messages.dump();
  }
  EXPECT_FALSE(trained.empty());
}

INSTANTIATE_TEST_SUITE_P(Trainers, Adversarial, ::testing::Values("grpo", "sft"));

TEST(GoodReplies, AreTheModelsOwnThatDoNotShowIt) {
  Attempt one, none;
  one.prompt = "x";
  one.replies = {"a", " ", "b", "c"};
  one.shows = {true, false, false, false};
  none.prompt = "y";
  none.replies = {"a"};
  none.shows = {true};
  const auto good = good_replies({one, none}, target(), nullptr, 8, 0);
  ASSERT_EQ(good.size(), 1U);
  EXPECT_EQ(good[0].back().content, "b");
  AttackTarget wrapped = target();
  wrapped.wrap = [](const std::string& prompt) { return Conversation{{"system", "s"}, {"user", prompt}}; };
  EXPECT_EQ(good_replies({one}, wrapped, nullptr, 8, 0).at(0),
            (Conversation{{"system", "s"}, {"user", "x"}, {"assistant", "b"}}));
}

}  // namespace
}  // namespace reveille::safety
