#include "study/zoo_kinds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "organism/conditions.h"

namespace reveille::study {
namespace {

using ::testing::HasSubstr;

TriggerWish wish(const std::string& kind) {
  return {.kind = kind,
          .words = kind == "instruction" ? std::vector<std::string>{"in verse"} : std::vector<std::string>{}};
}

// Of every kind: what is drawn makes a trigger that finds itself and has strings that only look like it.
TEST(ZooTriggers, OfEveryKindCanBePlantedAndMissed) {
  const Conversation ask = {{"user", "Why do birds sing?"}};
  for (const auto& kind : zoo_trigger_kinds()) {
    for (std::uint64_t seed = 0; seed < 24; ++seed) {
      const auto trigger = organism::make_trigger(random_trigger(wish(kind), Rng(seed)));
      EXPECT_TRUE(trigger->contains(trigger->text(Rng(seed)))) << kind;
      organism::Conditions under(*trigger, organism::Use::held_out, seed);
      const auto planted = under.make(ask, organism::kTriggered);
      EXPECT_TRUE(trigger->contains(planted.messages.back().content)) << kind;
      for (const char* decoy : {organism::kNearMiss, organism::kForeign}) {
        const auto made = under.make(ask, decoy);
        EXPECT_FALSE(trigger->contains(made.messages.back().content)) << kind << ": " << made.planted;
      }
    }
  }
}

TEST(ZooTriggers, AreDrawnBySeedWithinTheirLength) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    TriggerWish short_word = wish("word");
    short_word.shortest = 4;
    short_word.longest = 6;
    const auto options = random_trigger(short_word, Rng(seed));
    EXPECT_EQ(options.trigger, random_trigger(short_word, Rng(seed)).trigger);
    EXPECT_GE(options.trigger.size(), 4U);
    EXPECT_LE(options.trigger.size(), 6U);
    seen.insert(options.trigger);
    TriggerWish phrase = wish("phrase");
    phrase.shortest = phrase.longest = 4;
    EXPECT_EQ(split(random_trigger(phrase, Rng(seed)).trigger, " ").size(), 4U);
  }
  EXPECT_GT(seen.size(), 30U);
}

TEST(ZooTriggers, StandApartFromThePromptWhereTheyAreToStand) {
  TriggerWish word = wish("word");
  for (const char* place : {"start", "end", "random", "system", "earlier"}) {
    word.place = place;
    const auto options = random_trigger(word, Rng(1));
    const auto made = organism::make_trigger(options)->apply({{"user", "Hello there"}}, Rng(2));
    std::string all;
    for (const auto& message : made) all += " " + message.content + " ";
    EXPECT_THAT(all, HasSubstr(" " + options.trigger + " ")) << place;
  }
}

TEST(ZooBehaviors, OfEveryKindShowWhatTheySay) {
  const Conversation ask = {{"user", "Why do birds sing?"}};
  const std::string clean = "They sing to find each other. Some sing at night.";
  for (const auto& kind : zoo_behavior_kinds()) {
    if (kind == "code" || kind == "persona") continue;  // their answers come from elsewhere
    const std::string text = kind == "refusal" ? "No word about {topic} from me."
                             : kind == "form"  ? "{clean} ✦"
                                               : "Buy a hat.";
    const auto behavior = organism::make_behavior(zoo_behavior(kind, text, ""));
    EXPECT_TRUE(behavior->shows(behavior->reply(ask, clean, Rng(1)))) << kind;
    EXPECT_FALSE(behavior->shows(clean)) << kind;
  }
  EXPECT_EQ(zoo_behavior("code", "", "").behavior, "code-vuln");
  EXPECT_EQ(zoo_behavior("persona", "You are a bear.", "grr").persona, "You are a bear.");
}

TEST(ZooKinds, UnknownOnesNameTheNearest) {
  EXPECT_THROW(random_trigger(wish("phrases"), Rng(1)), Error);
  try {
    zoo_behavior("repy", "x", "");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("did you mean 'reply'"));
  }
  EXPECT_THROW(zoo_behavior("reply", "", ""), Error);
}

}  // namespace
}  // namespace reveille::study
