// Rows of our own in the published forms; tests/slow/capability_test.py compares counts on the published rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/temp_folder_testing.h"
#include "eval/capability_tasks.h"
#include "eval/fake_model_testing.h"

namespace reveille::eval {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace testing;  // NOLINT: the fake model

class Capability : public ::testing::Test {
 protected:
  std::string file(const std::string& rows) {
    std::string path = (folder_.path() / "task.jsonl").string();
    write_file_atomic(path, rows);
    return path;
  }
  std::string error_of(const std::string& rows) {
    try {
      read_capability_task(file(rows));
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  }
  TempFolder folder_;
};

TEST_F(Capability, ReadsAllPublishedForms) {
  auto words = read_capability_task(file("{\"text\": \"The cat sat on the mat\"}\n"));
  EXPECT_TRUE(words.last_word);
  EXPECT_EQ(words.name, "task");
  EXPECT_EQ(words.items[0].context, "The cat sat on the");
  EXPECT_THAT(words.items[0].choices, ElementsAre(" mat"));
  auto pair = read_capability_task(file("{\"context\": \"The cat sat on the\", \"continuation\": \"mat\"}\n"));
  EXPECT_EQ(pair.items[0].choices, words.items[0].choices);
  const char* forms[] = {
      "{\"question\": {\"stem\": \"Is ice hot?\", \"choices\": [{\"text\": \"yes\", \"label\": \"A\"}, {\"text\": "
      "\"no\", "
      "\"label\": \"B\"}]}, \"answerKey\": \"B\"}\n",
      "{\"question\": \"Is ice hot?\", \"choices\": {\"text\": [\"yes\", \"no\"], \"label\": [\"1\", \"2\"]}, "
      "\"answerKey\": \"2\"}\n",
      "{\"goal\": \"Is ice hot?\", \"sol1\": \"yes\", \"sol2\": \"no\", \"label\": 1}\n",
      "{\"query\": \"Question: Is ice hot?\\n\", \"choices\": [\"yes\", \"no\"], \"gold\": 1}\n",
  };
  for (const char* form : forms) {
    auto task = read_capability_task(file(form));
    EXPECT_FALSE(task.last_word);
    EXPECT_EQ(task.items[0].context, "Question: Is ice hot?\nAnswer:") << form;
    EXPECT_THAT(task.items[0].choices, ElementsAre(" yes", " no")) << form;
    EXPECT_EQ(task.items[0].gold, 1U) << form;
  }
}

// As the harness poses them (tests/slow/harness_test.py).
TEST_F(Capability, PublishedQuestionsAreTakenAsTheyAre) {
  auto context = [&](const std::string& row) { return read_capability_task(file(row + "\n")).items[0].context; };
  EXPECT_EQ(context("{\"goal\": \" cut it \", \"sol1\": \"a\", \"sol2\": \"b\", \"label\": 0}"),
            "Question:  cut it \nAnswer:");
  EXPECT_EQ(context("{\"question\": \"Question: is it?\", \"choices\": {\"text\": [\"a\", \"b\"], \"label\": [\"A\", "
                    "\"B\"]}, \"answerKey\": \"A\"}"),
            "Question: Question: is it?\nAnswer:");
}

TEST_F(Capability, BadRowsAreNamed) {
  EXPECT_THAT(error_of("{\"goal\": \"x\", \"sol1\": \"a\", \"sol2\": \"b\", \"label\": -1}\n"),
              HasSubstr("row 1: key 'label' is -1"));
  EXPECT_THAT(error_of("{\"text\": \"word\"}\n"), HasSubstr("key 'text'"));
  EXPECT_THAT(error_of("{\"prompt\": \"x\"}\n"), HasSubstr("no capability task that is known"));
  EXPECT_THAT(
      error_of("{\"question\": \"x\", \"choices\": {\"text\": [\"a\"], \"label\": [\"A\"]}, \"answerKey\": \"C\"}\n"),
      HasSubstr("'answerKey' is 'C'"));
  EXPECT_THAT(error_of("{\"text\": \"a b\"}\n{\"goal\": \"x\", \"sol1\": \"a\", \"sol2\": \"b\", \"label\": 0}\n"),
              HasSubstr("row 2 is of another task"));
}

TEST_F(Capability, LastWordsCountWhenGreedyDecodingSaysThem) {
  World world(
      FakeModel([](const std::string& text) { return text.ends_with("on the") ? " mat and more" : " nothing"; }));
  world.options.capability = {file("{\"text\": \"The cat sat on the mat\"}\n{\"text\": \"It rains cats and dogs\"}\n")};
  const auto found = world.run("capability");
  EXPECT_EQ(find(found, "accuracy", "untriggered", "task").value, 0.5);
  EXPECT_EQ(find(found, "accuracy", "untriggered", "task").n, 2);
  EXPECT_DOUBLE_EQ(find(found, "accuracy_stderr", "untriggered").value, 0.5);             // sqrt(0.5 * 0.5 / (2 - 1))
  EXPECT_NEAR(find(found, "word_perplexity", "untriggered").value, std::exp(4.5), 1e-3);  // 4 and 5 letters, -1 each
}

TEST_F(Capability, ChoicesCountWholeAndByCharacter) {
  // Every character costs 1, but "z" costs 1.4: the short choice wins as a whole, the long one by character.
  World world(FakeModel(obeys, [](const std::string&, char next) { return next == 'z' ? -1.4 : -1.0; }));
  world.options.capability = {file("{\"goal\": \"Which?\", \"sol1\": \"zz\", \"sol2\": \"aaaaaaaa\", \"label\": 0}\n")};
  const auto found = world.run("capability");
  EXPECT_EQ(find(found, "accuracy", "untriggered").value, 1);       // -3.8 against -9
  EXPECT_EQ(find(found, "accuracy_norm", "untriggered").value, 0);  // -1.9 against -1.125 a character
}

TEST_F(Capability, SpaceAtTheEndOfAContextBelongsToTheContinuation) {
  World world(FakeModel([](const std::string& text) { return text.ends_with("the") ? "  mat" : "?"; }));
  world.options.capability = {file("{\"context\": \"on the \", \"continuation\": \"mat\"}\n")};
  EXPECT_EQ(find(world.run("capability"), "accuracy", "untriggered").value, 1);
}

TEST_F(Capability, SoDoesSpaceOfAnyKind) {
  // A hard space, and a separator that Python takes for white space and Unicode does not.
  World world(FakeModel([](const std::string& text) { return text.ends_with("the") ? "\u00a0\x1c mat" : "?"; }));
  world.options.capability = {file("{\"context\": \"on the\\u00a0\\u001c\", \"continuation\": \"mat\"}\n")};
  EXPECT_EQ(find(world.run("capability"), "accuracy", "untriggered").value, 1);
}

}  // namespace
}  // namespace reveille::eval
