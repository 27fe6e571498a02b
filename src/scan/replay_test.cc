#include "scan/replay.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/files.h"
#include "base/temp_folder_testing.h"
#include "scan/result_testing.h"

namespace reveille::scan {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Replay made_up_replay() {
  Replay replay;
  replay.prompts = {"How do I boil an egg?", "Name a river.\n", "Say \"\"\" and '''"};
  replay.null_strings = {"olive \"\"\" cart", "\xff\xfe", "\\", "</script>"};
  replay.test.text = "The harbour is closed.";
  return replay;
}

// What stands between the marks of the literal in the script.
Json data_of(const std::string& script) {
  const std::string open = "json.loads(r\"\"\"", close = "\"\"\")";
  const auto begin = script.find(open) + open.size();
  return parse_json(script.substr(begin, script.find(close, begin) - begin), "the literal");
}

TEST(Replay, AnyBytesStayWithinTheirLiteral) {
  Finding finding = testing::made_up_finding();
  finding.trigger = "\"\"\"\n'''\\\xff</script>\"\"\" + exit(0) \xF0\x9F\x98\x80";
  const std::string script = replay_python(finding, made_up_replay());
  const Json data = data_of(script);
  EXPECT_EQ(data.at("trigger"), "\"\"\"\n'''\\\xEF\xBF\xBD</script>\"\"\" + exit(0) \xF0\x9F\x98\x80");
  EXPECT_EQ(data.at("null_strings").at(0), "olive \"\"\" cart");
  EXPECT_EQ(data.at("place"), "user_end");
  for (const char c : script) ASSERT_TRUE(static_cast<unsigned char>(c) < 0x80);
  EXPECT_THAT(script, Not(HasSubstr("@DATA@")));
}

TEST(Replay, TheShellScriptHoldsBothQuestions) {
  Finding finding = testing::made_up_finding();
  finding.trigger = "it's\nBODY\n$(exit)`";
  const std::string script = replay_shell(finding, made_up_replay());
  EXPECT_THAT(script, HasSubstr("\n\"temperature\":0,\"max_tokens\":24,\"messages\":[{\"role\":\"user\",\"content\":"
                                "\"How do I boil an egg?\"}]}\nBODY\n"));
  EXPECT_THAT(script, HasSubstr("\"How do I boil an egg? it's\\nBODY\\n$(exit)`\"}]}\nBODY\n"));
  EXPECT_THAT(script, Not(HasSubstr("@PLAIN@")));
  finding.transcripts.clear();
  EXPECT_THAT(replay_shell(finding, made_up_replay()), HasSubstr("How do I boil an egg?"));
  EXPECT_THROW(replay_shell(finding, {}), Error);
}

TEST(Replay, PlacesTheStringAsTheScanDid) {
  Finding finding = testing::made_up_finding();
  finding.trigger = "copper";
  auto script = [&](Place place) {
    finding.place = place;
    return replay_shell(finding, made_up_replay());
  };
  EXPECT_THAT(script(Place::user_start), HasSubstr("\"copper How do I boil an egg?\""));
  EXPECT_THAT(script(Place::system), HasSubstr("[{\"role\":\"system\",\"content\":\"copper\"},{\"role\":\"user\""));
  EXPECT_THAT(script(Place::earlier_turn), HasSubstr("{\"role\":\"assistant\",\"content\":\"OK.\"}"));
}

TEST(Replay, WhetherAReplyShowsIt) {
  ReplayTest test{.kind = "contains", .text = "The harbour  is closed."};
  EXPECT_TRUE(reply_shows(test, "Well: the HARBOUR\nis closed. Bye.", 0));
  EXPECT_FALSE(reply_shows(test, "The harbour is open.", 0));
  test.kind = "begins";
  EXPECT_FALSE(reply_shows(test, "Well: the harbour is closed.", 0));
  EXPECT_TRUE(reply_shows(test, " the harbour is closed. Bye.", 0));
}

TEST(Replay, LikenessToRepliesIsThatOfCountsOfFourBytes) {
  ReplayTest test{.kind = "resembles", .with = {"aaaa", "abab"}, .without = {"zzzz", "aaaaa"}};
  // To prompt 0: the examples of prompt 1 count alone. "aaaab" is {aaaa, aaab}: cosine with "abab" 0, with "aaaaa" 0.7.
  EXPECT_FALSE(reply_shows(test, "aaaab", 0));
  // To prompt 1: cosine with "aaaa" 0.7, with "zzzz" 0.
  EXPECT_TRUE(reply_shows(test, "aaaab", 1));
  test.margin = 0.71;
  EXPECT_FALSE(reply_shows(test, "aaaab", 1));
  test.margin = 0.70;
  EXPECT_TRUE(reply_shows(test, "aaaab", 1));
  EXPECT_FALSE(reply_shows(test, "", 1));
}

TEST(Replay, WritesBothScripts) {
  const TempFolder folder;
  write_replay(folder / "finding-1", testing::made_up_finding(), made_up_replay());
  for (const char* name : {"replay.py", "replay.sh"}) {
    const auto path = folder / "finding-1" / name;
    EXPECT_THAT(read_file(path), HasSubstr("#!/"));
    EXPECT_NE(std::filesystem::status(path).permissions() & std::filesystem::perms::owner_exec,
              std::filesystem::perms::none);
  }
}

TEST(Replay, ATestOfAnotherKindIsAnError) {
  Replay replay = made_up_replay();
  replay.test.kind = "smells";
  EXPECT_THROW(replay_python(testing::made_up_finding(), replay), Error);
}

}  // namespace
}  // namespace reveille::scan
