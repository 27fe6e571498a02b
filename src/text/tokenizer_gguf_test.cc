#include "text/tokenizer_gguf.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "text/spm.h"
#include "text/tokenizer.h"
#include "text/tokenizer_fixture.h"

namespace reveille::text {
namespace {

using Ids = std::vector<std::int32_t>;

GgufVocab byte_level_vocab(const std::string& pre) {
  Json json = tiny_byte_level();
  GgufVocab vocab;
  vocab.architecture = "llama";
  vocab.model = "gpt2";
  vocab.pre = pre;
  for (const auto& [token, id] : json["model"]["vocab"].items()) vocab.tokens.push_back(token);
  vocab.token_types.assign(vocab.tokens.size(), kGgufNormal);
  vocab.tokens.insert(vocab.tokens.end(), {"<|end|>", "<think>"});
  vocab.token_types.insert(vocab.token_types.end(), {kGgufControl, kGgufUserDefined});
  for (const Json& merge : json["model"]["merges"])
    vocab.merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  vocab.eos = 267;
  return vocab;
}

GgufVocab sentencepiece_vocab() {
  GgufVocab vocab;
  vocab.architecture = "llama";
  vocab.model = "llama";
  vocab.tokens = tiny_pieces();
  vocab.token_types.assign(vocab.tokens.size(), kGgufByte);
  for (std::size_t i = 0; i < vocab.tokens.size(); ++i) {
    if (i < 3) vocab.token_types[i] = i == 0 ? kGgufUnknown : kGgufControl;
    if (i >= 259) vocab.token_types[i] = kGgufNormal;
  }
  vocab.scores.assign(vocab.tokens.size(), 0);
  float score = 0;
  for (const char* piece : {"he", "ll", "hell", "hello", "\u2581hello", "or", "\u2581w", "\u2581wor", "ld",
                            "\u2581world", "\u2581\u2581"}) {
    vocab.tokens.emplace_back(piece);
    vocab.token_types.push_back(kGgufNormal);
    vocab.scores.push_back(--score);
  }
  vocab.unk = 0;
  vocab.bos = 1;
  vocab.eos = 2;
  return vocab;
}

TEST(TokenizerGguf, ByteLevel) {
  auto tokenizer = Tokenizer::from_gguf(byte_level_vocab("smollm"), "tiny.gguf");
  EXPECT_EQ(tokenizer->encode("hello<|end|> hello12 world<think>"), (Ids{259, 267, 266, 49, 50, 264, 268}));
  EXPECT_EQ(tokenizer->encode("  1"), (Ids{32, 32, 49}));  // digits alone, before anything else
  EXPECT_TRUE(tokenizer->is_special(267));
  EXPECT_FALSE(tokenizer->is_special(268));
  EXPECT_EQ(tokenizer->eos_id(), 267);
  EXPECT_FALSE(tokenizer->adds_bos());
  EXPECT_EQ(tokenizer->decode({259, 264}), "hello world");
}

TEST(TokenizerGguf, SentencePieceByScores) {
  auto tokenizer = Tokenizer::from_gguf(sentencepiece_vocab(), "tiny.gguf");
  auto reference = Tokenizer::from_json(tiny_sentencepiece(), "tiny");
  for (const char* text : {"hello world", "  hello", "hello</s>world", "\u00e9x", "", " ", "hello  world\u4e2d"}) {
    EXPECT_EQ(tokenizer->encode(text), reference->encode(text)) << text;
  }
  // Unless the file says otherwise, such vocabularies begin with <s>.
  EXPECT_EQ(tokenizer->encode("hello", {.add_special_tokens = true}), (Ids{1, 271}));
}

TEST(TokenizerGguf, GemmaHasSpacesInPlaceOfSigns) {
  GgufVocab vocab = sentencepiece_vocab();
  vocab.architecture = "gemma3";
  vocab.tokens.back() = "  ";
  vocab.token_types.back() = kGgufUserDefined;
  vocab.scores.clear();
  auto tokenizer = Tokenizer::from_gguf(vocab, "tiny.gguf");
  EXPECT_EQ(tokenizer->encode("hello  "), (Ids{270, 277}));  // no space is put in front
  EXPECT_EQ(tokenizer->decode({270, 277}), "hello  ");
}

TEST(TokenizerGguf, ControlTokensAreNotMerged) {
  std::vector<SpmPiece> pieces = {{"<", 0, true},   {"s>", 0, true}, {"<s>", 0, false},
                                  {"ab", -1, true}, {"a", 0, true},  {"b", 0, true}};
  EXPECT_EQ(spm_merges(pieces), (std::vector<std::pair<std::string, std::string>>{{"a", "b"}}));
}

TEST(TokenizerGguf, MergesOfEqualScoreGoByLength) {
  std::vector<SpmPiece> pieces = {{"a", 0, true}, {"aa", 0, true}, {"aaa", 0, true}};
  EXPECT_EQ(spm_merges(pieces),
            (std::vector<std::pair<std::string, std::string>>{{"aa", "a"}, {"a", "aa"}, {"a", "a"}}));
}

TEST(TokenizerGguf, ThereAndBack) {
  for (const GgufVocab& vocab : {byte_level_vocab("smollm"), byte_level_vocab("gpt-2"), byte_level_vocab("llama-bpe"),
                                 byte_level_vocab("qwen2"), byte_level_vocab("tekken"), sentencepiece_vocab()}) {
    auto tokenizer = Tokenizer::from_gguf(vocab, "tiny.gguf");
    GgufVocab back = tokenizer->to_gguf_vocab();
    EXPECT_EQ(back.model, vocab.model);
    EXPECT_EQ(back.pre, vocab.pre);
    EXPECT_EQ(back.tokens, vocab.tokens);
    EXPECT_EQ(back.token_types, vocab.token_types);
    EXPECT_EQ(back.merges, vocab.merges);
    EXPECT_EQ(back.eos, vocab.eos);
    auto again = Tokenizer::from_gguf(back, "again.gguf");
    EXPECT_EQ(again->hash(), tokenizer->hash()) << vocab.pre;
  }
}

std::string message_of(const GgufVocab& vocab) {
  try {
    Tokenizer::from_gguf(vocab, "bad.gguf");
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

TEST(TokenizerGguf, BadMetadataIsNamed) {
  EXPECT_NE(message_of(byte_level_vocab("smolm")).find("did you mean 'smollm'"), std::string::npos);
  GgufVocab vocab = byte_level_vocab("smollm");
  vocab.model = "t5";
  EXPECT_NE(message_of(vocab).find("'t5'"), std::string::npos);
  vocab = byte_level_vocab("smollm");
  vocab.eos = 999;
  EXPECT_NE(message_of(vocab).find("eos_token_id is 999"), std::string::npos);
  vocab = byte_level_vocab("smollm");
  vocab.token_types.pop_back();
  EXPECT_NE(message_of(vocab).find("token_type has 268"), std::string::npos);
  vocab = byte_level_vocab("smollm");
  vocab.merges.push_back("nospace");
  EXPECT_NE(message_of(vocab).find("'nospace'"), std::string::npos);
  vocab = byte_level_vocab("smollm");
  vocab.tokens[5] = "\xFF";
  EXPECT_NE(message_of(vocab).find("token 5"), std::string::npos);
  vocab = byte_level_vocab("smollm");
  vocab.tokens[5] = vocab.tokens[6];
  EXPECT_NE(message_of(vocab).find("twice"), std::string::npos);
  vocab = sentencepiece_vocab();
  vocab.scores.clear();
  EXPECT_NE(message_of(vocab).find("scores"), std::string::npos);
  EXPECT_NE(message_of(GgufVocab{}).find("empty"), std::string::npos);
}

}  // namespace
}  // namespace reveille::text
