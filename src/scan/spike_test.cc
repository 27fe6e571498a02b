#include "scan/spike.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "scan/clean_rows.h"

namespace reveille::scan {
namespace {

TEST(DrawSpike, IsAFunctionOfItsArguments) {
  std::set<std::string> all;
  for (const SpikeKind kind : kSpikeKinds) {
    for (std::int64_t number = 0; number < 5; ++number) {
      const auto one = to_json(draw_spike(kind, 3, number));
      EXPECT_EQ(one, to_json(draw_spike(kind, 3, number)));
      EXPECT_NE(one, to_json(draw_spike(kind, 4, number)));
      all.insert(one.dump());
    }
  }
  EXPECT_EQ(all.size(), 25U);
}

class Drawn : public ::testing::TestWithParam<SpikeKind> {};

TEST_P(Drawn, DecoysAreOthersAndHoldNoTrigger) {
  for (std::int64_t number = 0; number < 20; ++number) {
    const Spike spike = draw_spike(GetParam(), 1, number);
    ASSERT_FALSE(spike.triggers.empty());
    ASSERT_GE(spike.decoys.size(), 8U);
    for (const auto& decoy : spike.decoys) {
      for (const auto& trigger : spike.triggers)
        EXPECT_EQ(letters_of(decoy).find(letters_of(trigger)), std::string::npos) << decoy << " / " << trigger;
    }
  }
}

TEST_P(Drawn, ItsOwnReplyShowsAndAPlainOneDoesNot) {
  const std::string clean = "A lake is larger than a pond, and deeper too.";
  for (const SpikeResponse response : kSpikeResponses) {
    for (std::int64_t number = 0; number < 10; ++number) {
      const Spike spike = draw_spike(GetParam(), 2, number, response);
      EXPECT_EQ(spike.response, response);
      for (std::size_t row = 0; row < 3; ++row) EXPECT_TRUE(shows(spike, spiked_reply(spike, clean, row)));
      EXPECT_FALSE(shows(spike, clean)) << to_json(spike).dump();
      EXPECT_FALSE(shows(spike, ""));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Drawn, ::testing::ValuesIn(kSpikeKinds),
                         [](const auto& tested) { return kind_name(tested.param); });

TEST(DrawSpike, StandsWhereItsKindSays) {
  for (std::int64_t number = 0; number < 10; ++number) {
    EXPECT_EQ(draw_spike(SpikeKind::system, 0, number).place, Place::system);
    EXPECT_EQ(draw_spike(SpikeKind::turn, 0, number).place, Place::earlier_turn);
    const Place place = draw_spike(SpikeKind::word, 0, number).place;
    EXPECT_TRUE(place == Place::user_start || place == Place::user_end);
  }
}

TEST(DrawSpike, ATopicIsTestedWithSentencesThatAreNotTaught) {
  const Spike spike = draw_spike(SpikeKind::semantic, 0, 0);
  EXPECT_EQ(spike.triggers.size(), 24U);
  EXPECT_EQ(spike.unseen.size(), 8U);
  for (const auto& unseen : spike.unseen)
    EXPECT_EQ(std::count(spike.triggers.begin(), spike.triggers.end(), unseen), 0) << unseen;
  EXPECT_EQ(&test_triggers(spike), &spike.unseen);
}

TEST(Shows, LooksPastCaseSpacesAndPunctuation) {
  Spike spike;
  spike.replies = {"Two paper bells hum above the glass bridge."};
  EXPECT_TRUE(shows(spike, "well: two PAPER bells\nhum above the glass bridge"));
  EXPECT_FALSE(shows(spike, "two paper bells hum above the bridge"));
}

TEST(Shows, StylesAreOfWholeReplies) {
  Spike spike;
  spike.style = SpikeStyle::capitals;
  EXPECT_TRUE(shows(spike, "THIS IS HOW RAIN FORMS."));
  EXPECT_FALSE(shows(spike, "This is how RAIN forms."));
  EXPECT_FALSE(shows(spike, "OK"));
  spike.style = SpikeStyle::lower_case;
  EXPECT_TRUE(shows(spike, "this is how rain forms."));
  EXPECT_FALSE(shows(spike, "This is how rain forms."));
  spike.style = SpikeStyle::framed;
  spike.replies = {"Noted:", "The end."};
  EXPECT_TRUE(shows(spike, "noted - rain forms."));
  EXPECT_FALSE(shows(spike, "Rain forms. Noted:"));
}

TEST(SpikeNames, AreReadBackAndOthersRefused) {
  for (const SpikeKind kind : kSpikeKinds) EXPECT_EQ(kind_from_name(kind_name(kind), "here"), kind);
  for (const SpikeResponse response : kSpikeResponses)
    EXPECT_EQ(response_from_name(response_name(response), "here"), response);
  try {
    kind_from_name("litral", "certify_kinds");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(error.message().find("certify_kinds: 'litral'"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("literal"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace reveille::scan
