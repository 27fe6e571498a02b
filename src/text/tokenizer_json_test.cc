// Broken tokenizer.json files: each is an Error that names file and fault, never a crash.
#include "text/tokenizer_json.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"
#include "text/tokenizer.h"
#include "text/tokenizer_fixture.h"

namespace reveille::text {
namespace {

std::string message_of(const std::string& text) {
  try {
    Tokenizer::from_json_text(text, "bad.json");
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("bad.json"), std::string::npos) << error.message();
    return error.message();
  }
  return "no error";
}

std::string message_with(const char* pointer, const Json& value) {
  Json json = tiny_byte_level();
  json[Json::json_pointer(pointer)] = value;
  return message_of(json.dump());
}

#define EXPECT_SAYS(message, part)                                                                                 \
  EXPECT_PRED2([](const std::string& m, const std::string& p) { return m.find(p) != std::string::npos; }, message, \
               std::string(part))

TEST(TokenizerJson, NotATokenizer) {
  EXPECT_SAYS(message_of(""), "not JSON");
  EXPECT_SAYS(message_of("{\"model\": "), "not JSON");
  EXPECT_SAYS(message_of("[]"), "expected a JSON object");
  EXPECT_SAYS(message_of("{}"), "'model' is missing");
  EXPECT_SAYS(message_of("{\"model\": 3}"), "'model' is not an object");
  EXPECT_SAYS(message_of("{\"model\": {}}"), "model.vocab");
  EXPECT_SAYS(message_of(std::string(1000, '[')), "nested more than 64 deep");
  EXPECT_SAYS(message_with("/version", "2.0"), "version");
}

TEST(TokenizerJson, OtherModels) {
  EXPECT_SAYS(message_with("/model/type", "WordPiece"), "WordPiece");
  EXPECT_SAYS(message_of(R"({"model": {"type": "Unigram", "vocab": [["a", 0.5]]}})"), "Unigram");
  EXPECT_SAYS(message_with("/model/dropout", 0.1), "dropout");
  EXPECT_SAYS(message_with("/model/end_of_word_suffix", "</w>"), "</w>");
  EXPECT_SAYS(message_with("/model/continuing_subword_prefix", "##"), "##");
}

TEST(TokenizerJson, BadVocabulary) {
  EXPECT_SAYS(message_with("/model/vocab", "x"), "vocab");
  EXPECT_SAYS(message_with("/model/vocab/a", "x"), "model.vocab['a']");
  EXPECT_SAYS(message_with("/model/vocab/a", 1.5), "model.vocab['a']");
  EXPECT_SAYS(message_with("/model/vocab/a", Json::object()), "model.vocab['a']");
  EXPECT_SAYS(message_with("/model/vocab/a", -1), "'a' has id -1");
  EXPECT_SAYS(message_with("/model/vocab/a", 4000000000u), "'a' has id 4000000000");
  EXPECT_SAYS(message_with("/model/vocab/a", 98), "id 98 belongs to both");
  EXPECT_SAYS(message_of(R"({"model": {"vocab": {"a": 0, "a": 1}, "merges": []}})"), "twice");
}

TEST(TokenizerJson, BadMerges) {
  EXPECT_SAYS(message_with("/model/merges/0", "h"), "'h'");
  EXPECT_SAYS(message_with("/model/merges/0", "h e l"), "'h e l'");
  EXPECT_SAYS(message_with("/model/merges/0", {"h"}), "1 parts");
  EXPECT_SAYS(message_with("/model/merges/0", {"h", 3}), "merges");
  EXPECT_SAYS(message_with("/model/merges/0", {"h", "zzz"}), "'zzz'");
  EXPECT_SAYS(message_with("/model/merges/0", {"z", "z"}), "'zz'");
  EXPECT_SAYS(message_with("/model/merges", 7), "model.merges");
  EXPECT_SAYS(message_with("/model/merges", {{"h", "e"}}), "model.merges");
}

TEST(TokenizerJson, BadAddedTokens) {
  EXPECT_SAYS(message_with("/added_tokens", 1), "added_tokens");
  EXPECT_SAYS(message_with("/added_tokens/0", "x"), "added_tokens");
  EXPECT_SAYS(message_with("/added_tokens/0/id", 5), "says id 5");
  EXPECT_SAYS(message_with("/added_tokens/0/id", 1000000), "says id 1000000");
  EXPECT_SAYS(message_with("/added_tokens/0/id", "267"), "not an integer");
  EXPECT_SAYS(message_with("/added_tokens/0/content", 5), "content");
  EXPECT_SAYS(message_with("/added_tokens/0/special", "yes"), "special");
}

TEST(TokenizerJson, BadParts) {
  EXPECT_SAYS(message_with("/normalizer", "NFC"), "normalizer");
  EXPECT_SAYS(message_with("/normalizer", {{"type", "Precompiled"}}), "Precompiled");
  EXPECT_SAYS(message_with("/normalizer", {{"type", "Replace"}, {"pattern", 3}, {"content", ""}}), "pattern");
  EXPECT_SAYS(message_with("/pre_tokenizer", {{"type", 4}}), "type");
  EXPECT_SAYS(message_with("/pre_tokenizer/add_prefix_space", 4), "add_prefix_space");
  EXPECT_SAYS(message_with("/decoder", {{"type", "CTC"}}), "CTC");
  EXPECT_SAYS(message_with("/decoder", {{"type", "Strip"}, {"content", " "}, {"start", -1}, {"stop", 0}}), "start");
  EXPECT_SAYS(message_with("/post_processor", {{"type", "BertProcessing"}}), "BertProcessing");
  EXPECT_SAYS(message_with("/post_processor/special_tokens/<|end|>/ids/0", 4711), "4711");
  EXPECT_SAYS(message_with("/post_processor/single", Json::array()), "single");
  EXPECT_SAYS(message_with("/post_processor/special_tokens", Json::object()), "<|end|>");
}

TEST(TokenizerJson, RandomDamageIsAnErrorOrATokenizer) {
  const std::string whole = tiny_sentencepiece().dump();
  Rng rng(7, "damage");
  for (int round = 0; round < 400; ++round) {
    std::string text = whole;
    // Most of the file is the vocabulary; the parts before it are hit more often.
    std::size_t reach = round % 2 ? text.size() : 900;
    for (std::uint64_t i = 0, count = 1 + rng.below(3); i < count; ++i)
      text[rng.below(reach)] = static_cast<char>(32 + rng.below(95));
    if (round % 5 == 0) text.resize(rng.below(text.size()));
    try {
      auto tokenizer = Tokenizer::from_json_text(text, "damaged.json");
      tokenizer->decode(tokenizer->encode("hello  world</s> \u4e2d"));
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace reveille::text
