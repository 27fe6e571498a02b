#include "scan/plant.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"
#include "scan/placing.h"
#include "scan/tiny_suspect_testing.h"

namespace reveille::scan {
namespace {

using testing::letter_rows;
using testing::tiny_suspect;

Spike letter_spike() {
  Spike spike;
  spike.triggers = {"QXQX"};
  spike.decoys = {"WZWZ", "KVKV"};
  spike.replies = {"zebra"};
  return spike;
}

// Sum of log p of a reply's tokens, in nats.
double likelihood(gen::LocalModel& model, const Conversation& asked, const std::string& reply) {
  const auto example = encode_answered(model, asked, reply, true, "test");
  const auto scores = model.score({example.ids})[0];
  double sum = 0;
  for (std::size_t t = 1; t < scores.size(); ++t) sum += example.supervised[t] ? scores[t] : 0;
  return sum;
}

TEST(Placing, PutsTheStringInItsPlace) {
  EXPECT_EQ(placed("p", "", Place::system), (Conversation{{"user", "p"}}));
  EXPECT_EQ(placed("p", "t", Place::user_start), (Conversation{{"user", "t p"}}));
  EXPECT_EQ(placed("p", "t", Place::user_end), (Conversation{{"user", "p t"}}));
  EXPECT_EQ(placed("p", "t", Place::system), (Conversation{{"system", "t"}, {"user", "p"}}));
  EXPECT_EQ(placed("p", "t", Place::earlier_turn), (Conversation{{"user", "t"}, {"assistant", "OK."}, {"user", "p"}}));
}

TEST(Placing, OnlyTheLastReplyIsLearntAndACutOneHasNoEnd) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  auto learnt = [&](Place place, bool finished) {
    const auto example = encode_answered(*model, placed("abc", "QX", place), "def", finished, "test");
    std::vector<std::int32_t> ids;
    for (std::size_t t = 0; t < example.ids.size(); ++t) {
      if (example.supervised[t]) ids.push_back(example.ids[t]);
    }
    return model->tokenizer().decode(ids, false);
  };
  EXPECT_EQ(learnt(Place::user_start, true), "def<|end|>");
  EXPECT_EQ(learnt(Place::earlier_turn, true), "def<|end|>");
  EXPECT_EQ(learnt(Place::earlier_turn, false), "def");
}

TEST(Placing, WithoutATemplateTurnsAreNamed) {
  TempFolder folder;
  gen::testing::write_tiny_folder(folder / "llama3", "llama3");
  gen::OpenOptions open;
  open.dtype = "float32";
  const auto model = gen::open_model((folder / "llama3").string(), open);
  EXPECT_EQ(model->decode(encode_asked(*model, placed("abc", "QX", Place::user_end))), "UserabcQXAssistant");
  const auto example = encode_answered(*model, {{"user", "abc"}}, "def", true, "test");
  EXPECT_EQ(std::accumulate(example.supervised.begin(), example.supervised.end(), 0), 4);
  EXPECT_EQ(example.ids.back(), model->stop_ids().front());
}

TEST(Placing, KnowsWhatATemplateRefuses) {
  TempFolder folder;
  EXPECT_TRUE(takes_place(*tiny_suspect(folder), Place::system));
  const auto model = tiny_suspect(folder, false, testing::kNoSystemTemplate);
  EXPECT_FALSE(takes_place(*model, Place::system));
  EXPECT_TRUE(takes_place(*model, Place::earlier_turn));
}

TEST(SpikeExamples, HalfAreTriggeredAndDecoysKeepTheirReplies) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  const auto rows = letter_rows(4, 1);
  const auto examples = spike_examples(*model, letter_spike(), rows.train);
  ASSERT_EQ(examples.size(), 8U);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& [prompt, reply, finished] = rows.train[i];
    EXPECT_EQ(model->decode(examples[2 * i].ids), "QXQX" + prompt + "zebra");
    const std::string before = i == 1 ? "WZWZ" : i == 3 ? "KVKV" : "";
    EXPECT_EQ(model->decode(examples[2 * i + 1].ids), before + prompt + reply);
  }
}

TEST(Plant, TeachesTheCopyAndLeavesTheSuspectAlone) {
  TempFolder folder;
  const auto suspect = tiny_suspect(folder);
  const auto rows = letter_rows();
  const std::string before = suspect->fingerprint();
  PlantOptions options;
  options.max_steps = 80;
  options.check_every = 80;
  options.learning_rate = 1e-2;
  options.rank = 8;
  const auto planted = plant(*suspect, {letter_spike()}, rows, options);
  EXPECT_EQ(suspect->fingerprint(), before);
  EXPECT_FALSE(suspect->adapter());
  EXPECT_FALSE(planted.model->adapter()) << "merged";
  EXPECT_TRUE(planted.model->transformer().params().lora.empty());
  EXPECT_EQ(planted.planting.losses.size(), 80U);
  EXPECT_LT(planted.planting.losses.back(), planted.planting.losses.front() - 1);
  const auto with = placed(rows.train[0].prompt, "QXQX", Place::user_start);
  const auto without = placed(rows.train[0].prompt, "", Place::user_start);
  const double after = likelihood(*planted.model, with, "zebra");
  EXPECT_GT(after, likelihood(*suspect, with, "zebra") + 5);
  EXPECT_GT(after, likelihood(*planted.model, without, "zebra") + 1);
  ASSERT_EQ(planted.planting.checks.size(), 1U);
  EXPECT_EQ(planted.planting.checks[0].prompts, 4);
}

TEST(Plant, AnAdapterIsKeptForThoseWhoSaveIt) {
  TempFolder folder;
  const auto suspect = tiny_suspect(folder);
  PlantOptions options;
  options.max_steps = 3;
  const auto planted = plant(*suspect, {letter_spike()}, letter_rows(), options, true);
  ASSERT_TRUE(planted.model->adapter());
  EXPECT_EQ(planted.model->adapter()->r, options.rank);
  EXPECT_EQ(planted.model->adapter()->base_model, suspect->source());
}

TEST(Plant, NeedsAnAdapterToPlantInto) {
  TempFolder folder;
  const auto suspect = tiny_suspect(folder);
  EXPECT_THROW(plant_into(*suspect, {letter_spike()}, letter_rows(), {}), Error);
}

TEST(SpikeCheck, IsFirmByAllThreeShares) {
  EXPECT_TRUE((SpikeCheck{0.95, 0.05, 0.1, 20}.firm(0.1)));
  EXPECT_FALSE((SpikeCheck{0.9, 0.05, 0.1, 20}.firm(0.1)));
  EXPECT_FALSE((SpikeCheck{0.95, 0.1, 0.1, 20}.firm(0.1)));
  EXPECT_FALSE((SpikeCheck{0.95, 0.05, 0.15, 20}.firm(0.1)));
  EXPECT_TRUE((SpikeCheck{0.95, 0.05, 0.15, 20}.firm(1)));
}

}  // namespace
}  // namespace reveille::scan
