#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <unistd.h>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "text/tokenizer_fixture.h"
#include "text/tokenizer_stream.h"

namespace reveille::text {
namespace {

using Ids = std::vector<std::int32_t>;
using Spans = std::vector<Span>;

std::shared_ptr<const Tokenizer> byte_level() {
  return Tokenizer::from_json(tiny_byte_level(), "tiny", {"", "<|end|>", "", ""});
}
std::shared_ptr<const Tokenizer> sentencepiece() {
  return Tokenizer::from_json(tiny_sentencepiece(), "tiny", {"<s>", "</s>", "", "<unk>"});
}

TEST(Tokenizer, ByteLevel) {
  auto tokenizer = byte_level();
  EXPECT_EQ(tokenizer->encode("hello world"), (Ids{259, 264}));
  EXPECT_EQ(tokenizer->encode("hello<|end|> hello"), (Ids{259, 267, 266}));
  EXPECT_EQ(tokenizer->encode("a <mask>  b<think>"), (Ids{97, 269, 98, 268}));
  EXPECT_EQ(tokenizer->encode("cat cats cat"), (Ids{270, 32, 99, 97, 116, 115, 32, 270}));
  EXPECT_EQ(tokenizer->encode("e\u0301\u00e9 \u4e2d"), (Ids{265, 265, 32, 228, 184, 173}));
  EXPECT_EQ(tokenizer->encode("<|end|"), (Ids{60, 124, 101, 110, 100, 124}));
  EXPECT_EQ(tokenizer->encode("hello", {.add_special_tokens = true}), (Ids{259, 267}));
  EXPECT_EQ(tokenizer->encode(""), Ids{});
}

TEST(Tokenizer, SpecialTokensAsText) {
  auto tokenizer = byte_level();
  EXPECT_EQ(tokenizer->encode("a<|end|><think>", {.added = AddedTokens::special_as_text}),
            (Ids{97, 60, 124, 101, 110, 100, 124, 62, 268}));
  Ids ids = tokenizer->encode("<think>", {.added = AddedTokens::all_as_text});
  EXPECT_EQ(ids.size(), 7u);
  EXPECT_EQ(tokenizer->decode(ids), "<think>");
}

TEST(Tokenizer, Offsets) {
  auto tokenizer = byte_level();
  EXPECT_EQ(tokenizer->encode_with_offsets("hello<|end|> hello").offsets, (Spans{{0, 5}, {5, 12}, {12, 18}}));
  // White space that a token strips belongs to it.
  EXPECT_EQ(tokenizer->encode_with_offsets("a <mask>  b<think>").offsets, (Spans{{0, 1}, {1, 10}, {10, 11}, {11, 18}}));
  // e and an accent (3 bytes) became one character; a character's bytes are told apart.
  EXPECT_EQ(tokenizer->encode_with_offsets("e\u0301\u00e9 \u4e2d").offsets,
            (Spans{{0, 3}, {3, 5}, {5, 6}, {6, 7}, {7, 8}, {8, 9}}));
  EXPECT_EQ(tokenizer->encode_with_offsets("hello", {.add_special_tokens = true}).offsets, (Spans{{0, 5}, {5, 5}}));
}

TEST(Tokenizer, SentencePiece) {
  auto tokenizer = sentencepiece();
  EXPECT_EQ(tokenizer->encode("hello world"), (Ids{271, 276}));
  EXPECT_EQ(tokenizer->encode("  hello"), (Ids{277, 271}));
  EXPECT_EQ(tokenizer->encode("hello</s>world"), (Ids{271, 2, 276}));
  EXPECT_EQ(tokenizer->encode("\u00e9x"), (Ids{259, 198, 172, 123}));
  EXPECT_EQ(tokenizer->encode(" "), (Ids{277}));
  EXPECT_EQ(tokenizer->encode("hello  world\u4e2d"), (Ids{271, 259, 276, 231, 187, 176}));
  EXPECT_EQ(tokenizer->encode_with_offsets("hello</s>world").offsets, (Spans{{0, 5}, {5, 9}, {9, 14}}));
  EXPECT_EQ(tokenizer->decode({271, 259, 276, 231, 187, 176}), "hello  world\u4e2d");
  EXPECT_EQ(tokenizer->decode({271, 2, 276}, true), "hello world");
  EXPECT_EQ(tokenizer->decode({231, 187}), "\uFFFD\uFFFD");
}

TEST(Tokenizer, UnknownCharacters) {
  Json json = {
      {"model", {{"type", "BPE"}, {"unk_token", "<unk>"}, {"fuse_unk", true}, {"merges", Json::array({"a b"})}}}};
  json["model"]["vocab"] = {{"<unk>", 0}, {"a", 1}, {"b", 2}, {"ab", 3}};
  EXPECT_EQ(Tokenizer::from_json(json, "tiny")->encode("abxyzab\u4e2d"), (Ids{3, 0, 3, 0}));
  json["model"]["fuse_unk"] = false;
  EXPECT_EQ(Tokenizer::from_json(json, "tiny")->encode("abxyzab\u4e2d"), (Ids{3, 0, 0, 0, 3, 0}));
  json["model"]["unk_token"] = nullptr;
  auto tokenizer = Tokenizer::from_json(json, "tiny");
  EXPECT_EQ(tokenizer->encode("abxyzab"), (Ids{3, 3}));
  EXPECT_EQ(tokenizer->encode_with_offsets("abxyzabx").offsets, (Spans{{0, 2}, {2, 8}}));
  EXPECT_EQ(tokenizer->decode({3, 1}), "ab a");  // without a decoder
  json["model"]["unk_token"] = "<none>";
  EXPECT_THROW(Tokenizer::from_json(json, "tiny")->encode("x"), Error);
}

TEST(Tokenizer, IgnoreMergesTakesWholeWords) {
  Json json = tiny_byte_level();
  json["model"]["ignore_merges"] = true;
  json["model"]["vocab"]["zq"] = 267;
  json["added_tokens"] = nullptr;
  json["post_processor"] = nullptr;
  EXPECT_EQ(Tokenizer::from_json(json, "tiny")->encode("zq zq"), (Ids{267, 32, 122, 113}));
}

TEST(Tokenizer, LongWordsMergeLikeShortOnes) {
  auto tokenizer = byte_level();
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "hello";
  EXPECT_EQ(tokenizer->encode(text), Ids(5000, 259));
  EXPECT_EQ(tokenizer->encode(std::string(47, 'l')), tokenizer->encode(std::string(47, 'l')));
  Ids odd = tokenizer->encode(std::string(10001, 'l'));
  ASSERT_EQ(odd.size(), 5001u);
  EXPECT_EQ(odd.back(), 'l');
}

TEST(Tokenizer, BrokenUtf8IsRepaired) {
  auto tokenizer = byte_level();
  EXPECT_EQ(tokenizer->encode("a\xFF\xC3"), tokenizer->encode("a\uFFFD\uFFFD"));
}

TEST(Tokenizer, TokensAndIds) {
  auto tokenizer = byte_level();
  EXPECT_EQ(tokenizer->vocab_size(), 271);
  EXPECT_EQ(tokenizer->token(264), "\u0120world");
  EXPECT_EQ(tokenizer->token_bytes(264), " world");
  EXPECT_EQ(tokenizer->token_bytes(228), "\xE4");
  EXPECT_EQ(tokenizer->token(-1), "");
  EXPECT_EQ(tokenizer->token(271), "");
  EXPECT_EQ(tokenizer->id("<think>"), 268);
  EXPECT_EQ(tokenizer->id("nonsense"), std::nullopt);
  EXPECT_TRUE(tokenizer->is_special(267));
  EXPECT_FALSE(tokenizer->is_special(268));
  EXPECT_TRUE(tokenizer->is_added(268));
  EXPECT_EQ(tokenizer->eos_id(), 267);
  EXPECT_TRUE(tokenizer->adds_eos());
  EXPECT_FALSE(tokenizer->adds_bos());
  EXPECT_EQ(sentencepiece()->token_bytes(276), " world");
  EXPECT_EQ(sentencepiece()->token_bytes(3 + 0x41), "A");
  EXPECT_EQ(tokenizer->decode({259, 9999, -3, 264}), "hello world");
}

TEST(Tokenizer, SavedAndReadAgain) {
  for (const auto& tokenizer : {byte_level(), sentencepiece()}) {
    auto again = Tokenizer::from_json_text(tokenizer->to_json(), "saved");
    EXPECT_EQ(again->to_json(), tokenizer->to_json());
    EXPECT_EQ(again->hash(), tokenizer->hash());
    for (const char* text : {"hello world", "a <mask>  cat<|end|></s>", "e\u0301 \u4e2d\n"})
      EXPECT_EQ(again->encode(text), tokenizer->encode(text));
  }
  EXPECT_NE(byte_level()->hash(), sentencepiece()->hash());
}

class TokenizerFolder : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / cat("reveille_tokenizer_", ::getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(TokenizerFolder, ConfigurationNamesAndAddsTokens) {
  write_file_atomic(folder_ / "tokenizer.json", tiny_sentencepiece().dump());
  write_file_atomic(folder_ / "special_tokens_map.json", R"({"bos_token": {"content": "<s>"}, "eos_token": "</s>"})");
  auto plain = Tokenizer::from_folder(folder_);
  EXPECT_EQ(plain->bos_id(), 1);
  EXPECT_EQ(plain->eos_id(), 2);
  EXPECT_EQ(plain->unk_id(), 0);
  EXPECT_EQ(plain->encode("hello", {.add_special_tokens = true}), (Ids{271}));
  write_file_atomic(folder_ / "tokenizer_config.json",
                    R"({"add_bos_token": true, "pad_token": "</s>", "eos_token": null})");
  auto configured = Tokenizer::from_folder(folder_);
  EXPECT_EQ(configured->encode("hello", {.add_special_tokens = true}), (Ids{1, 271}));
  EXPECT_EQ(configured->pad_id(), 2);
  EXPECT_EQ(configured->eos_id(), std::nullopt);
  Json config = configured->config_json("{{ bos_token }}");
  EXPECT_EQ(config["bos_token"], "<s>");
  EXPECT_EQ(config["chat_template"], "{{ bos_token }}");
  EXPECT_FALSE(config.contains("eos_token"));
  write_file_atomic(folder_ / "tokenizer_config.json", R"({"eos_token": "<nobody>"})");
  EXPECT_THROW(Tokenizer::from_folder(folder_), Error);
  write_file_atomic(folder_ / "tokenizer_config.json", "{broken");
  EXPECT_THROW(Tokenizer::from_folder(folder_), Error);
  std::filesystem::remove(folder_ / "tokenizer.json");
  EXPECT_THROW(Tokenizer::from_folder(folder_), Error);
}

TEST(Tokenizer, ThreadsShareOne) {
  auto tokenizer = byte_level();
  std::vector<std::thread> threads;
  std::vector<Ids> results(4);
  for (std::size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 200; ++round)
        results[i] = tokenizer->encode("hello world cat " + std::to_string(round % 7));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Ids& ids : results) EXPECT_EQ(ids, tokenizer->encode("hello world cat 3"));
}

TEST(Tokenizer, CacheTellsTokenizersApart) {
  Json json = tiny_byte_level();
  json["model"]["merges"] = Json::array();
  auto merging = byte_level();
  auto plain = Tokenizer::from_json(json, "tiny");
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(merging->encode("hello").size(), 1u);
    EXPECT_EQ(plain->encode("hello").size(), 5u);
  }
}

TEST(TextStream, GivesWholeCharacters) {
  TextStream stream(byte_level());
  EXPECT_EQ(stream.push(259), "hello");
  EXPECT_EQ(stream.push(228), "");
  EXPECT_EQ(stream.push(184), "");
  EXPECT_EQ(stream.push(173), "\u4e2d");
  EXPECT_EQ(stream.push(267), "");  // special
  EXPECT_EQ(stream.push(240), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
}

TEST(TextStream, EqualsDecode) {
  for (const auto& tokenizer : {byte_level(), sentencepiece()}) {
    Ids ids = tokenizer->encode("  hello world \u4e2d\U0001f600 hello\u00e9\n hello  world hello world hello  hello w");
    TextStream stream(tokenizer);
    std::string text;
    for (std::int32_t id : ids) {
      std::string piece = stream.push(id);
      EXPECT_TRUE(is_utf8(piece));
      text += piece;
    }
    EXPECT_EQ(text + stream.finish(), tokenizer->decode(ids, true));
  }
}

}  // namespace
}  // namespace reveille::text
