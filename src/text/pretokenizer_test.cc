#include "text/pretokenizer.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "text/pretokenizer_pattern.h"

// Expected words: Hugging Face tokenizers 0.23.
namespace reveille::text {
namespace {

std::vector<std::string> words_of(const Json& part, const std::string& text) {
  auto pre_tokenizer = make_pre_tokenizer(part, "test");
  Words words{{text, {}, 0, true}, {{0, static_cast<std::uint32_t>(text.size())}}};
  pre_tokenizer->apply(words);
  std::vector<std::string> out;
  for (Span span : words.spans) out.push_back(words.text.text.substr(span.begin, span.end - span.begin));
  return out;
}

Json split_part(const std::string& kind, const std::string& pattern, const std::string& behavior, bool invert = false) {
  return {{"type", "Split"}, {"pattern", {{kind, pattern}}}, {"behavior", behavior}, {"invert", invert}};
}

Json byte_level(bool regex) { return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", regex}}; }

using List = std::vector<std::string>;
const std::string kText = "I'll say 'HELLO'  12345 times\r\n\r\n  don'T ...\n x\t\u00a0\u0663\u0664";

TEST(PreTokenizer, Gpt2) {
  EXPECT_EQ(words_of(byte_level(true), kText),
            (List{"I", "'ll", " say", " '", "HELLO", "'", " ", " 12345", " times", "\r\n\r\n ", " don", "'", "T",
                  " ...", "\n", " x", "\t", "\u00a0", "\u0663\u0664"}));
  EXPECT_EQ(words_of(byte_level(true), "'\u017f x'S"), (List{"'", "\u017f", " x", "'", "S"}));
}

TEST(PreTokenizer, Llama3) {
  EXPECT_EQ(words_of(split_part("Regex", kLlama3Expression, "Isolated"), kText),
            (List{"I",      "'ll",      " say", " '",   "HELLO", "'",      " ",  " ",  "123",    "45",
                  " times", "\r\n\r\n", " ",    " don", "'T",    " ...\n", " x", "\t", "\u00a0", "\u0663\u0664"}));
  EXPECT_EQ(words_of(split_part("Regex", kLlama3Expression, "Isolated"), "'\u017f x'S"), (List{"'\u017f", " x", "'S"}));
}

TEST(PreTokenizer, Qwen2) {
  EXPECT_EQ(words_of(split_part("Regex", kQwen2Expression, "Isolated"), kText),
            (List{"I", "'ll",    " say",     " '", "HELLO", "'",  " ",      " ",  "1",  "2",      "3",      "4",
                  "5", " times", "\r\n\r\n", " ",  " don",  "'T", " ...\n", " x", "\t", "\u00a0", "\u0663", "\u0664"}));
}

TEST(PreTokenizer, SmolLm) {
  Json digits = {{"type", "Digits"}, {"individual_digits", true}};
  Json sequence = {{"type", "Sequence"}, {"pretokenizers", Json::array({digits, byte_level(true)})}};
  EXPECT_EQ(words_of(sequence, kText),
            (List{"I",      "'ll",       " say", " '", "HELLO", "'",    "  ", "1",  "2",        "3",      "4",     "5",
                  " times", "\r\n\r\n ", " don", "'",  "T",     " ...", "\n", " x", "\t\u00a0", "\u0663", "\u0664"}));
}

TEST(PreTokenizer, ScannersAgreeWithPcre) {
  // A group around it makes an expression unknown, so that PCRE2 runs it.
  const List texts = {kText,    "a  b\n\n c",     "'\u017f x'S",    "\u1c89\U000105c0 \u2ffc\u180e!",
                      " \n \n", "x\u3000\u3000y", "..\r\n\r\n ..  "};
  for (const char* expression : {kGpt2Expression, kLlama3Expression, kQwen2Expression}) {
    for (const std::string& text : texts) {
      EXPECT_EQ(words_of(split_part("Regex", expression, "Isolated"), text),
                words_of(split_part("Regex", "(?:" + std::string(expression) + ")", "Isolated"), text))
          << expression << " on " << text;
    }
  }
}

TEST(PreTokenizer, Behaviors) {
  auto cut = [](const char* behavior, bool invert = false) {
    return words_of(split_part("String", "-", behavior, invert), "-the-final--countdown-");
  };
  EXPECT_EQ(cut("Removed"), (List{"the", "final", "countdown"}));
  EXPECT_EQ(cut("Isolated"), (List{"-", "the", "-", "final", "-", "-", "countdown", "-"}));
  EXPECT_EQ(cut("MergedWithPrevious"), (List{"-", "the-", "final-", "-", "countdown-"}));
  EXPECT_EQ(cut("MergedWithNext"), (List{"-the", "-final", "-", "-countdown", "-"}));
  EXPECT_EQ(cut("Contiguous"), (List{"-", "the", "-", "final", "--", "countdown", "-"}));
  EXPECT_EQ(cut("Removed", true), (List{"-", "-", "-", "-", "-"}));
}

TEST(PreTokenizer, OtherParts) {
  EXPECT_EQ(words_of(split_part("Regex", R"(\p{Lu}+|[\p{P}\p{S}])", "MergedWithNext"), "'\u017f x'S"),
            (List{"'\u017f x", "'", "S"}));
  EXPECT_EQ(words_of({{"type", "Punctuation"}}, "Hey! (you)\u3002$"),
            (List{"Hey", "!", " ", "(", "you", ")", "\u3002", "$"}));
  EXPECT_EQ(words_of({{"type", "Whitespace"}}, "Hey friend! \u24b6b \u200dz"),
            (List{"Hey", "friend", "!", "\u24b6b", "\u200dz"}));
  Json metaspace = {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "first"}, {"split", true}};
  EXPECT_EQ(words_of(metaspace, "Hey  my friend"), (List{"\u2581Hey", "\u2581", "\u2581my", "\u2581friend"}));
  metaspace["prepend_scheme"] = "never";
  metaspace["split"] = false;
  EXPECT_EQ(words_of(metaspace, "Hey  my friend"), (List{"Hey\u2581\u2581my\u2581friend"}));
}

ErrorKind kind_of(const Json& part) {
  try {
    make_pre_tokenizer(part, "test");
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::internal;
}

TEST(PreTokenizer, RefusesWhatItWouldGetWrong) {
  for (const char* expression : {"[a[b]]", "[a&&b]", R"(\h+)", R"(\w+)", "a{1,3}+", "(?m:.)", "(*UTF)a", R"(\p{^L})"}) {
    EXPECT_EQ(kind_of(split_part("Regex", expression, "Isolated")), ErrorKind::unsupported) << expression;
  }
  EXPECT_EQ(kind_of(split_part("Regex", "(a", "Isolated")), ErrorKind::bad_input);
  EXPECT_EQ(kind_of(split_part("Regex", std::string(20000, 'a'), "Isolated")), ErrorKind::bad_input);
  EXPECT_EQ(kind_of(split_part("String", "a", "Sideways")), ErrorKind::bad_input);
  EXPECT_EQ(kind_of({{"type", "UnicodeScripts"}}), ErrorKind::unsupported);
  EXPECT_EQ(kind_of({{"type", "Sequence"}, {"pretokenizers", Json::array({byte_level(false), byte_level(true)})}}),
            ErrorKind::unsupported);
  Json nested = byte_level(true);
  for (int i = 0; i < 40; ++i) nested = {{"type", "Sequence"}, {"pretokenizers", Json::array({nested})}};
  EXPECT_EQ(kind_of(nested), ErrorKind::bad_input);
}

TEST(PreTokenizer, HostileExpressionsStop) {
  auto part = split_part("Regex", "(a+)+$", "Isolated");
  EXPECT_THROW(words_of(part, std::string(200, 'a') + "b"), Error);
}

}  // namespace
}  // namespace reveille::text
