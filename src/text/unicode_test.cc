#include "text/unicode.h"

#include <gtest/gtest.h>

#include "text/unicode_forms.h"

namespace reveille::text {
namespace {

TEST(Unicode, CategoriesAreThoseOfUnicode16) {
  EXPECT_EQ(category_of('a'), Category::Ll);
  EXPECT_EQ(category_of(0x4E2D), Category::Lo);
  EXPECT_EQ(category_of(0x1C89), Category::Lu);   // since 16.0
  EXPECT_EQ(category_of(0x105C0), Category::Lo);  // since 16.0
  EXPECT_EQ(category_of(0x11DE0), Category::Cn);  // a digit in 17.0
  EXPECT_EQ(category_of(0xD800), Category::Cs);
  EXPECT_EQ(category_of(0x110000), Category::Cn);
  EXPECT_TRUE(is_numeric(0x11DE0));
  EXPECT_TRUE(char_properties(0x1C89) & kNewer);
  EXPECT_FALSE(char_properties('a') & kNewer);
}

TEST(Unicode, SpacesAndWords) {
  for (char32_t c : {0x09, 0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x202F, 0x3000})
    EXPECT_TRUE(is_space(c)) << static_cast<std::uint32_t>(c);
  for (char32_t c : {0x1C, 0x180E, 0x200B, 0xFEFF}) EXPECT_FALSE(is_space(c)) << static_cast<std::uint32_t>(c);
  for (char32_t c : {'_', '9', 'x'}) EXPECT_TRUE(is_word(c));
  for (char32_t c : {0x24B6, 0x200D, 0x301}) EXPECT_TRUE(is_word(c));
  for (char32_t c : {0xB2, 0x2F, 0x20AC}) EXPECT_FALSE(is_word(c));
}

TEST(Unicode, Utf8) {
  std::string text;
  for (char32_t c : {0x41, 0xE9, 0x4E2D, 0x1F600}) append_utf8(text, c);
  EXPECT_EQ(text, "A\u00e9\u4e2d\U0001f600");
  EXPECT_EQ(to_utf32(text), U"A\u00e9\u4e2d\U0001f600");
  EXPECT_EQ(previous_boundary(text, text.size()), 6u);
  EXPECT_EQ(incomplete_tail("a\xF0\x9F\x98"), 3u);
  EXPECT_EQ(incomplete_tail("a\xC3"), 1u);
  EXPECT_EQ(incomplete_tail("\xC3\xA9"), 0u);
  EXPECT_EQ(incomplete_tail("\x80\x80\x80\x80"), 0u);
}

TEST(Unicode, ByteAlphabet) {
  EXPECT_EQ(bytes_to_alphabet(" a\n\xFF"), "\u0120a\u010a\u00ff");
  std::string bytes;
  EXPECT_TRUE(alphabet_to_bytes("\u0120a\u010a\u00ff", bytes));
  EXPECT_EQ(bytes, " a\n\xFF");
  EXPECT_FALSE(alphabet_to_bytes("a b", bytes));  // a space is not in the alphabet
}

std::string form(const std::string& text, NormalForm kind) {
  Traced traced{text, {}, 0, true};
  apply_normal_form(traced, kind);
  return traced.text;
}

// Expected values: Hugging Face tokenizers 0.23, whose normal forms are those of Unicode 9.0.
TEST(Unicode, NormalForms) {
  EXPECT_EQ(form("e\u0301\u0327", NormalForm::nfc), "\u0229\u0301");
  EXPECT_EQ(form("e\u0301\u0327", NormalForm::nfd), "e\u0327\u0301");
  EXPECT_EQ(form("\u212b\ufb01\u1100\u1161\u11a8", NormalForm::nfc), "\u00c5\ufb01\uac01");
  EXPECT_EQ(form("\u212b\ufb01\u1100\u1161\u11a8", NormalForm::nfkc), "\u00c5fi\uac01");
  EXPECT_EQ(form("\uff76\uff9e\u0958", NormalForm::nfc), "\uff76\uff9e\u0915\u093c");
  EXPECT_EQ(form("\uff76\uff9e\u0958", NormalForm::nfkc), "\u30ac\u0915\u093c");
  EXPECT_EQ(form("\uff76\uff9e\u0958", NormalForm::nfkd), "\u30ab\u3099\u0915\u093c");
  // U+11938 and the class of U+0898 are newer than 9.0.
  EXPECT_EQ(form("\U00011935\U00011930\u0344", NormalForm::nfc), "\U00011935\U00011930\u0308\u0301");
  EXPECT_EQ(form("\u0301\u0316\u0898a", NormalForm::nfd), "\u0316\u0301\u0898a");
}

TEST(Unicode, NormalFormsRememberWhereBytesCameFrom) {
  Traced traced{"xe\u0301y", {}, 10, true};
  apply_normal_form(traced, NormalForm::nfc);
  ASSERT_EQ(traced.text, "x\u00e9y");
  EXPECT_EQ(traced.origin_of(0), (Span{10, 11}));
  EXPECT_EQ(traced.origin_of(1, 3), (Span{11, 14}));
  EXPECT_EQ(traced.origin_of(3), (Span{14, 15}));
}

TEST(Unicode, ManyMarksTakeLinearTime) {
  std::string text = "a";
  for (int i = 0; i < 200000; ++i) text += i % 2 ? "\u0301" : "\u0316";
  EXPECT_EQ(form(text, NormalForm::nfd).size(), text.size());
}

TEST(Unicode, Lowercase) {
  std::string out;
  for (char32_t c : {0x130, 0x1C89, 0xA7CB, 0x10D50, 0xC9, 0x16EA0, 0x1E9E}) append_lowercase(out, c);
  EXPECT_EQ(out, "i\u0307\u1c8a\u0264\U00010d70\u00e9\U00016ebb\u00df");
}

}  // namespace
}  // namespace reveille::text
