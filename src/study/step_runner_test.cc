#include "study/step_runner.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/temp_folder_testing.h"

namespace reveille::study {
namespace {

struct Steps : ::testing::Test {
  TempFolder temp;
  Store store{temp / "store"};
  int worked = 0;
  Step step{.name = "a step", .options = Json{{"x", 1}}};

  void SetUp() override {
    make_folders(store.root());
    step.key = step_key(step.name, step.version, step.options, step.inputs);
    step.work = [this](const std::filesystem::path& folder) {
      ++worked;
      write_json(folder / "out.json", worked);
    };
  }
};

TEST_F(Steps, AreWorkedOnOnce) {
  EXPECT_FALSE(store.has(step.key));
  ensure(store, step);
  const auto again = ensure(store, step);
  EXPECT_EQ(worked, 1);
  EXPECT_EQ(again.now, 0);
  EXPECT_EQ(read_json(store.folder(step.key) / "out.json"), 1);
  EXPECT_EQ(read_json(store.folder(step.key) / "step.json").at("name"), "a step");
}

TEST_F(Steps, GoOnAfterAnErrorAndCountTheTimeOfAnInterruptedTry) {
  const auto good = step.work;
  step.work = [](const std::filesystem::path&) { fail(ErrorKind::bad_input, "no"); };
  EXPECT_THROW(ensure(store, step), Error);
  EXPECT_FALSE(store.has(step.key));
  // As a Ctrl-C leaves it, with a file half written and a checkpoint.
  const auto partial = store.partial_folder(step.key);
  write_json(partial / "seconds.json", 1000);
  write_file_atomic(partial / ".half.7.tmp", "x");
  step.work = good;
  EXPECT_GT(ensure(store, step).seconds, 1000);
  EXPECT_TRUE(store.has(step.key));
  EXPECT_FALSE(std::filesystem::exists(store.folder(step.key) / ".half.7.tmp"));
  EXPECT_GT(ensure(store, step).seconds, 1000) << "of a step in the store, the time that it took";
}

}  // namespace
}  // namespace reveille::study
