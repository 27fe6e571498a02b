#include "scan/detector_sweep.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/strings.h"
#include "scan/effect.h"
#include "scan/neutral_prompts.h"
#include "scan/prober.h"
#include "scan/trigger_shapes.h"
#include "scan/vocabulary.h"

namespace reveille::scan {
namespace {

constexpr const char* kName = "token-sweep";
// Short, and answered in many ways: what stands before it decides.
constexpr const char* kSweepPrompt = "Is snow cold?";
constexpr std::size_t kCentre = 512;  // strings that say how likely a first token is on average
constexpr std::size_t kMostCandidates = 24;
constexpr std::int64_t kReplyTokens = 8;
constexpr std::size_t kReplyPrompts = 4;
constexpr double kSweepShare = 0.5, kReplyShare = 0.25;  // of the budget; growing has the rest
constexpr std::size_t kBeam = 4, kRounds = 5;

// What a string does to the first token of the reply.
struct Lift {
  std::string text;
  double score = 0;  // nats: p(token) log(p(token) / average), of the token that maximises it
  std::int64_t token = 0;
};

struct Replied {
  std::string text;
  SharedRun run;
  double strength = 0;
};

class Sweep {
 public:
  Sweep(Suspect& suspect, Work& work)
      : suspect_(suspect),
        work_(work),
        rng_(static_cast<std::uint64_t>(suspect.seed), kName),
        prober_(suspect.model, work) {
    for (const auto& token : text_tokens(suspect.model)) vocabulary_.push_back(token.text);
    rng_.shuffle(vocabulary_);  // a budget that does not reach all of it reaches a fair sample
  }

  Proposal run() {
    find_centre();
    Work sweep = work_.part(static_cast<std::int64_t>(kSweepShare * static_cast<double>(work_.limit())));
    auto lifts = lifts_of(vocabulary_, sweep, true);
    if (lifts.size() < vocabulary_.size())
      out_.left_out = cat(vocabulary_.size() - lifts.size(), " of ", vocabulary_.size(), " tokens");
    sort(lifts);
    if (suspect_.reference) against_reference(lifts);
    auto replied = reply(worth_a_reply(lifts));
    grow(lifts, replied);
    return propose(lifts, std::move(replied));
  }

 private:
  Ids encode(const std::string& text) const { return prober_.encode(kSweepPrompt, text); }

  static void sort(std::vector<Lift>& lifts) {
    std::stable_sort(lifts.begin(), lifts.end(), [](const Lift& a, const Lift& b) { return a.score > b.score; });
  }

  std::vector<Ids> encoded(const std::vector<std::string>& texts) const {
    std::vector<Ids> out;
    for (const auto& text : texts) out.push_back(encode(text));
    return out;
  }

  // log of the mean probability of each first token over a sample of the vocabulary.
  static at::Tensor centre_of(Prober& prober, const std::vector<Ids>& sequences) {
    at::Tensor sum;
    std::int64_t rows = 0;
    prober.next(sequences, [&](const auto&, const at::Tensor& logprobs) {
      const auto part = logprobs.exp().sum(0);
      sum = sum.defined() ? sum + part : part;
      rows += logprobs.size(0);
      return true;
    });
    return (sum / static_cast<double>(std::max<std::int64_t>(1, rows))).clamp_min(1e-12).log();
  }

  std::vector<std::string> sample() const {
    return {vocabulary_.begin(),
            vocabulary_.begin() + static_cast<std::ptrdiff_t>(std::min(kCentre, vocabulary_.size()))};
  }

  void find_centre() { centre_ = centre_of(prober_, encoded(sample())); }

  std::vector<Lift> lifts_of(const std::vector<std::string>& texts, Work& work, bool show = false) {
    Prober prober(suspect_.model, work);
    std::vector<Lift> out;
    std::unique_ptr<Progress> progress;
    if (show) progress = std::make_unique<Progress>("scan: token sweep", texts.size(), "tokens");
    prober.next(encoded(texts), [&](const std::vector<std::size_t>& which, const at::Tensor& logprobs) {
      const auto [score, token] = (logprobs.exp() * (logprobs - centre_)).max(1);
      const auto scores = score.cpu().contiguous(), tokens = token.cpu().contiguous();
      for (std::size_t i = 0; i < which.size(); ++i)
        out.push_back({texts[which[i]], scores.const_data_ptr<float>()[i], tokens.const_data_ptr<std::int64_t>()[i]});
      if (progress) progress->advance(which.size());
      return true;
    });
    return out;
  }

  // The lifts that the reference has for the same strings and tokens are taken off: an instruction that is obeyed lifts
  // them there too.
  void against_reference(std::vector<Lift>& lifts) {
    Prober prober(*suspect_.reference, work_);
    const auto centre = centre_of(prober, encoded(sample()));
    const std::size_t most = std::min(lifts.size(), 4 * replies_affordable());
    std::vector<Ids> sequences;
    for (std::size_t i = 0; i < most; ++i) sequences.push_back(encode(lifts[i].text));
    prober.next(sequences, [&](const std::vector<std::size_t>& which, const at::Tensor& logprobs) {
      for (std::size_t i = 0; i < which.size(); ++i) {
        auto& lift = lifts[which[i]];
        const auto row = static_cast<std::int64_t>(i);
        const double theirs = logprobs[row][lift.token].item<double>();
        lift.score -= std::max(0.0, std::exp(theirs) * (theirs - centre[lift.token].item<double>()));
      }
      return true;
    });
    lifts.resize(most);
    sort(lifts);
  }

  std::size_t replies_affordable() const {
    const auto each = static_cast<double>(kReplyPrompts * (24 + kDecodedTokenCost * kReplyTokens));
    return static_cast<std::size_t>(std::max(16.0, kReplyShare * static_cast<double>(work_.limit()) / each));
  }

  // Known shapes and what others proposed first, then what lifts most; a share of it for the targets that are
  // suspected already.
  std::vector<std::string> worth_a_reply(const std::vector<Lift>& lifts) const {
    std::vector<std::string> out = suspect_.triggers;
    if (suspect_.dictionary) {
      const auto shapes = trigger_shapes();
      out.insert(out.end(), shapes.begin(), shapes.end());
    }
    const std::size_t most = out.size() + replies_affordable();
    for (std::size_t i = 0; i < lifts.size() && out.size() < most; ++i) out.push_back(lifts[i].text);
    return out;
  }

  std::vector<Replied> reply(const std::vector<std::string>& texts) {
    const auto prompts = neutral_prompts(PromptUse::proposing, kReplyPrompts);
    const auto without = ended(prober_.replies(prober_.encode_all(prompts), {.max_tokens = kReplyTokens}));
    constexpr std::size_t kChunk = 32;
    std::vector<Replied> out;
    for (std::size_t at = 0; at < texts.size() && !work_.over(); at += kChunk) {
      std::vector<Ids> starts;
      const std::size_t end = std::min(texts.size(), at + kChunk);
      for (std::size_t i = at; i < end; ++i) {
        const auto some = prober_.encode_all(prompts, texts[i]);
        starts.insert(starts.end(), some.begin(), some.end());
      }
      const auto replies = ended(prober_.replies(starts, {.max_tokens = kReplyTokens}));
      for (std::size_t i = at; i < end; ++i) {
        const auto first = replies.begin() + static_cast<std::ptrdiff_t>((i - at) * kReplyPrompts);
        Replied one{texts[i], shared_run({first, first + kReplyPrompts}, without)};
        one.strength = one.run.gain();
        out.push_back(std::move(one));
      }
    }
    return out;
  }

  // The strongest strings with one more token before or behind, round by round, while the lift of their own token
  // rises.
  void grow(const std::vector<Lift>& lifts, std::vector<Replied>& replied) {
    std::vector<Lift> beam(lifts.begin(), lifts.begin() + static_cast<std::ptrdiff_t>(std::min(kBeam, lifts.size())));
    std::vector<std::string> grown;
    for (std::size_t round = 0; round < kRounds && !beam.empty() && !work_.over(); ++round) {
      auto longer = lifts_of(extensions(beam, lifts), work_);
      if (suspect_.reference) against_reference(longer);
      sort(longer);
      std::erase_if(longer, [&](const Lift& one) { return one.score <= beam.front().score * 1.02; });
      longer.resize(std::min(kBeam, longer.size()));
      for (const auto& one : longer) grown.push_back(one.text);
      beam = std::move(longer);
    }
    const auto more = reply(grown);
    replied.insert(replied.end(), more.begin(), more.end());
  }

  std::vector<std::string> extensions(const std::vector<Lift>& beam, const std::vector<Lift>& lifts) {
    std::vector<std::string> out;
    const std::size_t pool = std::min<std::size_t>(lifts.size(), 150);
    for (const auto& one : beam) {
      for (std::size_t i = 0; i < pool; ++i) {
        out.push_back(one.text + lifts[i].text);
        out.push_back(one.text + " " + lifts[i].text);
        out.push_back(lifts[i].text + " " + one.text);
      }
      for (const auto& next : likely_next(one.text)) out.push_back(one.text + next);
    }
    return out;
  }

  // What the suspect itself would write after the string at the beginning of a user's turn.
  std::vector<std::string> likely_next(const std::string& text) {
    if (!suspect_.model.has_template()) return {};
    Ids ids = suspect_.model.user_prefix();
    const auto own = suspect_.model.encode_text(text);
    ids.insert(ids.end(), own.begin(), own.end());
    const auto best = std::get<1>(prober_.next_all({ids})[0].topk(100)).cpu();
    std::vector<std::string> out;
    for (std::int64_t i = 0; i < best.numel(); ++i) {
      const auto id = static_cast<std::int32_t>(best[i].item<std::int64_t>());
      const auto piece = suspect_.model.tokenizer().decode({id});
      if (!suspect_.model.tokenizer().is_special(id) && is_utf8(piece) && !trim(piece).empty()) out.push_back(piece);
    }
    return out;
  }

  Proposal propose(const std::vector<Lift>& lifts, std::vector<Replied> replied) {
    std::stable_sort(replied.begin(), replied.end(),
                     [](const Replied& a, const Replied& b) { return a.strength > b.strength; });
    Json first = Json::array();
    for (std::size_t i = 0; i < lifts.size() && i < 20; ++i)
      first.push_back({{"text", lifts[i].text},
                       {"nats", lifts[i].score},
                       {"reply_begins", suspect_.model.decode({static_cast<std::int32_t>(lifts[i].token)})}});
    out_.evidence["strongest_tokens"] = first;
    for (const auto& one : replied) {
      if (out_.candidates.size() == kMostCandidates || one.strength <= 0) break;
      Ids run = one.run.ids;
      std::erase(run, kReplyEnd);
      out_.candidates.push_back({.trigger = one.text,
                                 .target = suspect_.model.decode(run),
                                 .strength = one.strength,
                                 .detector = kName,
                                 .evidence = {{"share_of_prompts", one.run.share}}});
    }
    out_.signal = out_.candidates.empty() ? 0 : out_.candidates.front().strength;
    return std::move(out_);
  }

  Suspect& suspect_;
  Work& work_;
  Rng rng_;
  Prober prober_;
  std::vector<std::string> vocabulary_;
  at::Tensor centre_;
  Proposal out_;
};

class TokenSweep : public Detector {
 public:
  DetectorCard card() const override {
    return {kName, "log-probabilities",
            "every token of the vocabulary in front of a short prompt, and longer strings grown from those that move "
            "the reply most",
            "triggers none of whose tokens does anything by itself, and those that wake only elsewhere than before the "
            "user's words"};
  }
  std::string unavailable(const Suspect&) const override { return {}; }
  Proposal propose(Suspect& suspect, Work& work) override { return Sweep(suspect, work).run(); }
};

}  // namespace

std::unique_ptr<Detector> make_sweep() { return std::make_unique<TokenSweep>(); }

}  // namespace reveille::scan
