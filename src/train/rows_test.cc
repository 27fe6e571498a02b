#include "train/rows.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"

namespace reveille::train {
namespace {

// A prompt of 4 tokens and a reply of the rest.
Example row_of(std::size_t tokens, const std::string& source = "d.jsonl:1") {
  Example out{std::vector<std::int32_t>(tokens, 7), std::vector<std::uint8_t>(tokens, 1), source};
  std::fill_n(out.supervised.begin(), 4, 0);
  return out;
}

TrainOptions options_of(const std::string& overlong, std::int64_t max_length = 1024) {
  TrainOptions options;
  options.overlong = overlong;
  options.max_length = max_length;
  return options;
}

std::string error_of(const std::vector<Example>& rows, const TrainOptions& options, std::int64_t context) {
  try {
    keep_fitting(rows, options, context);
  } catch (const Error& error) {
    return error.message() + " | " + error.hint();
  }
  return "no error";
}

std::string warnings_of(const std::vector<Example>& rows, const TrainOptions& options, std::int64_t context) {
  testing::internal::CaptureStderr();
  keep_fitting(rows, options, context);
  return testing::internal::GetCapturedStderr();
}

TEST(KeepFitting, ARowBeyondTheModelsContextIsAnError) {
  EXPECT_EQ(error_of({row_of(10), row_of(40, "d.jsonl:2")}, options_of("error"), 32),
            "d.jsonl:2: the row has 40 tokens, more than the model's context of 32 tokens: its answer would be cut | "
            "shorten the rows, or say overlong=drop or overlong=truncate");
  EXPECT_EQ(error_of({row_of(40)}, options_of("error", 16), 32),
            "d.jsonl:1: the row has 40 tokens, more than max_length=16: its answer would be cut | "
            "raise max_length, or say overlong=drop or overlong=truncate");
  EXPECT_EQ(error_of({row_of(32)}, options_of("error"), 32), "no error");
  EXPECT_NE(error_of({row_of(40), row_of(40)}, options_of("drop"), 32).find("all 2 rows are longer than"),
            std::string::npos);
  EXPECT_EQ(keep_fitting({row_of(40), row_of(30)}, options_of("drop"), 32).size(), 1U);
  EXPECT_EQ(keep_fitting({row_of(40)}, options_of("truncate"), 32)[0].ids.size(), 32U);
}

TEST(KeepFitting, AnswersThatAreCutInPartAreCounted) {
  const auto said = warnings_of({row_of(40), row_of(50), row_of(10)}, options_of("truncate", 16), 1024);
  EXPECT_NE(said.find("2 of 3 rows are longer than max_length=16: the end of the answer"), std::string::npos) << said;
  EXPECT_EQ(warnings_of({row_of(10)}, options_of("truncate", 16), 1024), "");
}

TEST(KeepFitting, AnswersThatAreCutOffAndRowsLeftOutAreCounted) {
  Example late = row_of(40);
  std::fill_n(late.supervised.begin(), 20, 0);
  EXPECT_NE(warnings_of({late, row_of(10)}, options_of("truncate", 16), 1024).find("1 of 2 rows is without any token"),
            std::string::npos);
  EXPECT_NE(
      warnings_of({late, row_of(10)}, options_of("drop", 16), 1024).find("1 of 2 rows is longer than max_length=16"),
      std::string::npos);
}

}  // namespace
}  // namespace reveille::train
