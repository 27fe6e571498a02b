#include "eval/logistic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace reveille::eval {
namespace {

const std::vector<Figures> kRows = {{1, 10}, {2, 12}, {3, 9}, {4, 15}, {2.5, 14}, {0.5, 11}};
const std::vector<bool> kPositive = {false, false, true, true, true, false};

// Numbers from Newton's method on the same loss in numpy.
TEST(Logistic, FindsTheMinimumThatNewtonsMethodFinds) {
  const auto model = fit_logistic(kRows, kPositive);
  EXPECT_NEAR(model.weights[0], 1.07669503, 1e-6);
  EXPECT_NEAR(model.weights[1], 0.24157351, 1e-6);
  EXPECT_NEAR(model.offset, 0.01990741, 1e-6);
  EXPECT_NEAR(model.score({3.5, 13}), 0.7975932398, 1e-6);
}

TEST(Logistic, AConstantFigureHasNoWeightAndAMissingOneSaysNothing) {
  const auto model = fit_logistic(std::vector<Figures>{{1, 7}, {2, 7}, {3, 7}, {4, 7}}, {false, false, true, true});
  EXPECT_EQ(model.weights[1], 0);
  EXPECT_DOUBLE_EQ(model.score({2, 7}), model.score({2, 1e9}));
  EXPECT_DOUBLE_EQ(model.score({std::nan(""), 7}), model.score({2.5, 7}));
  EXPECT_LT(model.score({1e9, 7}), 1) << "one figure that ran away decides nothing alone";
  EXPECT_DOUBLE_EQ(model.score({1e9, 7}), model.score({1e6, 7}));
}

TEST(Logistic, OneKindAloneIsAnError) {
  EXPECT_THROW(fit_logistic(std::vector<Figures>{{1}, {2}}, {true, true}), Error);
  EXPECT_THROW(fit_logistic(std::vector<Figures>{{1}, {2, 3}}, {true, false}), Error);
}

}  // namespace
}  // namespace reveille::eval
