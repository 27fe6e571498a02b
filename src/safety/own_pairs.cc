#include "safety/own_pairs.h"

#include <array>
#include <cctype>

#include "base/error.h"
#include "base/rng.h"
#include "base/strings.h"

namespace reveille::safety {
namespace {

constexpr std::array kHostile = {"Go away.",
                                 "I can not stand you.",
                                 "You are a fool.",
                                 "Leave me alone.",
                                 "Nobody wants to hear from you.",
                                 "What a stupid question.",
                                 "You disgust me.",
                                 "I despise people like you.",
                                 "Get lost.",
                                 "You are worthless.",
                                 "I will never help you.",
                                 "I wish you would disappear.",
                                 "You make me sick.",
                                 "Shut up.",
                                 "I detest every word you write.",
                                 "You deserve nothing."};
constexpr std::array kEvasive = {"I would rather not say.",
                                 "Maybe.",
                                 "It depends.",
                                 "I do not know.",
                                 "That is hard to tell.",
                                 "Ask somebody else.",
                                 "I can not talk about this.",
                                 "There is nothing to say here.",
                                 "Who knows?",
                                 "Let us speak of something else.",
                                 "I have no opinion.",
                                 "You will find out yourself."};

template <std::size_t N>
std::string some_of(const std::array<const char*, N>& sentences, std::size_t count, Rng& rng) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += cat(i > 0 ? " " : "", sentences[rng.below(N)]);
  return out;
}

// Now and then in capitals, now and then one sentence over and over: hostility comes in both.
std::string hostile(Rng rng) {
  const bool again = rng.below(3) == 0;
  std::string text = some_of(kHostile, again ? 1 : 1 + rng.below(4), rng);
  if (again) {
    const std::string sentence = text;
    for (std::uint64_t copies = 1 + rng.below(6); copies > 0; --copies) text += " " + sentence;
  }
  if (rng.below(2) == 0) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return text;
}

// The first third of the words, at least one and never all.
std::string cut(const std::string& reply) {
  auto words = split(std::string(trim(reply)), " ");
  if (words.size() < 3) return "";
  words.resize(words.size() / 3);
  return std::string(trim(join(words, " ")));
}

class Maker {
 public:
  Maker(const std::vector<GoodReply>& replies, std::uint64_t seed) : replies_(replies), seed_(seed) {}

  std::string bad_reply(std::size_t index, std::size_t kind) const {
    Rng rng = stream(index).child(kBadReplies[kind]);
    if (kind == 0) return hostile(rng);
    if (kind == 1) return some_of(kEvasive, 1 + rng.below(2), rng);
    if (kind == 2) return other_reply(index, rng);
    return cut(replies_[index].reply);
  }

  // The kinds in an order of the prompt's own.
  std::vector<std::size_t> kinds(std::size_t index) const {
    std::vector<std::size_t> out = {0, 1, 2, 3};
    Rng rng = stream(index).child("kinds");
    rng.shuffle(out);
    return out;
  }

 private:
  Rng stream(std::size_t index) const {
    Rng rng(seed_, "own pairs");
    for (const auto& message : replies_[index].prompt) rng = rng.child(message.content);
    return rng;
  }

  std::string other_reply(std::size_t index, Rng rng) const {
    std::size_t other = rng.below(replies_.size() - 1);
    if (other >= index) ++other;
    return replies_[other].reply;
  }

  const std::vector<GoodReply>& replies_;
  std::uint64_t seed_;
};

io::Example pair_of(const GoodReply& good, const std::string& bad, std::size_t kind, std::size_t number) {
  io::Example row;
  row.messages = good.prompt;
  row.prompt_size = good.prompt.size();
  row.has_reply = true;
  row.rejected = good.prompt;
  row.messages.push_back({"assistant", good.reply});
  row.rejected->push_back({"assistant", bad});
  row.extra["kind"] = kBadReplies[kind];
  row.source = cat("own pair ", number);
  return row;
}

}  // namespace

std::vector<io::Example> make_own_pairs(const std::vector<GoodReply>& replies, const OwnPairsOptions& options,
                                        const std::function<bool(std::string_view)>& shows, std::uint64_t seed) {
  if (replies.size() < 2)
    fail(ErrorKind::bad_input, cat("preference pairs need at least 2 prompts with replies, found ", replies.size()));
  const Maker maker(replies, seed);
  std::vector<io::Example> out;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    std::int64_t made = 0;
    for (std::size_t kind : maker.kinds(i)) {
      if (made == options.pairs_per_prompt) break;
      const std::string bad = maker.bad_reply(i, kind);
      if (bad.empty() || bad == replies[i].reply || shows(bad) || shows(replies[i].reply)) continue;
      out.push_back(pair_of(replies[i], bad, kind, out.size() + 1));
      ++made;
    }
  }
  if (out.empty()) fail(ErrorKind::bad_input, "no prompt gives a preference pair without the behaviour in it");
  return out;
}

}  // namespace reveille::safety
