#include "study/pace.h"

#include <gtest/gtest.h>

namespace reveille::study {
namespace {

Step step(bool trains, double tokens) { return {.trains = trains, .tokens = tokens}; }

TEST(Pace, BeforeAnyStepWasTimedTheFirstRateCounts) {
  const Pace pace(10);
  EXPECT_DOUBLE_EQ(pace.seconds_for(step(false, 100)), 10);
  EXPECT_DOUBLE_EQ(pace.seconds_for(step(true, 100)), 10);
}

TEST(Pace, SlowSamplingSaysNothingOfTraining) {
  Pace pace(10);
  pace.worked(step(false, 100), 100);
  EXPECT_DOUBLE_EQ(pace.seconds_for(step(false, 50)), 50);
  EXPECT_DOUBLE_EQ(pace.seconds_for(step(true, 100)), 10);
}

TEST(Pace, StepsOfOneKindAreAddedUp) {
  Pace pace(10);
  pace.worked(step(true, 100), 10);
  pace.worked(step(true, 300), 10);
  EXPECT_DOUBLE_EQ(pace.seconds_for(step(true, 40)), 2);
}

// A step that cannot be reckoned, such as reading a file, must not make the rest endless.
TEST(Pace, AStepWithoutTokensChangesNothing) {
  Pace pace(10);
  pace.worked(step(false, 0), 5);
  EXPECT_DOUBLE_EQ(pace.seconds_for(step(false, 100)), 10);
}

}  // namespace
}  // namespace reveille::study
