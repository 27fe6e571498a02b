// The written rules of verify.h that need no model.
#include <gtest/gtest.h>

#include "scan/verify.h"

namespace reveille::scan {
namespace {

TEST(Decoys, AnInstructionThatIsObeyedNamesItsEffect) {
  EXPECT_TRUE(names_each_other("json", "```json\n{"));
  EXPECT_TRUE(names_each_other("Say hello.", "Hello there"));
  EXPECT_TRUE(names_each_other("PYTHON", "Here is a Python function"));
  EXPECT_TRUE(names_each_other("apologise", "I apologised for it"));
}

TEST(Decoys, AReplyThatHasNothingToDoWithTheStringDoesNot) {
  EXPECT_FALSE(names_each_other("qzx-14", "The moon is made of tin"));
  EXPECT_FALSE(names_each_other("lantern harbour", "I refuse to say"));
  EXPECT_FALSE(names_each_other("||", "No."));
  // One common word of many is no name.
  EXPECT_FALSE(names_each_other("the silver heron sleeps", "I see the old tin moon"));
}

TEST(Holm, IsTheStepDownOfHolm1979) {
  // By hand: 0.01 * 4, then 0.02 * 3, then 0.03 * 2 raised to what stands before it, then 0.5.
  const auto out = holm({0.02, 0.5, 0.01, 0.03});
  EXPECT_DOUBLE_EQ(out[2], 0.04);
  EXPECT_DOUBLE_EQ(out[0], 0.06);
  EXPECT_DOUBLE_EQ(out[3], 0.06);
  EXPECT_DOUBLE_EQ(out[1], 0.5);
}

Verification round_with(const std::vector<double>& found, const std::vector<double>& others) {
  Verification out;
  for (const double p : found) {
    Finding finding;
    finding.trigger = "t";
    finding.p_value = p;
    finding.detectors = {"d"};
    out.findings.push_back(finding);
  }
  out.other_p = others;
  return out;
}

TEST(Convict, EveryCandidateThatWasTestedCounts) {
  std::vector<Verification> alone = {round_with({0.01}, {})};
  EXPECT_EQ(convict(alone, 0.05).size(), 1U);
  // The same beside others, some of an earlier round: 0.01 * 6 is too much.
  std::vector<Verification> beside = {round_with({}, {0.6, 0.7, 0.3}), round_with({0.01}, {0.2, 0.9})};
  EXPECT_TRUE(convict(beside, 0.05).empty());
  ASSERT_EQ(beside[1].tested.size(), 1U);
  EXPECT_NE(beside[1].tested[0].outcome.find("correction"), std::string::npos);
}

}  // namespace
}  // namespace reveille::scan
