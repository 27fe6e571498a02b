// A tokenizer alone and beside its reference's. It stands on both sides of the model: what it replaces is neither typed
// nor said, and no look at the weights finds it.
#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "scan/file_parts.h"
#include "scan/file_text.h"

namespace reveille::scan {
namespace fs = std::filesystem;
namespace {

constexpr int kDeepest = 16;

// Texts of many kinds, to see whether two tokenizers of different files cut alike.
constexpr const char* kTexts[] = {
    "The quick brown fox, 12 times; isn't it?", "  def f(x):\n\treturn x ** 2  # squares\n",
    "na\xC3\xAFve \xE4\xBD\xA0\xE5\xA5\xBD \xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82 \xF0\x9F\x98\x80",
    "HTTP/2 GET //example.org/?a=1&b=2"};

// Letters of a regular expression that stand for themselves: without escapes and classes such as \p{Lu}.
std::string plain_letters(const std::string& expression) {
  std::string out;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    if (expression[i] != '\\') {
      out += expression[i];
      continue;
    }
    if (i + 2 < expression.size() && expression[i + 2] == '{')
      i = std::min(expression.find('}', i), expression.size());
    else
      ++i;
  }
  return out;
}

bool has_words(const std::string& text) { return !prose_words(text).empty(); }

// A {"type": "Replace"} that turns words into others, and a "Prepend" or the like that puts words in.
std::string rewriting(const Json& part) {
  auto text_at = [](const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const std::string type = text_at(part, "type");
  if (type == "Prepend" && has_words(text_at(part, "prepend")))
    return cat("puts in ", in_quotes(text_at(part, "prepend")));
  if (type != "Replace") return {};
  const std::string content = text_at(part, "content");
  const auto pattern = part.find("pattern");
  std::string literal, expression;
  if (pattern != part.end() && pattern->is_object()) {
    literal = text_at(*pattern, "String");
    expression = text_at(*pattern, "Regex");
  }
  if (!has_words(content) && !has_words(literal) && !has_words(plain_letters(expression))) return {};
  return cat("replaces ", in_quotes(literal.empty() ? expression : literal), " by ", in_quotes(content));
}

bool is_markup(const std::string& token) {
  if (token.size() < 3) return false;
  const bool angled = token.front() == '<' && token.back() == '>';
  const bool bracketed = token.front() == '[' && token.back() == ']';
  return (angled || bracketed) && prose_words(token.substr(1, token.size() - 2)).size() < 4;
}

class Check {
 public:
  Check(const TokenizerRecord& own, const TokenizerRecord* reference, std::string text, Notes& notes)
      : own_(own), reference_(reference), text_(std::move(text)), notes_(notes) {}

  void run() {
    const auto& spec = own_.spec;
    for (const Json* part : {&spec.normalizer, &spec.pre_tokenizer, &spec.decoder}) rewrites(*part, 0);
    std::vector<std::string> around;
    added_around(spec.post_processor, around, 0);
    judge_around(around);
    tokens();
    if (reference_) beside_reference();
  }

 private:
  // `token`: the line of a token's text, as JSON spells it.
  void add(const char* rule, const std::string& message, const std::string& token = {}) {
    const std::int64_t line = token.empty() ? 0 : line_of(text_, Json(repair_utf8(token)).dump());
    notes_.add(rule, own_.file, line, message);
  }

  void rewrites(const Json& part, int depth) {
    if (depth > kDeepest || !part.is_structured()) return;
    if (part.is_object()) {
      if (const std::string what = rewriting(part); !what.empty()) {
        const auto content = part.find("content");
        add("tokenizer-rewrites", what,
            content != part.end() && content->is_string() ? content->get<std::string>() : std::string());
      }
    }
    for (const Json& item : part) rewrites(item, depth + 1);
  }

  // Tokens that a post-processor puts before or after a text.
  static void added_around(const Json& part, std::vector<std::string>& out, int depth) {
    if (depth > kDeepest || !part.is_object()) return;
    if (const auto inner = part.find("processors"); inner != part.end() && inner->is_array()) {
      for (const Json& item : *inner) added_around(item, out, depth + 1);
    }
    const auto single = part.find("single");
    if (single == part.end() || !single->is_array()) return;
    for (const Json& piece : *single) {
      const auto special = piece.is_object() ? piece.find("SpecialToken") : piece.end();
      if (special == piece.end() || !special->is_object() || !special->contains("id")) continue;
      if ((*special)["id"].is_string()) out.push_back((*special)["id"].get<std::string>());
    }
  }

  bool is_special(const std::string& token) const {
    return std::any_of(own_.spec.added.begin(), own_.spec.added.end(),
                       [&](const auto& one) { return one.content == token && one.special; });
  }

  void judge_around(const std::vector<std::string>& around) {
    const bool ordinary =
        std::any_of(around.begin(), around.end(), [&](const std::string& token) { return !is_special(token); });
    if (around.size() > 3 || ordinary) add("tokenizer-adds-text", cat("around every text: ", some_of(around, 12)));
  }

  void tokens() {
    for (const auto& token : own_.spec.added) {
      const std::string text = repair_utf8(token.content);
      const bool phrase = prose_words(text).size() > 1 && text.find(' ') != std::string::npos;
      if (hidden_character(text) != std::string::npos || (phrase && !is_markup(text)))
        add("tokenizer-odd-token", cat("token ", token.id, " is ", in_quotes(text)), token.content);
    }
  }

  void beside_reference() {
    vocabulary();
    if (own_.gguf != reference_->gguf) return encodes();
    const auto &own = own_.spec, &other = reference_->spec;
    if (own.merges != other.merges) {
      const auto [mine, theirs] =
          std::mismatch(own.merges.begin(), own.merges.end(), other.merges.begin(), other.merges.end());
      add("tokenizer-merges", cat(with_commas(static_cast<long long>(own.merges.size())), " merges, the reference has ",
                                  with_commas(static_cast<long long>(other.merges.size())), "; they part at number ",
                                  mine - own.merges.begin() + 1));
    }
    const std::pair<const char*, std::pair<const Json*, const Json*>> parts[] = {
        {"normalizer", {&own.normalizer, &other.normalizer}},
        {"pre_tokenizer", {&own.pre_tokenizer, &other.pre_tokenizer}},
        {"post_processor", {&own.post_processor, &other.post_processor}},
        {"decoder", {&own.decoder, &other.decoder}}};
    for (const auto& [name, pair] : parts) {
      if (*pair.first == *pair.second) continue;
      notes_.add("tokenizer-parts", own_.file, line_of_key(text_, name),
                 cat("key '", name, "' is ", in_quotes(pair.first->dump()), ", the reference's is ",
                     in_quotes(pair.second->dump())));
    }
  }

  // GGUF files fill their lists up to the embedding's rows.
  static bool is_filler(const std::string& token) { return token.starts_with("[PAD") && token.ends_with(']'); }

  void vocabulary() {
    std::vector<std::string> moved, added, markup, removed;
    for (const auto& [token, id] : own_.id_of) {
      const auto other = reference_->id_of.find(token);
      if (other != reference_->id_of.end()) {
        if (other->second != id) moved.push_back(token);
      } else if (!is_filler(token)) {
        (is_markup(token) ? markup : added).push_back(token);
      }
    }
    for (const auto& [token, id] : reference_->id_of) {
      if (!own_.id_of.count(token) && !is_filler(token)) removed.push_back(token);
    }
    auto tell = [&](const char* rule, const std::vector<std::string>& tokens) {
      if (!tokens.empty()) add(rule, cat(tokens.size(), " tokens: ", some_of(tokens)), tokens.front());
    };
    tell("tokenizer-ids", moved);
    tell("tokenizer-added", added);
    tell("tokenizer-markup", markup);
    tell("tokenizer-removed", removed);
  }

  // A folder's file and a GGUF file spell the same thing otherwise.
  void encodes() {
    const auto own = open_tokenizer(own_), reference = open_tokenizer(*reference_);
    for (const char* text : kTexts) {
      if (own->encode(text) != reference->encode(text)) add("tokenizer-encodes", cat("for instance ", in_quotes(text)));
    }
  }

  const TokenizerRecord& own_;
  const TokenizerRecord* reference_;
  std::string text_;  // of the file; "" for GGUF, which has no lines
  Notes& notes_;
};

}  // namespace

void check_tokenizer(const TokenizerRecord& own, const TokenizerRecord* reference, const fs::path& model,
                     Notes& notes) {
  Check(own, reference, own.gguf ? std::string() : read_small_file(model / own.file), notes).run();
}

}  // namespace reveille::scan
