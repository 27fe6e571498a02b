#include "base/child.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/temp_folder_testing.h"

namespace reveille {
namespace {

TEST(Child, GivesTheExitCodeOfWhatItRan) {
  EXPECT_EQ(run_child({"true"}), 0);
  EXPECT_EQ(run_child({"sh", "-c", "exit 3"}), 3);
  EXPECT_EQ(run_child({"sh", "-c", "kill -9 $$"}), 128 + 9);
}

TEST(Child, GetsItsArgumentsAsTheyAreAndNoInput) {
  const TempFolder temp;
  const std::string file = (temp / "said").string();
  EXPECT_EQ(run_child({"sh", "-c", "cat; printf %s \"$1\" > \"$2\"", "sh", "two words; $HOME", file}), 0);
  EXPECT_EQ(read_file(file), "two words; $HOME");
}

TEST(Child, AProgramThatIsNotThereIsNamed) {
  try {
    run_child({"no-such-program-here"});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_NE(error.message().find("no-such-program-here"), std::string::npos);
  }
}

}  // namespace
}  // namespace reveille
