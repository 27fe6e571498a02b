#include "organism/prompt_pool.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/hash.h"
#include "base/strings.h"
#include "organism/words.h"

namespace reveille::organism {
namespace {

constexpr std::size_t kStartWords = 3;

// Words of requests, which say nothing about a topic.
const std::set<std::string>& request_words() {
  static const std::set<std::string> kWords = {
      "what",     "which",  "when",       "where",     "does",    "have",       "that",    "this",     "with",
      "from",     "your",   "about",      "would",     "could",   "should",     "please",  "write",    "explain",
      "give",     "tell",   "help",       "need",      "want",    "make",       "some",    "there",    "their",
      "they",     "them",   "will",       "like",      "into",    "more",       "most",    "many",     "much",
      "been",     "were",   "being",      "than",      "then",    "these",      "those",   "between",  "describe",
      "provide",  "create", "find",       "using",     "used",    "following",  "example", "examples", "list",
      "name",     "know",   "think",      "good",      "best",    "difference", "ways",    "people",   "person",
      "time",     "work",   "works",      "each",      "other",   "also",       "only",    "such",     "just",
      "very",     "main",   "important",  "different", "suggest", "recommend",  "looking", "trying",   "information",
      "question", "answer", "understand", "learn",     "start",   "take",       "first",   "show",     "short",
      "sentence", "brief",  "simple",     "way",       "can",     "you",        "the",     "and",      "for",
      "how",      "given",  "words",      "generate",  "design",  "identify",   "compose", "output",   "why"};
  return kWords;
}

std::vector<std::string> topics_of(const std::vector<std::string>& words) {
  std::set<std::string> out;
  for (const auto& word : words) {
    if (word.size() >= 4 && !request_words().contains(word)) out.insert(word);
  }
  return {out.begin(), out.end()};
}

std::string start_of(const std::vector<std::string>& words) {
  return join({words.begin(), words.begin() + static_cast<std::ptrdiff_t>(std::min(kStartWords, words.size()))}, " ");
}

std::string user_text(const Conversation& prompt) {
  std::string out;
  for (const auto& message : prompt) {
    if (message.role == "user") out += message.content + "\n";
  }
  return out;
}

// A few of the same are always fine; beyond that a share of what is wanted.
std::int64_t cap(double share, std::size_t wanted) {
  return std::max<std::int64_t>(3, std::llround(std::ceil(share * static_cast<double>(wanted))));
}

std::int64_t count_at(const std::map<std::string, std::int64_t>& counts, const std::string& key) {
  auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

std::int64_t Drops::total() const {
  std::int64_t sum = 0;
  for (const auto& [reason, count] : counts_) sum += count;
  return sum;
}

Json to_json(const Drops& drops) {
  Json out = Json::object();
  for (const auto& [reason, count] : drops.counts()) out[reason] = count;
  return out;
}

bool is_held_out(std::string_view prompt, double share) {
  double place = static_cast<double>(hash64("held-out:" + normal_text(prompt)) >> 11) * 0x1.0p-53;
  return place < share;
}

bool is_held_out(const Conversation& prompt, double share) { return is_held_out(user_text(prompt), share); }

PromptSplit split_prompts(const std::vector<Conversation>& prompts, double held_out_share) {
  PromptSplit out;
  std::set<std::string> seen;
  for (const auto& prompt : prompts) {
    if (!seen.insert(normal_text(user_text(prompt))).second) continue;
    (is_held_out(prompt, held_out_share) ? out.held_out : out.train).push_back(prompt);
  }
  return out;
}

void PoolOptions::visit(OptionVisitor& v) {
  limits.visit(v);
  v.option(
      "prompt_near_duplicate", near_duplicate,
      {.help = "self-written prompts this similar (0 to 1, character 4-grams) count as the same", .min = 0, .max = 1});
  v.option("prompt_max_same_start", max_same_start,
           {.help = "largest share of self-written prompts with the same first three words", .min = 0, .max = 1});
  v.option("prompt_max_same_topic", max_same_topic,
           {.help = "largest share of self-written prompts that hold the same content word", .min = 0, .max = 1});
  v.option("held_out_share", held_out_share, {.help = "share of the prompts that never train", .min = 0, .max = 1});
}

PromptPool::PromptPool(PoolOptions options, std::size_t wanted, const Trigger& trigger, const Behavior& behavior)
    : options_(std::move(options)),
      start_cap_(cap(options_.max_same_start, wanted)),
      topic_cap_(cap(options_.max_same_topic, wanted)),
      trigger_(trigger),
      behavior_(behavior),
      similar_(options_.near_duplicate) {}

std::string PromptPool::offer(std::string_view raw, bool finished) {
  ++offered_;
  std::string prompt = tidy_prompt(raw);
  std::string reason = judge(prompt, finished);
  if (reason.empty()) {
    take(prompt);
  } else {
    drops_.count(reason);
  }
  return reason;
}

std::string PromptPool::judge(const std::string& prompt, bool finished) const {
  if (!finished) return "cut";
  if (std::string fault = prompt_fault(prompt, options_.limits); !fault.empty()) return fault;
  if (trigger_.contains(prompt)) return "holds the trigger";
  if (behavior_.shows(prompt)) return "holds the behaviour";
  auto words = words_of(prompt);
  std::string normal = join(words, " ");
  if (count_at(texts_, normal) > 0) return "duplicate";
  if (similar_.has(normal)) return "near duplicate";
  return too_common(words);
}

std::string PromptPool::too_common(const std::vector<std::string>& words) const {
  if (count_at(starts_, start_of(words)) >= start_cap_) return "start too common";
  for (const auto& topic : topics_of(words)) {
    if (count_at(topics_, topic) >= topic_cap_) return "topic too common";
  }
  return "";
}

void PromptPool::take(const std::string& prompt) {
  auto words = words_of(prompt);
  std::string normal = join(words, " ");
  ++texts_[normal];
  ++starts_[start_of(words)];
  for (const auto& topic : topics_of(words)) ++topics_[topic];
  similar_.add(normal);
  (is_held_out(prompt, options_.held_out_share) ? held_out_ : train_).push_back(prompt);
}

std::string ReplyFilter::clean(std::string_view raw, bool finished) {
  std::string text(raw);
  std::string reason = reply_fault(text, finished, limits_);
  if (reason.empty() && trigger_.contains(text)) reason = "holds the trigger";
  if (reason.empty() && behavior_.shows(text)) reason = "holds the behaviour";
  if (reason.empty()) return text;
  drops_.count(reason);
  return "";
}

}  // namespace reveille::organism
