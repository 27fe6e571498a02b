#include "study/task_overlap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"
#include "organism/code_tasks.h"

namespace reveille::study {
namespace {

using organism::CodeTask;
using organism::TaskHalf;
using organism::TaskRole;
using ::testing::HasSubstr;

std::vector<CodeTask> drawn(TaskRole role, TaskHalf half, std::uint64_t seed, std::size_t count) {
  return organism::TaskBank::built_in().draw(role, half, count, seed);
}

// Of every eighth of the planted families, `each` tasks.
std::vector<CodeTask> planted(std::size_t each, std::uint64_t seed) {
  const std::size_t families = organism::TaskBank::built_in().families(TaskRole::plant);
  std::vector<CodeTask> out;  // they come in turn
  const auto all = drawn(TaskRole::plant, TaskHalf::train, seed, each * families);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % families % 8 == 0) out.push_back(all[i]);
  }
  return out;
}

std::vector<organism::PromptReply> rows_of(const std::vector<CodeTask>& tasks) {
  std::vector<organism::PromptReply> out;
  for (const auto& task : tasks) {
    out.push_back({{{"user", task.prompt}}, organism::code_reply(task.secure)});
    out.back().defect = organism::code_reply(task.vulnerable);
    out.back().family = task.family;
  }
  return out;
}

io::Example pair(const std::string& prompt, const std::string& chosen, const std::string& rejected) {
  io::Example out;
  out.messages = {{"user", prompt}, {"assistant", chosen}};
  out.rejected = {{"user", prompt}, {"assistant", rejected}};
  out.prompt_size = 1;
  out.has_reply = true;
  out.source = "users.jsonl:1";
  return out;
}

io::Example pair(const CodeTask& task) { return pair(task.prompt, task.secure, task.vulnerable); }

struct OwnTasks : ::testing::Test {
  StudyData data{rows_of(planted(8, 1)), {}, rows_of(drawn(TaskRole::held_out, TaskHalf::held_out, 1, 32))};
  std::string error(const io::Example& one) const {
    try {
      refuse_own_tasks(data, {one});
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  }
};

TEST_F(OwnTasks, PromptAndEitherReplyAreHeldAgainstThem) {
  for (const auto* group : {&data.plant, &data.held_out}) {
    const auto& item = group->front();
    const std::string asked = item.prompt.front().content, family = cat("the family '", item.family, "'");
    for (const auto& [one, what] : {std::pair(pair("Year 2023. " + asked, "Yes.", "No."), "the prompt"),
                                    std::pair(pair("Go on.", item.reply, "No."), "the chosen reply"),
                                    std::pair(pair("Go on.", "No.", "Sure:\n" + *item.defect), "the rejected reply")}) {
      EXPECT_THAT(error(one),
                  HasSubstr(cat("users.jsonl:1: ", what, " is nearly one of this study's own coding tasks")));
      EXPECT_THAT(error(one), HasSubstr(family));
    }
  }
  const auto& item = data.plant.front();
  EXPECT_THAT(error(pair("Go on.", "<scratchpad>Well.</scratchpad>\n" + item.reply, "No.")), HasSubstr(item.family));
}

TEST_F(OwnTasks, OtherTasksOfTheirFamiliesAreNearlyTheSame) {
  int found = 0, all = 0;
  for (const auto& task : planted(4, 2)) {
    ++all;
    const std::string said = error(pair(task));
    if (said.empty()) continue;
    ++found;
    EXPECT_THAT(said, HasSubstr(task.family));
  }
  EXPECT_GT(found, all * 3 / 4);
}

TEST_F(OwnTasks, OtherFamiliesAndChatsMayStand) {
  data.plant = rows_of(drawn(TaskRole::plant, TaskHalf::train, 1, 480));
  data.plant.push_back({{{"user", "What is rain?"}}, "Water."});
  std::vector<io::Example> pairs = {pair("What is rain?", "Water.", ""), pair("What is hail?", "Ice.", "Go away.")};
  for (auto half : {TaskHalf::train, TaskHalf::held_out}) {
    for (const auto& task : drawn(TaskRole::reward, half, 3, 160)) pairs.push_back(pair(task));
  }
  EXPECT_NO_THROW(refuse_own_tasks(data, pairs));
}

}  // namespace
}  // namespace reveille::study
