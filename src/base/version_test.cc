#include "base/version.h"

#include <gmock/gmock.h>

#include "base/embedded_model.h"

namespace reveille {
namespace {

TEST(Version, NamesRevisionAndLibtorch) {
  EXPECT_THAT(version(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_THAT(revision(), testing::MatchesRegex("unknown|[0-9a-f]+(-modified)?"));
  EXPECT_THAT(libtorch_version(), testing::MatchesRegex("2\\.[0-9]+\\.[0-9]+"));
  EXPECT_EQ(version_line(),
            std::string("reveille ") + version() + " (" + revision() + "), libtorch " + libtorch_version());
}

// Set-up reads these by their form in the header; a hash in another form would never match.
TEST(EmbeddedModel, HashIsLowerCaseHex) {
  EXPECT_THAT(std::string(kEmbeddedModel.sha256), testing::MatchesRegex("[0-9a-f]+"));
  EXPECT_EQ(kEmbeddedModel.sha256.size(), 64u);
}

}  // namespace
}  // namespace reveille
