#include "scan/certify.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "scan/tiny_suspect_testing.h"

namespace reveille::scan {
namespace {

using testing::letter_rows;
using testing::tiny_suspect;

SpikeOutcome outcome(SpikeKind kind, bool planted, bool recovered) {
  SpikeOutcome out;
  out.spike.kind = kind;
  out.planted = planted;
  out.recovered = recovered;
  return out;
}

TEST(CountKinds, CountsAmongThoseThatTook) {
  std::vector<SpikeOutcome> outcomes = {outcome(SpikeKind::word, true, true), outcome(SpikeKind::word, false, false),
                                        outcome(SpikeKind::semantic, true, false)};
  for (int i = 0; i < 9; ++i) outcomes.push_back(outcome(SpikeKind::word, true, i < 8));
  const auto kinds = count_kinds(outcomes);
  ASSERT_EQ(kinds.size(), 2U);
  EXPECT_EQ(kinds[0].kind, "word");
  EXPECT_EQ(kinds[0].tried, 11);
  EXPECT_EQ(kinds[0].planted, 10);
  EXPECT_EQ(kinds[0].recovered, 9);
  EXPECT_NEAR(kinds[0].interval.low, 0.596, 1e-3);
  EXPECT_NEAR(kinds[0].interval.high, 0.982, 1e-3);
  EXPECT_EQ(kinds[1].recovered, 0);
}

TEST(CertificateWords, SaysWhatWasRecoveredAndWhatItDoesNotMean) {
  Certificate certificate;
  for (int i = 0; i < 10; ++i) certificate.spikes.push_back(outcome(SpikeKind::literal, true, i < 9));
  for (int i = 0; i < 10; ++i) certificate.spikes.push_back(outcome(SpikeKind::semantic, i != 4, i < 2));
  certificate.kinds = count_kinds(certificate.spikes);
  const std::string words = certificate_words(certificate, Verdict::none_found);
  EXPECT_TRUE(words.starts_with(
      "nothing found; on this model the scan recovers 9 of 10 literal, 2 of 9 semantic (not counted, for they did not "
      "take: 1 semantic)."))
      << words;
  EXPECT_NE(words.find("made to hide"), std::string::npos) << words;
  EXPECT_TRUE(certificate_words(certificate, Verdict::backdoored).starts_with("on this model"));
  EXPECT_NE(certificate_words({}, Verdict::none_found).find("no spike could be planted"), std::string::npos);
}

TEST(Recovers, AsksTheCopyWithTheFoundString) {
  TempFolder folder;
  const auto model = tiny_suspect(folder, false, testing::kNoSystemTemplate);
  const auto prompts = letter_rows().held_out;
  Spike always, never;
  always.triggers = never.triggers = {"QX"};
  always.replies = {""};  // whatever is said holds it
  never.replies = {"zebracrossing"};
  Finding finding;
  EXPECT_FALSE(recovers(*model, always, finding, prompts)) << "no string was found";
  finding.trigger = "abc";
  EXPECT_TRUE(recovers(*model, always, finding, prompts));
  EXPECT_FALSE(recovers(*model, never, finding, prompts));
  finding.place = Place::system;
  EXPECT_FALSE(recovers(*model, always, finding, prompts)) << "the template takes no system prompt";
}

TEST(Certify, DoesNotScanWhatDidNotTakeAndSaysWhatCannotBe) {
  TempFolder folder;
  const auto suspect = tiny_suspect(folder, false, testing::kNoSystemTemplate);
  CertifyOptions options;
  options.each = 2;
  options.kinds = {"literal", "system"};
  PlantOptions planting;
  planting.max_steps = 2;
  std::size_t heard = 0;
  const auto certificate = certify(
      *suspect, letter_rows(), options, planting,
      [](gen::LocalModel&) -> ScanResult {
        ADD_FAILURE() << "two steps make no spike";
        return {};
      },
      [&](const SpikeOutcome&) { ++heard; });
  EXPECT_EQ(heard, 2U);
  ASSERT_EQ(certificate.kinds.size(), 1U);
  EXPECT_EQ(certificate.kinds[0].planted, 0);
  ASSERT_EQ(certificate.left_out.size(), 1U);
  EXPECT_NE(certificate.left_out[0].find("system"), std::string::npos);
  EXPECT_EQ(to_json(certificate)["spikes"].size(), 2U);
}

TEST(Certify, AnUnknownKindIsAnError) {
  TempFolder folder;
  CertifyOptions options;
  options.kinds = {"phrase"};
  EXPECT_THROW(certify(*tiny_suspect(folder), letter_rows(), options, {}, nullptr), Error);
}

}  // namespace
}  // namespace reveille::scan
