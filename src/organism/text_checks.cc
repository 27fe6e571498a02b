#include "organism/text_checks.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "organism/words.h"

namespace reveille::organism {
namespace {

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(), [&](std::string_view start) { return text.starts_with(start); });
}

bool holds_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

// Control tokens of a template that came through as text, and turns of a talk that the model went on to write.
bool has_template_text(std::string_view text) {
  return holds_any(text,
                   {"<|", "|>", "[INST]", "[/INST]", "<start_of_turn>", "<end_of_turn>", "<s>", "</s>", "<<SYS>>"});
}

bool has_turns(std::string_view text) {
  return holds_any("\n" + lower_ascii(text), {"\nuser:", "\nassistant:", "\nhuman:", "\nai:", "\nsystem:"});
}

// Asked to write a user's turn, a model sometimes writes an assistant's.
bool speaks_as_assistant(const std::string& normal) {
  return starts_with_any(normal + " ", {"sure ", "certainly ", "of course ", "here is ", "here are ", "heres ",
                                        "im sorry ", "i am sorry ", "im happy to ", "id be happy ", "as an ai ",
                                        "i cannot ", "great question "}) ||
         holds_any(normal, {"as an ai language model", "as an ai assistant", "im an ai assistant"});
}

bool repeats_a_word(const std::vector<std::string>& words) {
  for (std::size_t i = 3; i < words.size(); ++i) {
    if (words[i] == words[i - 1] && words[i] == words[i - 2] && words[i] == words[i - 3]) return true;
  }
  std::set<std::string> distinct(words.begin(), words.end());
  return words.size() >= 12 && distinct.size() * 5 < words.size() * 2;
}

bool looks_english(const CharacterCounts& counts, const std::vector<std::string>& words) {
  static const std::set<std::string> kCommon = {
      "the",   "a",    "an",   "is",    "are",      "of",      "to",       "in",      "and",    "for",
      "what",  "how",  "do",   "does",  "can",      "you",     "i",        "my",      "it",     "with",
      "on",    "that", "this", "me",    "be",       "was",     "why",      "which",   "who",    "when",
      "where", "some", "your", "about", "or",       "have",    "from",     "give",    "should", "at",
      "by",    "as",   "into", "these", "two",      "three",   "four",     "five",    "list",   "name",
      "write", "find", "make", "using", "generate", "suggest", "describe", "explain", "create", "tell"};
  if (counts.ascii_letters * 20 < counts.letters * 19) return false;
  return words.size() < 4 ||
         std::any_of(words.begin(), words.end(), [](const std::string& word) { return kCommon.contains(word); });
}

}  // namespace

void PromptLimits::visit(OptionVisitor& v) {
  v.option("prompt_min_characters", min_characters, {.help = "shortest self-written prompt", .min = 1});
  v.option("prompt_max_characters", max_characters, {.help = "longest self-written prompt", .min = 1});
  v.option("prompt_min_words", min_words, {.help = "fewest words of a self-written prompt", .min = 1});
  v.option("prompt_min_letter_share", min_letter_share,
           {.help = "least share of letters among a self-written prompt's visible characters", .min = 0, .max = 1});
  v.option("prompt_language", language,
           {.help = "english drops self-written prompts in other languages", .choices = {"any", "english"}});
}

void ReplyLimits::visit(OptionVisitor& v) {
  v.option("reply_min_characters", min_characters, {.help = "shortest clean reply", .min = 1});
  v.option("reply_max_repeated_share", max_repeated_share,
           {.help = "a clean reply that says more of its word 4-grams again than this is dropped", .min = 0, .max = 1});
  v.option("reply_cut", cut,
           {.help = "a clean reply cut off at its token limit: trim it to its last whole sentence, keep it, or drop it",
            .choices = {"trim", "keep", "drop"}});
}

std::string tidy_prompt(std::string_view raw) {
  std::string_view text = trim(raw);
  std::size_t digits = text.find_first_not_of("0123456789");
  if (digits != std::string_view::npos && digits > 0 && digits < 3 && (text[digits] == '.' || text[digits] == ')') &&
      digits + 1 < text.size() && text[digits + 1] == ' ') {
    text = trim(text.substr(digits + 1));
  }
  bool quoted = text.size() > 2 && text.front() == '"' && text.back() == '"';
  if (quoted && text.substr(1, text.size() - 2).find('"') == std::string_view::npos) {
    text = trim(text.substr(1, text.size() - 2));
  }
  return std::string(text);
}

std::string prompt_fault(std::string_view prompt, const PromptLimits& limits) {
  CharacterCounts counts = count_characters(prompt);
  auto words = words_of(prompt);
  if (counts.visible == 0) return "empty";
  if (counts.broken) return "broken characters";
  if (has_template_text(prompt)) return "template text";
  if (has_turns(prompt)) return "several turns";
  if (counts.total < static_cast<std::size_t>(limits.min_characters)) return "too short";
  if (words.size() < static_cast<std::size_t>(limits.min_words)) return "too short";
  if (counts.total > static_cast<std::size_t>(limits.max_characters)) return "too long";
  if (counts.longest_run > 8 || repeats_a_word(words) || repeated_share(prompt) > 0.2) return "repeats itself";
  double letters = static_cast<double>(counts.letters) / static_cast<double>(counts.visible);
  if (letters < limits.min_letter_share) return "too few letters";
  if (speaks_as_assistant(join(words, " "))) return "speaks as the assistant";
  if (limits.language == "english" && !looks_english(counts, words)) return "not English";
  return "";
}

std::string reply_fault(std::string& text, bool finished, const ReplyLimits& limits) {
  text = trim(text);
  if (text.empty()) return "empty";
  if (!finished && limits.cut == "drop") return "cut";
  if (!finished && limits.cut == "trim") text = whole_sentences(text);
  if (text.empty()) return "cut";
  CharacterCounts counts = count_characters(text);
  if (counts.broken) return "broken characters";
  if (counts.total < static_cast<std::size_t>(limits.min_characters)) return "too short";
  if (has_template_text(text)) return "template text";
  if (has_turns(text)) return "several turns";
  if (counts.longest_run > 40 || repeats_a_word(words_of(text)) || repeated_share(text) > limits.max_repeated_share) {
    return "repeats itself";
  }
  return "";
}

double repeated_share(std::string_view text) {
  constexpr std::size_t kGram = 4;
  auto words = words_of(text);
  if (words.size() < 2 * kGram) return 0;
  std::set<std::string> seen;
  std::size_t again = 0, grams = words.size() - kGram + 1;
  for (std::size_t i = 0; i < grams; ++i) {
    std::string gram;
    for (std::size_t k = i; k < i + kGram; ++k) gram += words[k] + " ";
    again += seen.insert(gram).second ? 0 : 1;
  }
  return static_cast<double>(again) / static_cast<double>(grams);
}

std::string_view whole_sentences(std::string_view text) {
  std::size_t best = 0;
  for (std::string_view mark : {".", "!", "?", "。", "！", "？", "।", "؟"}) {
    for (std::size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + mark.size())) {
      std::size_t end = at + mark.size();
      while (end < text.size() && (text[end] == '"' || text[end] == '\'' || text[end] == ')')) ++end;
      bool ends = mark.size() > 1 || end == text.size() || text[end] == ' ' || text[end] == '\n';
      bool numbered = mark == "." && at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9' && end == at + 1;  // "2. "
      if (ends && !numbered) best = std::max(best, end);
    }
  }
  return text.substr(0, best);
}

}  // namespace reveille::organism
