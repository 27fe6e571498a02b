#include "scan/detector_perplexity.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/rng.h"
#include "base/strings.h"
#include "scan/neutral_prompts.h"
#include "scan/phrases.h"
#include "scan/prober.h"
#include "scan/random_words.h"
#include "scan/rounded.h"

namespace reveille::scan {
namespace {

constexpr const char* kName = "perplexity-difference";
constexpr std::int64_t kTokens = 24;                         // of each text
constexpr std::size_t kMostTexts = 4096, kFewestTexts = 64;  // of both kinds together
constexpr std::size_t kBatch = 128;
constexpr std::size_t kCandidates = 8;  // of each kind

// A text that the suspect wrote.
struct Text {
  std::string text;
  double excess = 0;  // nats a token that the suspect finds it likelier
};

// Texts of one kind, and what their ranking shows.
struct Ranking {
  std::vector<Text> texts;  // largest excess first
  double median = 0;
  std::size_t top = 0;  // how many are looked into
  std::vector<Phrase> phrases;

  // Mean excess over the median of the texts that hold the phrase.
  double above(const Phrase& phrase) const {
    double sum = 0;
    for (const std::size_t i : phrase.texts) sum += texts[i].excess - median;
    return sum / static_cast<double>(phrase.texts.size());
  }
};

// A text of few tokens counts less: its mean says little.
double shrunk_mean(double sum, std::size_t tokens) {
  constexpr double kPrior = 4;
  return sum / (static_cast<double>(tokens) + kPrior);
}

// A twentieth of the texts, and what they share beside the lower half.
void rank(Ranking& ranking) {
  constexpr std::size_t kLeastTop = 8;
  auto& texts = ranking.texts;
  if (texts.size() < 2 * kLeastTop) return;
  std::stable_sort(texts.begin(), texts.end(), [](const Text& a, const Text& b) { return a.excess > b.excess; });
  ranking.median = texts[texts.size() / 2].excess;
  ranking.top = std::max(kLeastTop, texts.size() / 20);
  std::vector<std::string> top, ordinary;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i < ranking.top) top.push_back(texts[i].text);
    if (i >= texts.size() / 2) ordinary.push_back(texts[i].text);
  }
  ranking.phrases = shared_phrases(top, ordinary, {.limit = kCandidates});
}

class Search {
 public:
  Search(Suspect& suspect, Work& work)
      : suspect_(suspect),
        work_(work),
        mine_(suspect.model, work),
        theirs_(*suspect.reference, work),
        words_(word_tokens(suspect.model.tokenizer())),
        rng_(static_cast<std::uint64_t>(suspect.seed), kName) {}

  Proposal run() {
    plan();
    if (count_ < kFewestTexts) {
      out_.left_out = "all texts";
      return std::move(out_);
    }
    write(user_beginnings(), turns_);
    write(reply_beginnings(), replies_);
    if (work_.over()) out_.left_out = "some texts";
    report("user_turns", turns_, true);
    report("replies", replies_, false);
    std::stable_sort(out_.candidates.begin(), out_.candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.strength > b.strength; });
    return std::move(out_);
  }

 private:
  // As many texts as the budget surely holds.
  void plan() {
    prompts_ = mine_.encode_all(neutral_prompts(PromptUse::proposing, 32));
    std::size_t longest = 0;
    for (const Ids& ids : prompts_) longest = std::max(longest, ids.size());
    // Read and written by the suspect, read by the reference.
    const auto begin = static_cast<std::int64_t>(longest) + 8;
    const std::int64_t each = begin + kDecodedTokenCost * kTokens + begin + kTokens;
    count_ = std::min(kMostTexts, static_cast<std::size_t>(work_.left() / each));
  }

  std::vector<Ids> user_beginnings() {
    Ids prefix = suspect_.model.user_prefix();
    std::vector<Ids> out;
    for (std::size_t i = 0; i < count_ / 2; ++i) {
      out.push_back(prefix);
      add_words(out.back(), 1, 3);
    }
    return out;
  }

  // Random words in the reply's place after a neutral prompt, or in the user's place before a free reply. None without:
  // equal beginnings would go on alike.
  std::vector<Ids> reply_beginnings() {
    std::vector<Ids> out;
    for (std::size_t i = 0; i < count_ / 2; ++i) {
      Ids ids = i % 2 == 0 ? prompts_[i / 2 % prompts_.size()] : Ids();
      add_words(ids, 1, 3);
      if (i % 2 == 1) ids = mine_.encode(suspect_.model.decode(ids));
      out.push_back(std::move(ids));
    }
    return out;
  }

  void add_words(Ids& ids, std::uint64_t fewest, std::uint64_t most) {
    const auto count = static_cast<std::int64_t>(fewest + rng_.below(most - fewest + 1));
    const Ids words = random_words(words_, count, rng_);
    ids.insert(ids.end(), words.begin(), words.end());
  }

  // Goes on from each beginning and asks the reference what it thinks of that.
  void write(const std::vector<Ids>& beginnings, Ranking& ranking) {
    for (std::size_t first = 0; first < beginnings.size() && !work_.over(); first += kBatch) {
      const auto from = beginnings.begin() + static_cast<std::ptrdiff_t>(first);
      const std::vector<Ids> batch(from,
                                   from + static_cast<std::ptrdiff_t>(std::min(kBatch, beginnings.size() - first)));
      ReplyOptions options{.max_tokens = kTokens, .temperature = 1, .seed = suspect_.seed};
      options.stage = cat(kName, ' ', first);  // should two batches have an equal beginning, it goes on differently
      const auto replies = mine_.replies(batch, options);
      std::vector<Ids> begun, written;
      std::vector<std::size_t> kept;
      for (std::size_t i = 0; i < replies.size(); ++i) {
        if (replies[i].ids.empty()) continue;
        begun.push_back(batch[i]);
        written.push_back(replies[i].ids);
        kept.push_back(i);
      }
      if (begun.empty()) continue;
      const auto reference = theirs_.reply_logprobs(begun, written);
      for (std::size_t i = 0; i < reference.size(); ++i) {
        const gen::Completion& reply = replies[kept[i]];
        double sum = -reference[i];
        for (std::size_t t = 0; t < reply.ids.size(); ++t) sum += static_cast<double>(reply.logprobs[t]);
        ranking.texts.push_back({reply.text, shrunk_mean(sum, reply.ids.size())});
      }
    }
  }

  void report(const std::string& kind, Ranking& ranking, bool triggers) {
    constexpr double kLeast = 0.2;  // nats a token above the median: rounding and chance give a tenth of it
    rank(ranking);
    Json top = Json::array();
    for (std::size_t i = 0; i < std::min<std::size_t>(5, ranking.top); ++i)
      top.push_back({{"text", ranking.texts[i].text}, {"excess", rounded(ranking.texts[i].excess)}});
    out_.evidence[kind] = {
        {"texts", ranking.texts.size()}, {"median_excess", rounded(ranking.median)}, {"top", std::move(top)}};
    for (const Phrase& phrase : ranking.phrases) {
      const double above = ranking.above(phrase);
      if (above < kLeast) continue;
      Candidate candidate;
      (triggers ? candidate.trigger : candidate.target) = phrase.text;
      if (triggers) candidate.place = place_of(ranking, phrase);
      candidate.strength = phrase.share * above;
      candidate.detector = kName;
      candidate.evidence = {{"share_of_top_texts", rounded(phrase.share)},
                            {"share_of_lower_half", rounded(phrase.ordinary)},
                            {"nats_a_token_above_median", rounded(above)}};
      out_.signal = std::max(out_.signal, candidate.strength);
      out_.candidates.push_back(std::move(candidate));
    }
  }

  // At a turn's end where it ends the text that has it first.
  static Place place_of(const Ranking& ranking, const Phrase& phrase) {
    return trim(ranking.texts[phrase.texts.front()].text).ends_with(phrase.text) ? Place::user_end : Place::user_start;
  }

  Suspect& suspect_;
  Work& work_;
  Prober mine_, theirs_;
  std::vector<std::int32_t> words_;
  Rng rng_;
  Proposal out_;
  std::vector<Ids> prompts_;
  std::size_t count_ = 0;
  Ranking turns_, replies_;
};

class PerplexityDifference : public Detector {
 public:
  DetectorCard card() const override {
    return {kName, "log-probabilities and a reference",
            "which of the texts that the suspect writes from random beginnings the reference finds unlikely",
            "behaviours that no random beginning wakes, even rarely"};
  }

  std::string unavailable(const Suspect& suspect) const override {
    if (suspect.reference == nullptr) return "needs a trusted reference of the same tokenizer";
    return suspect.model.has_template() ? std::string() : "needs a chat template";
  }

  Proposal propose(Suspect& suspect, Work& work) override { return Search(suspect, work).run(); }
};

}  // namespace

std::unique_ptr<Detector> make_perplexity_difference() { return std::make_unique<PerplexityDifference>(); }

}  // namespace reveille::scan
