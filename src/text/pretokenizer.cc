#include "text/pretokenizer.h"

#include "base/error.h"
#include "text/pretokenizer_pattern.h"
#include "text/pretokenizer_split.h"
#include "text/tokenizer_json.h"
#include "text/unicode.h"

namespace reveille::text {
namespace {

// Base of the parts that cut every word by itself.
class Cutter : public PreTokenizer {
 public:
  void apply(Words& words) const override {
    std::vector<Span> out;
    out.reserve(words.spans.size() + words.text.text.size() / 4);
    for (Span word : words.spans) cut(words.text.text, word, out);
    words.spans = std::move(out);
  }

 protected:
  virtual void cut(std::string_view text, Span word, std::vector<Span>& out) const = 0;
};

class Split : public Cutter {
 public:
  Split(Pattern pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

 protected:
  void cut(std::string_view text, Span word, std::vector<Span>& out) const override {
    // A pattern sees the word alone: what stands around it is no context for its looks.
    if (behavior_ == SplitBehavior::isolated && !invert_) {
      std::size_t first = out.size();
      pattern_.find(text.substr(word.begin, word.end - word.begin), out);
      if (covers(word, first, out)) return;
      std::vector<Span> matches(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
      out.resize(first);
      return split_word(word, matches, behavior_, invert_, out);
    }
    std::vector<Span> matches;
    pattern_.find(text.substr(word.begin, word.end - word.begin), matches);
    for (Span& match : matches) match = {match.begin + word.begin, match.end + word.begin};
    split_word(word, matches, behavior_, invert_, out);
  }

 private:
  // Moves the matches from `first` on to where the word stands; whether they are not empty and
  // cover the word without a gap (then they are the result).
  static bool covers(Span word, std::size_t first, std::vector<Span>& out) {
    std::uint32_t at = word.begin;
    bool all = true;
    for (std::size_t i = first; i < out.size(); ++i) {
      out[i] = {out[i].begin + word.begin, out[i].end + word.begin};
      all = all && out[i].begin == at && out[i].end > at;
      at = out[i].end;
    }
    return all && at == word.end;
  }

  Pattern pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

// Cuts at single characters of some kind.
class CharSplit : public Cutter {
 public:
  using Test = bool (*)(char32_t);
  CharSplit(Test test, SplitBehavior behavior) : test_(test), behavior_(behavior) {}

 protected:
  void cut(std::string_view text, Span word, std::vector<Span>& out) const override {
    std::vector<Span> matches;
    for (std::uint32_t at = word.begin; at < word.end;) {
      Decoded d = decode_utf8(text, at);
      if (test_(d.value)) matches.push_back({at, at + d.length});
      at += d.length;
    }
    if (matches.empty()) return out.push_back(word);
    split_word(word, matches, behavior_, false, out);
  }

 private:
  Test test_;
  SplitBehavior behavior_;
};

// Whitespace: \w+|[^\w\s]+, what stands between them removed.
class WordsAndSigns : public Cutter {
 protected:
  void cut(std::string_view text, Span word, std::vector<Span>& out) const override {
    int previous = 0;  // 0 white space, 1 word, 2 sign
    for (std::uint32_t at = word.begin; at < word.end;) {
      Decoded d = decode_utf8(text, at);
      int kind = is_space(d.value) ? 0 : is_word(d.value) ? 1 : 2;
      if (kind != 0 && kind == previous) out.back().end = at + d.length;
      if (kind != 0 && kind != previous) out.push_back({at, at + d.length});
      previous = kind;
      at += d.length;
    }
  }
};

class ByteLevel : public PreTokenizer {
 public:
  ByteLevel(bool prefix_space, bool use_regex) : prefix_space_(prefix_space) {
    if (use_regex) {
      split_ =
          std::make_unique<Split>(Pattern::expression(kGpt2Expression, "ByteLevel"), SplitBehavior::isolated, false);
    }
  }
  bool byte_level() const override { return true; }
  void apply(Words& words) const override {
    if (prefix_space_) add_spaces(words);
    if (split_) split_->apply(words);
  }

 private:
  static void add_spaces(Words& words) {
    Rewrite rewrite(words.text);
    for (Span& word : words.spans) {
      auto begin = static_cast<std::uint32_t>(rewrite.size());
      if (words.text.text[word.begin] != ' ') rewrite.put(" ", words.text.origin_of(word.begin, word.begin));
      rewrite.keep(word.begin, word.end);
      word = {begin, static_cast<std::uint32_t>(rewrite.size())};
    }
    rewrite.finish(words.text);
  }

  bool prefix_space_;
  std::unique_ptr<Split> split_;
};

class Metaspace : public PreTokenizer {
 public:
  enum class Prepend { always, first, never };
  Metaspace(std::string sign, Prepend prepend, bool split) : sign_(std::move(sign)), prepend_(prepend), split_(split) {}
  bool needs_origins() const override { return prepend_ == Prepend::first; }

  void apply(Words& words) const override {
    Rewrite rewrite(words.text);
    std::vector<Span> out;
    for (Span word : words.spans) {
      auto begin = static_cast<std::uint32_t>(rewrite.size());
      std::vector<Span> signs = write_word(words.text, word, rewrite);
      Span whole{begin, static_cast<std::uint32_t>(rewrite.size())};
      if (split_) {
        split_word(whole, signs, SplitBehavior::merged_with_next, false, out);
      } else {
        out.push_back(whole);
      }
    }
    rewrite.finish(words.text);
    words.spans = std::move(out);
  }

 private:
  // Copies a word with signs for spaces; returns where the signs stand.
  std::vector<Span> write_word(const Traced& text, Span word, Rewrite& rewrite) const {
    std::vector<Span> signs;
    auto put_sign = [&](Span origin) {
      auto at = static_cast<std::uint32_t>(rewrite.size());
      rewrite.put(sign_, origin);
      signs.push_back({at, at + static_cast<std::uint32_t>(sign_.size())});
    };
    std::string_view bytes = std::string_view(text.text).substr(word.begin, word.end - word.begin);
    bool begins = bytes.starts_with(' ') || bytes.starts_with(sign_);
    bool wanted = prepend_ == Prepend::always || (prepend_ == Prepend::first && text.origin_of(word.begin).begin == 0);
    if (wanted && !begins) put_sign(text.origin_of(word.begin, word.begin));
    for (std::uint32_t at = word.begin; at < word.end;) {
      std::uint32_t length = decode_utf8(text.text, at).length;
      if (text.text[at] == ' ' || text.text.compare(at, length, sign_) == 0) {
        put_sign(text.origin_of(at, at + length));
      } else {
        rewrite.keep(at, at + length);
      }
      at += length;
    }
    return signs;
  }

  std::string sign_;
  Prepend prepend_;
  bool split_;
};

class PreTokenizerSequence : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<PreTokenizer>> parts) : parts_(std::move(parts)) {}
  bool byte_level() const override { return !parts_.empty() && parts_.back()->byte_level(); }
  bool needs_origins() const override {
    for (const auto& part : parts_) {
      if (part->needs_origins()) return true;
    }
    return false;
  }
  void apply(Words& words) const override {
    for (const auto& part : parts_) part->apply(words);
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> parts_;
};

bool is_punctuation(char32_t c) {
  if (c < 128) return c > 32 && c < 127 && !in_categories(c, kLetters | kNumbers);
  return in_categories(c, kPunctuation);
}

std::unique_ptr<PreTokenizer> build_metaspace(const Json& value, const std::string& where) {
  std::string sign = value.contains("replacement") ? json_string(value, "replacement", where) : "\u2581";
  if (sign.empty() || decode_utf8(sign, 0).length != sign.size()) {
    fail(ErrorKind::bad_input, cat(where, ": Metaspace: 'replacement' is '", sign, "', expected one character"));
  }
  std::string scheme = value.contains("prepend_scheme") ? json_string(value, "prepend_scheme", where) : "always";
  if (!part_bool(value, "add_prefix_space", true, where)) scheme = "never";
  Metaspace::Prepend prepend = scheme == "always"  ? Metaspace::Prepend::always
                               : scheme == "first" ? Metaspace::Prepend::first
                                                   : Metaspace::Prepend::never;
  if (scheme != "always" && scheme != "first" && scheme != "never") {
    fail(ErrorKind::bad_input,
         cat(where, ": Metaspace: 'prepend_scheme' is '", scheme, "', expected always, first or never"));
  }
  return std::make_unique<Metaspace>(sign, prepend, part_bool(value, "split", true, where));
}

std::unique_ptr<PreTokenizer> build(const Json& value, const std::string& where, int depth);

std::unique_ptr<PreTokenizer> build_sequence(const Json& value, const std::string& where, int depth) {
  std::vector<std::unique_ptr<PreTokenizer>> parts;
  for (const Json& part : part_array(value, "pretokenizers", where)) {
    if (!parts.empty() && parts.back()->byte_level()) {
      fail(ErrorKind::unsupported, cat(where, ": ByteLevel is followed by another pre-tokenizer; it must be the last"));
    }
    parts.push_back(build(part, where, depth + 1));
  }
  return std::make_unique<PreTokenizerSequence>(std::move(parts));
}

std::unique_ptr<PreTokenizer> build(const Json& value, const std::string& where, int depth) {
  check_part_depth(depth, where);
  std::string type = part_type(value, where);
  if (type == "Sequence") return build_sequence(value, where, depth);
  if (type == "ByteLevel") {
    return std::make_unique<ByteLevel>(part_bool(value, "add_prefix_space", where),
                                       part_bool(value, "use_regex", true, where));
  }
  if (type == "Split") {
    return std::make_unique<Split>(Pattern::from_json(json_at(value, "pattern", where), where),
                                   split_behavior(json_string(value, "behavior", where), where),
                                   part_bool(value, "invert", where));
  }
  if (type == "Digits") {
    bool each = part_bool(value, "individual_digits", where);
    return std::make_unique<CharSplit>(is_numeric, each ? SplitBehavior::isolated : SplitBehavior::contiguous);
  }
  if (type == "Punctuation") {
    std::string behavior = value.contains("behavior") ? json_string(value, "behavior", where) : "Isolated";
    return std::make_unique<CharSplit>(is_punctuation, split_behavior(behavior, where));
  }
  if (type == "WhitespaceSplit") return std::make_unique<CharSplit>(is_space, SplitBehavior::removed);
  if (type == "Whitespace") return std::make_unique<WordsAndSigns>();
  if (type == "Metaspace") return build_metaspace(value, where);
  unsupported_part("pre_tokenizer", type, where);
}

}  // namespace

std::unique_ptr<PreTokenizer> make_pre_tokenizer(const Json& value, const std::string& where) {
  if (value.is_null()) return nullptr;
  return build(value, cat(where, ", pre_tokenizer"), 0);
}

}  // namespace reveille::text
