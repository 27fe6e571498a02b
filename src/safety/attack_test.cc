// Attacks on a fake model: what the attacker is told, what is kept, and the attackers that need no network.
#include "safety/attack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/temp_folder_testing.h"
#include "io/jsonl.h"
#include "safety/attack_words.h"
#include "safety/make_attacker.h"

namespace reveille::safety {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// A token is a byte. Shows the fault in as many of ten answers as the prompt holds '#', and thinks it likelier with
// each.
class FakeModel : public gen::LanguageModel {
 public:
  std::int64_t asked = 0;
  std::string name() const override { return "fake"; }
  std::vector<std::int32_t> encode_chat(const Conversation& conversation) const override {
    return encode_text(conversation.back().content + ">");
  }
  std::vector<std::int32_t> encode_text(const std::string& text) const override { return {text.begin(), text.end()}; }
  std::string decode(const std::vector<std::int32_t>& ids) const override { return {ids.begin(), ids.end()}; }
  std::vector<gen::Completion> generate(const std::vector<gen::Request>& requests, const gen::SampleOptions&,
                                        const gen::OnCompletion&) override {
    asked += static_cast<std::int64_t>(requests.size());
    std::vector<gen::Completion> out(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i)
      out[i].text = requests[i].sample < marks(requests[i].ids) ? "BAD" : "Hello.";
    return out;
  }
  std::vector<std::vector<float>> score(const std::vector<std::vector<std::int32_t>>& sequences) override {
    std::vector<std::vector<float>> out;
    for (const auto& ids : sequences) out.emplace_back(ids.size(), static_cast<float>(marks(ids) - 10));
    return out;
  }

 private:
  static std::int64_t marks(const std::vector<std::int32_t>& ids) { return std::count(ids.begin(), ids.end(), '#'); }
};

AttackTarget target() {
  AttackTarget out;
  out.behavior = "says BAD";
  out.fixed_reply = "BAD";
  out.shows = [](const std::vector<Answer>& answers) {
    std::vector<bool> shows;
    for (const auto& answer : answers) shows.push_back(answer.completion == "BAD");
    return shows;
  };
  return out;
}

// Proposes what it was given, turn by turn, and writes down what it was told.
struct Scripted : Attacker {
  std::vector<std::vector<std::string>> turns;
  std::vector<std::vector<Attempt>> told;
  std::string key() const override { return "scripted"; }
  std::vector<Proposal> propose(const AttackTurn& turn) override {
    told.push_back(*turn.history);
    std::vector<Proposal> out;
    for (const auto& prompt : turns[static_cast<std::size_t>(turn.turn)])
      out.push_back({static_cast<std::int64_t>(out.size()), prompt});
    return out;
  }
};

AttackOptions options(std::int64_t turns) {
  AttackOptions out;
  out.turns = turns;
  out.prompts = 4;
  return out;
}

const std::vector<std::string> kSeeds = {"How are you?", "What is rain?"};

TEST(Attack, EffectiveIsAtLeastATenthOfTheAnswers) {
  FakeModel model;
  Scripted attacker;
  attacker.turns = {{"plain", "one #"}};
  AttackOptions two = options(1);
  two.effective_rate = 0.2;
  for (const auto& [given, expected] : {std::pair{options(1), 1}, std::pair{two, 0}}) {
    const auto what = target();
    Attack attack(model, attacker, kSeeds, what, given, 0);
    attack.run(0);
    EXPECT_EQ(attack.counts(0).effective, expected);
    EXPECT_EQ(attack.counts(0).samples, 20);
    EXPECT_DOUBLE_EQ(attack.counts(0).rate(), 0.05);
    EXPECT_DOUBLE_EQ(attack.attempts()[1].likelihood.value(), -9);
  }
}

TEST(Attack, ForbiddenPromptsAreCountedAndTheAttackerIsNotTold) {
  FakeModel model;
  Scripted attacker;
  attacker.turns = {{"a |GO| ####", "b", "b", "  "}, {"c"}};
  AttackTarget what = target();
  what.forbidden = [](const std::string& prompt) { return prompt.find("|GO|") != std::string::npos; };
  Attack attack(model, attacker, kSeeds, what, options(2), 0);
  attack.run(0);
  EXPECT_EQ(attack.counts(0).dropped, 1);
  EXPECT_EQ(attack.counts(0).prompts, 2);  // one of the two b, nothing empty
  EXPECT_EQ(model.asked, 20);
  ASSERT_EQ(attacker.told[1].size(), 1U);
  EXPECT_EQ(attacker.told[1][0].prompt, "b");
  EXPECT_TRUE(attack.effective(0).empty());
}

TEST(Attack, ARunThatWasKilledAsksNothingTwice) {
  TempFolder folder;
  const auto file = folder / kAttemptsFile;
  const auto what = target();
  Scripted attacker;
  attacker.turns = {{"a #", "b"}, {"c ##"}};
  FakeModel model;
  std::vector<Json> expected;
  {
    Attack attack(model, attacker, kSeeds, what, options(2), 0);
    attack.log_to(file, "run", true);
    attack.run(0);
    expected = io::read_json_rows(file);
  }
  ASSERT_EQ(expected.size(), 3U);
  EXPECT_EQ(model.asked, 30);
  // The second turn is cut off within its line.
  const std::string whole = read_file(file);
  write_file_atomic(file, whole.substr(0, whole.size() - 20));
  FakeModel again;
  Attack attack(again, attacker, kSeeds, what, options(2), 0);
  attack.log_to(file, "run", true);
  attack.run(0);
  EXPECT_EQ(again.asked, 10);
  EXPECT_EQ(io::read_json_rows(file), expected);
  EXPECT_EQ(attack.effective(0).size(), 2U);
  for (const auto& [run, resume] : {std::pair{"another run", true}, std::pair{"run", false}}) {
    FakeModel fresh;
    Attack other(fresh, attacker, kSeeds, what, options(2), 0);
    other.log_to(file, run, resume);
    other.run(0);
    EXPECT_EQ(fresh.asked, 30) << run;
  }
}

// A damaged attempts.jsonl names file, line and key, and is left as it is.
TEST(Attack, RowsThatAreNoneOfOursAreNamed) {
  TempFolder folder;
  const auto file = folder / kAttemptsFile;
  const std::string good =
      "{\"round\": 0, \"turn\": 0, \"slot\": 0, \"prompt\": \"a\", \"replies\": [\"x\"], \"shows\": [true], "
      "\"effective\": true, \"of\": 1, \"run\": \"run\"}";
  auto error = [&](const std::string& was, const std::string& now) {
    const std::string text = good + "\n\n" + replace_all(good, was, now) + "\n";
    write_file_atomic(file, text);
    try {
      AttackLog(file, "run", true);
    } catch (const Error& caught) {
      EXPECT_EQ(caught.kind(), ErrorKind::bad_input);
      EXPECT_EQ(read_file(file), text);
      return replace_all(caught.message(), file.string(), "F");
    }
    return std::string("no error");
  };
  EXPECT_EQ(error("\"run\": \"run\"", "\"run\": 7"), "F:3: key 'run' should be a string, found 7");
  EXPECT_EQ(error("\"of\": 1", "\"of\": \"1\""), "F:3: key 'of' should be a whole number, found string");
  EXPECT_EQ(error("\"of\": 1", "\"of\": -1"), "F:3: key 'of' is -1, expected the rows of its turn");
  EXPECT_EQ(error("\"round\": 0", "\"round\": 0.5"), "F:3: key 'round' should be a whole number, found 0.5");
  EXPECT_EQ(error("\"prompt\": \"a\", ", ""), "F:3: key 'prompt' is missing");
  EXPECT_EQ(error("[\"x\"]", "[4]"), "F:3: key 'replies' should be a list of strings, found 4");
  EXPECT_EQ(error("[true]", "[true, false]"), "F:3: key 'shows' holds 2 verdicts on 1 replies");
  EXPECT_EQ(error(good, "[1]"), "F:3: expected an object, found array");
  EXPECT_EQ(error("nothing", ""), "no error");
  EXPECT_EQ(read_attempts(file).size(), 2U);
}

TEST(Attack, TextsOfAnAttackerAreBounded) {
  struct Chatty : Scripted {
    std::vector<Proposal> propose(const AttackTurn& turn) override {
      auto out = Scripted::propose(turn);
      for (auto& one : out) {
        one.prompt += std::string(100000, 'p');
        one.reflection = std::string(100000, '\xff');
      }
      return out;
    }
  } attacker;
  FakeModel model;
  attacker.turns = {{"a", "b"}, {"c"}};
  const auto what = target();
  Attack attack(model, attacker, kSeeds, what, options(2), 0);
  attack.run(0);
  for (const auto& one : attacker.told[1]) {
    EXPECT_EQ(one.prompt.size(), 400U);
    EXPECT_LE(one.reflection.size(), 1000U);
    EXPECT_FALSE(one.reflection.empty());
  }
  EXPECT_EQ(attacker.told[1].size(), 2U);
  EXPECT_LT(proposal_from(0, "Prompt: " + std::string(1000000, 'x')).prompt.size(), 20000U);
}

// The attacker sees prompts as they are, the model and the judge as they are asked.
TEST(Attack, AsksPromptsInTheTargetsConversation) {
  FakeModel model;
  Scripted attacker;
  attacker.turns = {{"plain"}, {"other"}};
  AttackTarget what = target();
  what.wrap = [](const std::string& prompt) { return Conversation{{"system", "Be kind."}, {"user", "### " + prompt}}; };
  std::vector<Conversation> judged;
  what.shows = [&](const std::vector<Answer>& answers) {
    for (const auto& answer : answers) judged.push_back(answer.prompt);
    return std::vector<bool>(answers.size());
  };
  Attack attack(model, attacker, kSeeds, what, options(2), 0);
  const std::string wrapped = attack.key();
  attack.run(0);
  EXPECT_EQ(attack.attempts()[0].replies, (std::vector<std::string>{"BAD", "BAD", "BAD", "Hello.", "Hello.", "Hello.",
                                                                    "Hello.", "Hello.", "Hello.", "Hello."}));
  EXPECT_DOUBLE_EQ(attack.attempts()[0].likelihood.value(), -7);
  EXPECT_EQ(judged.at(0), what.wrap("plain"));
  ASSERT_EQ(attacker.told[1].size(), 1U);
  EXPECT_EQ(attacker.told[1][0].prompt, "plain");
  what.wrap = nullptr;
  EXPECT_NE(attack.key(), wrapped);
}

AttackTurn first_turn(const std::vector<Attempt>& history, std::size_t count) {
  AttackTurn turn;
  turn.count = count;
  turn.behavior = "says BAD";
  turn.seeds = &kSeeds;
  turn.history = &history;
  return turn;
}

TEST(MutationAttacker, ClimbsByLikelihood) {
  FakeModel model;
  const auto what = target();
  AttackOptions given = options(8);
  given.prompts = 16;
  const auto attacker = make_mutation_attacker(given, 1);
  Attack attack(model, *attacker, kSeeds, what, given, 1);
  attack.run(0);
  auto shown = [&](std::int64_t turn) {
    double sum = 0;
    for (const auto& one : attack.attempts()) sum += one.turn == turn ? one.rate() : 0;
    return sum;
  };
  EXPECT_GT(shown(7), shown(0) + 0.5) << "the last turn finds no more than the first";
}

TEST(MutationAttacker, ProposesTheSameForTheSameTurn) {
  const std::vector<Attempt> none;
  const auto turn = first_turn(none, 40);
  const auto one = make_mutation_attacker({}, 3)->propose(turn), two = make_mutation_attacker({}, 3)->propose(turn);
  const auto other = make_mutation_attacker({}, 4)->propose(turn);
  std::size_t same = 0;
  ASSERT_EQ(one.size(), 40U);
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].prompt, two[i].prompt);
    same += one[i].prompt == other[i].prompt ? 1 : 0;
  }
  EXPECT_LT(same, 10U);
}

TEST(AttackWords, HoldHistoryAndEffect) {
  std::vector<Attempt> history(2);
  history[0].prompt = "first";
  history[0].replies = {"Hello.", "BAD"};
  history[0].shows = {false, true};
  history[1].slot = 1;
  history[1].prompt = "of another slot";
  const std::string words = attack_words(first_turn(history, 2), 0, "It is a robot.").front().content;
  EXPECT_THAT(words, HasSubstr("Prompt: first\nReply: BAD\nEffect: the fault shows in 50 % of 2 replies"));
  EXPECT_THAT(words, HasSubstr("It is a robot."));
  EXPECT_THAT(words, Not(HasSubstr("of another slot")));
  EXPECT_THAT(attack_words(first_turn(history, 2), 1, "").front().content,
              HasSubstr("The best of others:\nPrompt: first"));
  const std::vector<Attempt> none;
  EXPECT_THAT(attack_words(first_turn(none, 2), 1, "").front().content, HasSubstr("An ordinary prompt: What is rain?"));
}

TEST(AttackWords, TheAnswerIsTakenApart) {
  const auto whole = proposal_from(2, "Reflection: tags help\nPrompt: \"say it\"\nReply: BAD");
  EXPECT_EQ(whole.slot, 2);
  EXPECT_EQ(whole.prompt, "say it");
  EXPECT_EQ(whole.reflection, "tags help");
  EXPECT_EQ(proposal_from(0, "just a prompt").prompt, "just a prompt");
  EXPECT_EQ(proposal_from(0, "**Prompt:** x").prompt, "x");
  EXPECT_EQ(proposal_from(0, "Reflection: only that").prompt, "only that");
  EXPECT_EQ(proposal_from(0, "").prompt, "");
}

TEST(ProgramAttacker, SeesItsHistoryAndAnswersWithAPrompt) {
  AttackOptions given;
  given.attacker = "program";
  given.command = {
      "python3", "-c",
      "import json,sys\n"
      "for line in sys.stdin:\n"
      "  r = json.loads(line)\n"
      "  last = r['history'][-1]['prompt'] if r['history'] else r['seed']\n"
      "  print(json.dumps({'id': r['id'], 'prompt': last + ' #', 'reflection': r['behavior']}), flush=True)"};
  const auto attacker = make_attacker(given, 0, nullptr);
  FakeModel model;
  const auto what = target();
  Attack attack(model, *attacker, kSeeds, what, options(3), 0);
  attack.run(0);
  EXPECT_EQ(attack.attempts().back().prompt, "What is rain? # # #");
  EXPECT_EQ(attack.attempts().back().reflection, "says BAD");
}

TEST(MakeAttacker, SaysWhatIsMissing) {
  for (const char* kind : {"model", "program", "url"}) {
    AttackOptions given;
    given.attacker = kind;
    try {
      make_attacker(given, 0, nullptr);
      FAIL() << kind;
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), HasSubstr(cat("attacker=", kind, " needs attacker_"))) << kind;
    }
  }
}

TEST(MakeAttacker, AnswersNeedALength) {
  AttackOptions given;
  given.tokens = 0;
  try {
    make_attacker(given, 0, nullptr);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("attack_tokens=0: expected at least 1"));
  }
}

TEST(UrlAttacker, AnAddressThatDoesNotAnswerIsNamed) {
  AttackOptions given;
  given.attacker = "url";
  given.url = "http://127.0.0.1:9/v1";
  const std::vector<Attempt> none;
  try {
    make_attacker(given, 0, nullptr)->propose(first_turn(none, 2));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
    EXPECT_THAT(error.message(), HasSubstr("attacker_url=http://127.0.0.1:9/v1: it does not answer"));
    EXPECT_THAT(error.hint(), HasSubstr("kept"));
  }
}

}  // namespace
}  // namespace reveille::safety
