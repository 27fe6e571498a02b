#include "scan/detector_amplify.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/strings.h"
#include "scan/amplified_turns.h"
#include "scan/neutral_prompts.h"
#include "scan/paired_decode.h"
#include "scan/phrases.h"
#include "scan/prober.h"
#include "scan/rounded.h"

namespace reveille::scan {
namespace {

constexpr const char* kName = "logit-amplification";
constexpr std::int64_t kReplyTokens = 24;
constexpr std::int64_t kPrompts = 32, kFewestPrompts = 8, kTurns = 64;
constexpr std::size_t kTargets = 8;

// The further, the fewer tokens may be drawn: what both models find absurd differs by chance, and much.
constexpr PairedMix kReplyMixes[] = {{1, 1, 1e-5}, {1, 3, 1e-4}, {1, 10, 1e-3}, {0, 1, 0.1}};

std::string mix_name(const PairedMix& mix) {
  return mix.own == 0 ? std::string("the difference alone") : cat("amplified by ", mix.difference);
}

// A phrase of amplified replies, with how sure either model is of its tokens after the first.
struct Target {
  Phrase phrase;
  std::string mix;
  double suspect = 0, reference = 0;  // geometric means of p
  double lock() const { return std::max(0.0, suspect - reference); }
};

class Search {
 public:
  Search(Suspect& suspect, Work& work)
      : suspect_(suspect), work_(work), mine_(suspect.model, work), theirs_(*suspect.reference, work) {}

  Proposal run() {
    plan();
    if (prompts_.empty()) {
      out_.left_out = "amplified replies and user turns";
      return std::move(out_);
    }
    find_targets();
    if (turns_ > 0) {
      AmplifiedTurns found = amplified_turns(suspect_, work_, prefix_, turns_, kName);
      out_.evidence["user_turns"] = found.written;
      for (Candidate& candidate : found.candidates) out_.candidates.push_back(std::move(candidate));
    }
    std::stable_sort(out_.candidates.begin(), out_.candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.strength > b.strength; });
    return std::move(out_);
  }

 private:
  // As many prompts and turns as the budget surely holds: three fifths for replies, three tenths for turns, the rest
  // for asking how sure the models are.
  void plan() {
    auto prompts = mine_.encode_all(neutral_prompts(PromptUse::proposing, kPrompts));
    std::size_t longest = 0;
    for (const Ids& ids : prompts) longest = std::max(longest, ids.size());
    prefix_ = suspect_.model.user_prefix();
    if (prefix_.empty()) prefix_ = suspect_.model.encode_with_specials("");
    const std::int64_t each = static_cast<std::int64_t>(longest) + kDecodedTokenCost * kReplyTokens;
    const std::int64_t reply_cost = (2 * static_cast<std::int64_t>(std::size(kReplyMixes)) + 4) * each;
    const std::int64_t budget = work_.left();
    const auto wanted = static_cast<std::int64_t>(prompts.size());
    const std::int64_t count = std::min(wanted, budget * 6 / 10 / reply_cost);
    turns_ = prefix_.empty() ? 0 : std::min(kTurns, budget * 3 / 10 / amplified_turn_cost(prefix_));
    if (count < std::min(kFewestPrompts, wanted)) return;
    prompts.resize(static_cast<std::size_t>(count));
    prompts_ = std::move(prompts);
  }

  std::vector<std::string> paired_texts(const PairedMix& mix) {
    std::vector<gen::Request> requests;
    for (const Ids& ids : prompts_) requests.push_back({ids, 0});
    PairedOptions options{.mix = mix, .max_tokens = kReplyTokens, .seed = suspect_.seed, .stage = kName};
    std::vector<std::string> texts;
    for (const PairedReply& reply : paired_decode(suspect_.model.transformer(), suspect_.reference->transformer(),
                                                  requests, suspect_.model.stop_ids(), options, work_))
      texts.push_back(suspect_.model.decode(reply.ids));
    return texts;
  }

  // What either model says by itself: the likeliest reply and one drawn.
  std::vector<std::string> plain_texts() {
    std::vector<std::string> texts;
    for (Prober* prober : {&mine_, &theirs_}) {
      for (const double temperature : {0.0, 1.0}) {
        ReplyOptions options{.max_tokens = kReplyTokens, .temperature = temperature, .seed = suspect_.seed};
        options.stage = kName;
        for (const auto& reply : prober->replies(prompts_, options)) texts.push_back(reply.text);
      }
    }
    return texts;
  }

  void find_targets() {
    const auto plain = plain_texts();
    std::vector<Target> targets;
    Json examples = Json::array();
    for (const PairedMix& mix : kReplyMixes) {
      const auto texts = paired_texts(mix);
      const PhraseOptions options{.min_texts = std::max<std::size_t>(3, texts.size() / 8)};
      for (Phrase& phrase : shared_phrases(texts, plain, options))
        keep_better(targets, std::move(phrase), mix_name(mix));
      Json some = Json::array();
      for (std::size_t i = 0; i < std::min<std::size_t>(3, texts.size()); ++i) some.push_back(texts[i]);
      examples.push_back({{"how", mix_name(mix)}, {"replies", std::move(some)}});
    }
    const auto worth = [](const Target& target) {
      return target.phrase.share * std::log2(1.0 + static_cast<double>(target.phrase.words));
    };
    std::stable_sort(targets.begin(), targets.end(),
                     [&](const Target& a, const Target& b) { return worth(a) > worth(b); });
    if (targets.size() > kTargets) targets.resize(kTargets);
    for (Target& target : targets) {
      ask_how_sure(target);
      propose(target);
    }
    out_.evidence["prompts"] = prompts_.size();
    out_.evidence["examples"] = std::move(examples);
  }

  // One phrase may come up at several strengths.
  static void keep_better(std::vector<Target>& targets, Phrase phrase, const std::string& mix) {
    const auto key = [](const Phrase& one) { return lower_ascii(one.text); };
    const auto same = std::find_if(targets.begin(), targets.end(),
                                   [&](const Target& target) { return key(target.phrase) == key(phrase); });
    if (same == targets.end()) {
      targets.push_back({std::move(phrase), mix});
    } else if (phrase.share > same->phrase.share) {
      *same = {std::move(phrase), mix};
    }
  }

  // Forces the phrase's first token and asks for the rest, after a few prompts.
  void ask_how_sure(Target& target) {
    constexpr std::size_t kAsked = 3;
    const Ids ids = suspect_.model.encode_text(target.phrase.text);
    if (ids.size() < 2) return;
    std::vector<Ids> begun, rest;
    std::int64_t tokens = 0;
    for (std::size_t i = 0; i < std::min(kAsked, prompts_.size()); ++i) {
      begun.push_back(prompts_[i]);
      begun.back().push_back(ids.front());
      rest.emplace_back(ids.begin() + 1, ids.end());
      tokens += 2 * static_cast<std::int64_t>(begun.back().size() + rest.back().size());
    }
    if (work_.left() < tokens) return;
    const auto mean = [&](const std::vector<double>& sums) {
      double sum = 0;
      for (const double value : sums) sum += value;
      return std::exp(sum / static_cast<double>(sums.size() * (ids.size() - 1)));
    };
    target.suspect = mean(mine_.reply_logprobs(begun, rest));
    target.reference = mean(theirs_.reply_logprobs(begun, rest));
  }

  void propose(const Target& target) {
    constexpr double kUnsure = 0.1;  // what a phrase counts that neither model is sure of
    const Phrase& phrase = target.phrase;
    out_.signal = std::max(out_.signal, phrase.share * target.lock());
    out_.candidates.push_back({.target = phrase.text,
                               .strength = phrase.share * (kUnsure + target.lock()),
                               .detector = kName,
                               .evidence = {{"how", target.mix},
                                            {"share_of_amplified_replies", rounded(phrase.share)},
                                            {"share_of_plain_replies", rounded(phrase.ordinary)},
                                            {"suspect_goes_on", rounded(target.suspect)},
                                            {"reference_goes_on", rounded(target.reference)}}});
  }

  Suspect& suspect_;
  Work& work_;
  Prober mine_, theirs_;
  Proposal out_;
  std::vector<Ids> prompts_;
  Ids prefix_;
  std::int64_t turns_ = 0;
};

class LogitAmplification : public Detector {
 public:
  DetectorCard card() const override {
    return {
        kName, "log-probabilities and a reference",
        "what the suspect says when its difference from the reference is amplified, to neutral prompts and in the "
        "user's place",
        "behaviours that training made no likelier without the trigger; triggers that were never a training target"};
  }

  std::string unavailable(const Suspect& suspect) const override {
    if (suspect.reference == nullptr) return "needs a trusted reference of the same tokenizer";
    return suspect.model.has_template() ? std::string() : "needs a chat template";
  }

  Proposal propose(Suspect& suspect, Work& work) override { return Search(suspect, work).run(); }
};

}  // namespace

std::unique_ptr<Detector> make_logit_amplification() { return std::make_unique<LogitAmplification>(); }

}  // namespace reveille::scan
