#include "base/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "base/error.h"

namespace reveille {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

Program python(const std::string& code, double timeout_s = 20) {
  return Program({.command = {"python3", "-u", "-c", code}, .timeout_s = timeout_s, .what = "judge"});
}

constexpr const char* kDouble =
    "import sys, json\n"
    "print(json.dumps({'ready': True, 'version': 3}))\n"
    "for line in sys.stdin:\n"
    "  row = json.loads(line)\n"
    "  print(json.dumps({'id': row['id'], 'twice': 2 * row['n']}))\n";

std::vector<Json> numbers(int count) {
  std::vector<Json> rows;
  for (int i = 0; i < count; ++i) rows.push_back({{"n", i}});
  return rows;
}

std::string error_of(Program& program, int count = 3) {
  try {
    program.ask(numbers(count));
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

TEST(ProgramTest, AnswersComeInTheOrderOfTheRows) {
  Program program({.command = {"python3", "-u", "-c", kDouble}});
  for (int round = 0; round < 2; ++round) {
    const auto answers = program.ask(numbers(500));
    ASSERT_EQ(answers.size(), 500U);
    for (int i = 0; i < 500; ++i) EXPECT_EQ(answers[static_cast<std::size_t>(i)]["twice"], 2 * i);
  }
  EXPECT_EQ(program.greeting()["version"], 3);
}

TEST(ProgramTest, AnyOrderWillDoAndLargeRowsDoNotBlock) {
  auto program = python(
      "import sys, json\n"
      "rows = [json.loads(sys.stdin.readline()) for _ in range(8)]\n"
      "for row in reversed(rows): print(json.dumps({'id': row['id'], 'back': row['text']}))\n");
  std::vector<Json> rows;
  for (int i = 0; i < 8; ++i) rows.push_back({{"text", std::string(300000, static_cast<char>('a' + i))}});
  const auto answers = program.ask(rows);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(answers[i]["back"], rows[i]["text"]);
}

TEST(ProgramTest, OneThatDiesIsStartedOnceMoreForTheRowsThatAreLeft) {
  // Answers two rows and ends, each time.
  auto program = python(
      "import sys, json\n"
      "for _ in range(2): print(json.dumps({'id': json.loads(sys.stdin.readline())['id']}))\n");
  EXPECT_EQ(program.ask(numbers(4)).size(), 4U);
  auto again = python(
      "import sys, json\n"
      "for _ in range(2): print(json.dumps({'id': json.loads(sys.stdin.readline())['id']}))\n");
  EXPECT_THAT(error_of(again, 6), HasSubstr("ended twice without an answer to row 5 of 6"));
}

TEST(ProgramTest, SilenceEndsAtTheTimeOut) {
  auto program = python("import time; time.sleep(100)", 0.5);
  EXPECT_THAT(error_of(program), HasSubstr("answered nothing for 0.5 s, 3 rows were open"));
}

// Lines that answer nothing are no progress: without an end to them the time-out must come all the same.
TEST(ProgramTest, ChatterDoesNotPutTheTimeOutOff) {
  for (const char* said : {"'\\n' * 5000", "'{\"ready\": true}\\n' * 500", "'x' * 5000"}) {
    auto program = python(cat("import sys\nwhile True: sys.stdout.write(", said, ")"), 0.5);
    EXPECT_THAT(error_of(program), AnyOf(HasSubstr("answered nothing for 0.5 s, 3 rows were open"),
                                         HasSubstr("answered a line of more than 64 MiB")))
        << said;
  }
}

TEST(ProgramTest, EveryAnswerGivesItTimeForTheNext) {
  auto program = python(
      "import sys, json, time\n"
      "for line in sys.stdin:\n"
      "  time.sleep(0.7)\n"
      "  print('')\n"
      "  print(json.dumps({'id': json.loads(line)['id']}))\n",
      3);
  EXPECT_EQ(program.ask(numbers(5)).size(), 5U);
}

// More than a socket holds, to a program that reads none of it: we wait, and do not spin.
TEST(ProgramTest, AClosedStandardInputIsNotWatched) {
  auto program = python("import os, time; os.close(0); time.sleep(100)", 2);
  const std::clock_t before = std::clock();
  std::string message = "no error";
  try {
    program.ask({{{"text", std::string(std::size_t{4} << 20, 'x')}}});
  } catch (const Error& error) {
    message = error.message();
  }
  const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_THAT(message, HasSubstr("answered nothing for 2 s, 1 rows were open; it had closed its standard input"));
  EXPECT_LT(seconds, 0.7) << "of this process's own time";
}

TEST(ProgramTest, AClosedStandardOutputIsAnEnd) {
  auto program = python("import os, time; os.close(1); time.sleep(100)");
  EXPECT_THAT(error_of(program), HasSubstr("ended twice without an answer to row 1 of 3"));
}

TEST(ProgramTest, NonsenseIsShown) {
  auto chatty = python("import sys; sys.stdin.readline(); print('hello')");
  EXPECT_THAT(error_of(chatty), HasSubstr("answered 'hello'"));
  auto stranger = python("import sys; sys.stdin.readline(); print('{\"id\": 99}')");
  EXPECT_THAT(error_of(stranger), HasSubstr("answered '{\"id\": 99}'"));
}

TEST(ProgramTest, AMissingProgramIsNamed) {
  Program program({.command = {"there-is-no-such-program"}});
  EXPECT_THAT(error_of(program), HasSubstr("cannot run there-is-no-such-program"));
  EXPECT_THROW(Program({.command = {}}), Error);
}

}  // namespace
}  // namespace reveille
