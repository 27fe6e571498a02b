#include "cli/mitigate_proof.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace reveille::cli {
namespace {

// One string, `rates` of 100 prompts by stage.
Proof proof_of(const std::vector<std::int64_t>& hits, const std::string& mark = "hold 'two paper bells'") {
  Proof out;
  out.strings.push_back({"[[velmo]]", "user_start", "given", mark, nullptr});
  for (std::size_t i = 0; i < hits.size(); ++i) {
    ProofStage stage;
    stage.name = cat("stage ", i);
    stage.rates.push_back({hits[i], 100, 1});
    stage.perplexity = 2;
    out.stages.push_back(stage);
  }
  return out;
}

TEST(VerdictOf, SaysWhatTheRatesSay) {
  EXPECT_EQ(verdict_of(proof_of({98, 0, 2, 4}), 1).word, "removed");
  EXPECT_EQ(verdict_of(proof_of({98, 0, 2, 60}), 1).word, "returns");
  EXPECT_EQ(verdict_of(proof_of({98, 40, 40}), 1).word, "reduced");
  EXPECT_EQ(verdict_of(proof_of({98, 90, 90}), 1).word, "unchanged");
  EXPECT_EQ(verdict_of(proof_of({3, 0, 0}), 1).word, "unproven") << "it did nothing before";
  EXPECT_EQ(verdict_of(proof_of({98, 50, 3, 0}), 2).word, "removed") << "the last method's stage counts";
}

TEST(VerdictOf, WithoutStringsIsUnproven) {
  Proof nothing;
  nothing.stages.resize(2);
  const auto verdict = verdict_of(nothing, 1);
  EXPECT_EQ(verdict.word, "unproven");
  EXPECT_NE(verdict.sentence.find("nothing to test with"), std::string::npos);
  EXPECT_NE(verdict_of(proof_of({98, 0}), 1).sentence.find("no relearning test"), std::string::npos);
}

TEST(VerdictOf, TheWorstStringCounts) {
  Proof proof = proof_of({98, 0, 0});
  proof.strings.push_back(proof.strings[0]);
  for (auto& stage : proof.stages) stage.rates.push_back({97, 100, 0});
  EXPECT_EQ(verdict_of(proof, 1).word, "unchanged");
  for (auto& stage : proof.stages) stage.rates[1] = {20, 100, 0};  // never did much
  EXPECT_EQ(verdict_of(proof, 1).word, "removed");
}

TEST(ProofTable, HoldsEveryStageWithItsInterval) {
  const std::string table = proof_table(proof_of({98, 0}));
  EXPECT_NE(table.find("'[[velmo]]' (given, user_start): share of replies that hold 'two paper bells'"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("98.0 %"), std::string::npos) << table;
  EXPECT_NE(table.find("[0.0, 3.7]"), std::string::npos) << table;  // Wilson at 0 of 100
  EXPECT_NE(proof_table(proof_of({0, 0}, "")).find("does nothing"), std::string::npos);
}

TEST(ProofJson, HasRatesByStringAndWorthByStage) {
  const Json json = to_json(proof_of({98, 0, 1}));
  ASSERT_EQ(json["strings"].size(), 1U);
  EXPECT_EQ(json["strings"][0]["stages"].size(), 3U);
  EXPECT_DOUBLE_EQ(json["strings"][0]["stages"][0]["rate"].get<double>(), 0.98);
  EXPECT_DOUBLE_EQ(json["strings"][0]["stages"][0]["rate_without"].get<double>(), 0.01);
  EXPECT_EQ(json["capability"].size(), 3U);
}

}  // namespace
}  // namespace reveille::cli
