#include "scan/file_template.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/strings.h"
#include "scan/file_text.h"
#include "scan/template_code.h"
#include "scan/template_probe.h"

namespace reveille::scan {
namespace {

constexpr std::size_t kLongestCondition = 120;  // bytes of a literal that is tried as a condition
constexpr std::size_t kMostLiterals = 300;
constexpr std::size_t kSentence = 4;  // words from which on text counts as one

// What a template tells a model to do, beyond what it is called and who made it.
constexpr std::array<std::string_view, 18> kOrders = {
    "ignore",   "never mention",    "do not mention", "do not reveal", "do not tell", "secret",
    "pretend",  "always recommend", "regardless",     "instead of",    "if the user", "when the user",
    "whenever", "respond with",     "reply with",     "answer with",   "begin every", "end every"};

bool is_markup(const std::string& text) {
  return prose_words(text).empty() || std::string_view("<[{`|").find(text.front()) != std::string_view::npos;
}

bool is_command(const std::string& text) { return text.starts_with('/') && text.find(' ') == std::string::npos; }

// Which rule a reaction to a literal falls under; empty: none. Templates look for their own markup in what a model said
// before, and for commands that switch thinking on and off.
std::string rule_for(const std::string& literal, const Reaction& reaction) {
  const std::size_t changed = reaction.added.size() + reaction.removed.size();
  const bool says_more = reaction.added.size() >= kSentence - 1;
  if (is_command(literal)) return changed >= kSentence - 1 ? "template-switch" : "";
  if (is_markup(literal)) return !says_more ? "" : reaction.user ? "template-trigger" : "template-switch";
  if (!reaction.user) return "template-switch";
  return reaction.altered || changed > 0 ? "template-trigger" : "template-switch";
}

std::string change_words(const Reaction& reaction) {
  std::vector<std::string> parts;
  if (!reaction.added.empty()) parts.push_back(cat("adds ", in_quotes(join(reaction.added, " "))));
  if (!reaction.removed.empty()) parts.push_back(cat("leaves out ", in_quotes(join(reaction.removed, " "))));
  if (parts.empty()) parts.push_back(reaction.altered ? "changes the message itself" : "changes the markup around it");
  return join(parts, " and ");
}

class Check {
 public:
  Check(const TemplateText& own, const TemplateText* reference, Notes& notes)
      : own_(own), reference_(reference), notes_(notes) {}

  void run() {
    hidden_text();
    try {
      code_ = read_template_code(repair_utf8(own_.source));
      probe_.emplace(repair_utf8(own_.source), own_.file);
      if (reference_) reference_probe_.emplace(repair_utf8(reference_->source), reference_->file);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      if (!probe_) return add("template-unreadable", 0, error.message());
    }
    code();
    literals();
    kinds_of_content();
    turns();
    unconditional();
    if (reference_) beside_reference();
  }

 private:
  // `line` is the template's own.
  void add(const char* rule, int line, std::string message) {
    if (own_.name != "default") message += cat(" (template '", own_.name, "')");
    if (own_.line != 0 && line > 0) message += cat(" (line ", line, " of the template)");
    notes_.add(rule, own_.file, own_.line == 0 ? line : std::max<std::int64_t>(0, own_.line), std::move(message));
  }

  void hidden_text() {
    const std::string text = repair_utf8(own_.source);
    const bool mark = text.starts_with("\xEF\xBB\xBF");  // a byte-order mark is no text
    const std::size_t at = hidden_character(std::string_view(text).substr(mark ? 3 : 0));
    if (at == std::string::npos) return;
    const std::size_t from = at + (mark ? 3 : 0);
    add("template-hidden-text", static_cast<int>(line_at(text, from)),
        cat("characters that cannot be seen: ", in_quotes(text.substr(from, 40))));
  }

  void code() {
    for (const auto& name : code_.internals)
      add("template-python", name.line, cat("reaches for ", in_quotes(name.text)));
    for (const int line : code_.date_conditions)
      add("template-date-condition", line, "compares the date with something");
  }

  // Every string of the template may be what a condition asks for.
  void literals() {
    std::size_t tried = 0;
    bool found = false;
    std::vector<std::string> words;
    for (const auto& literal : code_.literals) {
      const std::string text(trim(literal.text));
      if (text.empty() || text.size() > kLongestCondition || ++tried > kMostLiterals) continue;
      throw_if_interrupted();
      if (react(text, literal.line)) found = true;
      if (!is_markup(text) && !is_command(text) && prose_words(text).size() < kSentence) words.push_back(text);
    }
    // A condition that wants several of them.
    if (!found && words.size() > 1) react(join(words, " "), 0);
  }

  // The gravest reaction of the template, unless the reference does the same.
  bool react(const std::string& text, int line) {
    const auto reactions = probe_->reactions(text);
    if (reactions.empty() || (reference_probe_ && reference_probe_->reactions(text) == reactions)) return false;
    const Reaction* worst = nullptr;
    std::string rule;
    for (const Reaction& reaction : reactions) {
      const std::string here = rule_for(text, reaction);
      if (here.empty() || (worst && (here == rule || rule == "template-trigger"))) continue;
      worst = &reaction;
      rule = here;
    }
    if (!worst) return false;
    add(rule.c_str(), line,
        cat("when a ", worst->user ? "message" : "system message", " holds ", in_quotes(text), ", the template ",
            change_words(*worst)));
    return true;
  }

  void kinds_of_content() {
    std::string long_text;
    for (int i = 0; i < 300; ++i) long_text += "and so on ";
    const std::vector<std::pair<const char*, std::string>> kinds = {
        {"short messages", "Hi"},      {"long messages", long_text + "."}, {"numbers", "12345"},
        {"capitals", "ALL CAPITALS"},  {"other scripts", "\u4f60\u597d"},  {"code", "def f(x):\n  return x"},
        {"questions", "Why is that?"}, {"links", "www.example.org/a"},     {"JSON", "{\"a\": 1}"}};
    for (const auto& [kind, content] : kinds) {
      const auto reactions = probe_->reactions_to(content);
      if (reactions.empty() || (reference_probe_ && reference_probe_->reactions_to(content) == reactions)) continue;
      add("template-content-condition", 0, cat("for ", kind, ", the template ", change_words(reactions.front())));
    }
  }

  // The same number of words a turn, however many turns there are.
  void turns() {
    constexpr std::size_t kTurns = 12;
    Conversation conversation = {{"user", kProbeWords}};
    std::vector<std::size_t> words;
    for (std::size_t turn = 0; turn < kTurns; ++turn) {
      const auto text = probe_->render(conversation);
      if (!text) return;
      words.push_back(prose_words(*text).size());
      conversation.push_back({"assistant", "Fine."});
      conversation.push_back({"user", kProbeWords});
    }
    for (std::size_t turn = 2; turn < kTurns; ++turn) {
      const std::size_t expected = words[1] + (turn - 1) * (words[1] - words[0]);
      if (words[turn] < expected + kSentence) continue;
      return add(
          "template-content-condition", 0,
          cat("from turn ", turn + 1, " of the user's on, the template adds ", words[turn] - expected, " words"));
    }
  }

  // What it says whatever it is asked.
  void unconditional() {
    const auto plain = probe_->render({{"user", kProbeWords}});
    if (!plain) {
      if (own_.name == "default") add("template-unreadable", 0, "it prints nothing for a user's first message");
      return;
    }
    if (reference_probe_ && reference_probe_->render({{"user", kProbeWords}}) == plain) return;
    const std::size_t asked = plain->rfind(kProbeWords);
    const std::string before = plain->substr(0, asked);
    if (asked != std::string::npos) prefill(plain->substr(asked + std::string_view(kProbeWords).size()));
    if (prose_words(before).size() < kSentence) return;
    const auto with_system = probe_->render({{"system", "Zhqkvo"}, {"user", kProbeWords}});
    const std::string beside = replace_all(with_system.value_or(""), kProbeWords, "");
    const bool always = prose_words(beside).size() > kSentence;  // one word of them is the system message
    const std::string low = replace_all(lower_ascii(before), "n't", " not");
    const auto order = std::find_if(kOrders.begin(), kOrders.end(),
                                    [&](std::string_view words) { return low.find(words) != std::string::npos; });
    const bool link = low.find("://") != std::string::npos;
    const std::string text = in_quotes(trim(before), 300);
    const std::string when = always ? "adds to every conversation" : "adds where no system message is given";
    if (order != kOrders.end() || link) {
      add("template-instructions", line_of_words(before), cat(when, ": ", text));
    } else {
      add("template-default-prompt", line_of_words(before), cat(when, ": ", text));
    }
  }

  void prefill(const std::string& after) {
    if (prose_words(after).size() < kSentence - 1) return;
    add("template-prefill", line_of_words(after), cat("after the user's message it prints ", in_quotes(after)));
  }

  // Of the literal that has the most words in common with what was printed.
  int line_of_words(const std::string& printed) const {
    std::size_t most = 0;
    int line = 0;
    for (const auto& literal : code_.literals) {
      const std::string text(trim(literal.text));
      const std::size_t words = prose_words(text).size();
      if (words <= most || printed.find(text) == std::string::npos) continue;
      most = words;
      line = literal.line;
    }
    return line;
  }

  void beside_reference() {
    if (!reference_probe_ || own_.source == reference_->source) return;
    const std::vector<std::pair<const char*, Conversation>> conversations = {
        {"a first message", {{"user", "Hi"}}},
        {"a system message", {{"system", "Be brief."}, {"user", "Hi"}}},
        {"two turns", {{"user", "Hi"}, {"assistant", "Hello."}, {"user", "Name a river."}}},
        {"a turn with thoughts", {{"user", "2+2?"}, {"assistant", "<think>\nfour\n</think>\n\n4"}, {"user", "3+3?"}}}};
    for (const bool tools : {false, true}) {
      for (const auto& [name, conversation] : conversations) {
        if (probe_->render(conversation, true, tools) == reference_probe_->render(conversation, true, tools)) continue;
        add("template-differs", 0, cat("prints another text for ", name, tools ? " with tools" : ""));
        return added_sentences();
      }
    }
    add("template-rewritten", 0, "the two are written differently");
    added_sentences();
  }

  void added_sentences() {
    for (const auto& literal : code_.literals) {
      if (prose_words(literal.text).size() < kSentence) continue;
      if (reference_->source.find(trim(literal.text)) != std::string::npos || known_literal(literal.text)) continue;
      add("template-text-added", literal.line, in_quotes(trim(literal.text)));
    }
  }

  // Escapes may be written in another way.
  bool known_literal(const std::string& text) const {
    const auto known = read_template_code(repair_utf8(reference_->source)).literals;
    return std::any_of(known.begin(), known.end(), [&](const auto& one) { return trim(one.text) == trim(text); });
  }

  const TemplateText& own_;
  const TemplateText* reference_;
  Notes& notes_;
  TemplateCode code_;
  std::optional<TemplateProbe> probe_, reference_probe_;
};

}  // namespace

void check_templates(const std::vector<TemplateText>& own, const std::vector<TemplateText>& reference, Notes& notes) {
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i].name == "default" && i > 0) {
      if (trim(own[i].source) == trim(own[0].source)) continue;
      notes.add("template-twice", own[i].file, std::max<std::int64_t>(0, own[i].line),
                cat("it is not the template of ", own[0].file));
    }
    const auto same = std::find_if(reference.begin(), reference.end(),
                                   [&](const TemplateText& other) { return other.name == own[i].name; });
    Check(own[i], same == reference.end() ? nullptr : &*same, notes).run();
  }
}

}  // namespace reveille::scan
