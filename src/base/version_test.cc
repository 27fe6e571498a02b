#include "base/version.h"

#include <gmock/gmock.h>

#include "base/built_in_models.h"

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
TEST(BuiltInModels, HashesAreLowerCaseHex) {
  for (const auto& model : kBuiltInModels) {
    EXPECT_THAT(std::string(model.sha256), testing::MatchesRegex("[0-9a-f]+"));
    EXPECT_EQ(model.sha256.size(), 64u);
  }
  EXPECT_FALSE(kEmbeddedModel.fetched());
}

}  // namespace
}  // namespace reveille
