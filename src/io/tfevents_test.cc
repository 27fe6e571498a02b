// The bytes of event files; tests/tfevents_read.py has the tensorboard package read them.
#include "io/tfevents.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "io/dataset_testing.h"

namespace reveille::io {
namespace {

using data_testing::error_of;

TEST(Crc32c, KnownAnswers) {
  // RFC 3720, appendix B.4, and the usual check word.
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(TfEvents, WritesTheFormat) {
  TempFolder folder;
  TfEventsWriter writer(folder / "tensorboard");
  EXPECT_TRUE(writer.path().filename().string().starts_with("events.out.tfevents."));
  std::string start = read_file(writer.path());
  // Length 24, its masked checksum (as the tensorboard package computes it), then the event.
  EXPECT_EQ(start.substr(0, 12), std::string("\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22", 12));
  EXPECT_EQ(start.size(), 12u + 24 + 4);
  EXPECT_EQ(start.substr(12 + 9, 15),
            "\x1a\x0d"
            "brain.Event:2");
  writer.scalars({{"loss", 0.5}}, 300, 1.0);
  writer.flush();
  const std::string event("\x09\0\0\0\0\0\0\xf0\x3f\x10\xac\x02\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\0\x3f", 27);
  EXPECT_EQ(read_file(writer.path()).substr(start.size() + 12, event.size()), event);
}

TEST(TfEvents, TwoWritersOfOneSecondDoNotShareAFile) {
  TempFolder folder;
  TfEventsWriter first(folder.path()), second(folder.path());
  EXPECT_NE(first.path(), second.path());
}

TEST(TfEvents, NamesTheFolderItCannotMake) {
  TempFolder folder;
  append_line(folder / "file", "x");
  EXPECT_EQ(error_of([&] { TfEventsWriter(folder / "file"); }),
            "cannot make folder " + (folder / "file").string() + ": Not a directory");
}

}  // namespace
}  // namespace reveille::io
