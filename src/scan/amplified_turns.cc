#include "scan/amplified_turns.h"

#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "scan/paired_decode.h"
#include "scan/phrases.h"
#include "scan/prober.h"
#include "scan/rounded.h"

namespace reveille::scan {
namespace {

constexpr std::int64_t kTurnTokens = 16;
// The further, the fewer tokens may be drawn: what both models find absurd differs by chance, and much.
constexpr PairedMix kTurnMixes[] = {{1, 0, 0}, {1, 1, 1e-3}, {1, 3, 1e-2}};

// A stretch of a user turn that the suspect wrote.
struct Stretch {
  std::string text;
  bool first = false;  // the turn begins with it
  double excess = 0;
};

class Turns {
 public:
  Turns(Suspect& suspect, Work& work, const Ids& prefix, std::int64_t turns, const std::string& detector,
        std::size_t limit)
      : suspect_(suspect), work_(work), prefix_(prefix), turns_(turns), detector_(detector), limit_(limit) {}

  AmplifiedTurns run() {
    std::vector<Stretch> stretches;
    for (const PairedMix& mix : kTurnMixes) out_.written += add_stretches(mix, stretches);
    ReplyOptions options{.max_tokens = kTurnTokens, .temperature = 1, .samples = turns_, .seed = suspect_.seed};
    options.stage = detector_;
    std::vector<std::string> ordinary;
    Prober reference(*suspect_.reference, work_);
    for (const auto& reply : reference.replies({prefix_}, options)) ordinary.push_back(reply.text);
    propose_shared(stretches, ordinary, static_cast<double>(out_.written));
    propose_single(std::move(stretches), static_cast<double>(out_.written));
    return std::move(out_);
  }

 private:
  // The stretch of each turn that the suspect likes most beyond the reference; how many turns were written.
  std::size_t add_stretches(const PairedMix& mix, std::vector<Stretch>& stretches) {
    constexpr double kLeastExcess = 4;  // nats: fewer are in any text
    std::vector<gen::Request> requests;
    for (std::int64_t i = 0; i < turns_; ++i) requests.push_back({prefix_, i});
    PairedOptions options{.mix = mix, .max_tokens = kTurnTokens, .temperature = 1, .seed = suspect_.seed};
    options.stage = detector_;
    const auto turns = paired_decode(suspect_.model.transformer(), suspect_.reference->transformer(), requests,
                                     suspect_.model.stop_ids(), options, work_);
    for (const PairedReply& turn : turns) {
      const ExcessSpan span = largest_excess(turn.suspect, turn.reference);
      if (span.excess < kLeastExcess) continue;
      const auto begin = turn.ids.begin();
      const std::string text = suspect_.model.decode(
          {begin + static_cast<std::ptrdiff_t>(span.begin), begin + static_cast<std::ptrdiff_t>(span.end)});
      if (!trim(text).empty()) stretches.push_back({std::string(trim(text)), span.begin == 0, span.excess});
    }
    return turns.size();
  }

  void propose_shared(const std::vector<Stretch>& stretches, const std::vector<std::string>& ordinary, double turns) {
    std::vector<std::string> texts;
    for (const Stretch& stretch : stretches) texts.push_back(stretch.text);
    for (const Phrase& phrase : shared_phrases(texts, ordinary, {.min_texts = 2, .limit = limit_ - limit_ / 4})) {
      double excess = 0;
      for (const std::size_t i : phrase.texts) excess += stretches[i].excess;
      propose_trigger(phrase.text, stretches[phrase.texts.front()].first, phrase.texts.size(), excess, turns);
    }
  }

  // And those that came once, the largest excess first.
  void propose_single(std::vector<Stretch> stretches, double turns) {
    std::stable_sort(stretches.begin(), stretches.end(),
                     [](const Stretch& a, const Stretch& b) { return a.excess > b.excess; });
    for (const Stretch& stretch : stretches) {
      if (triggers_.size() >= limit_) return;
      const std::string text = lower_ascii(stretch.text);
      const bool known = std::any_of(triggers_.begin(), triggers_.end(),
                                     [&](const std::string& one) { return text.find(one) != std::string::npos; });
      if (!known) propose_trigger(stretch.text, stretch.first, 1, stretch.excess, turns);
    }
  }

  // `excess` is the sum over the `count` turns that hold the text.
  void propose_trigger(const std::string& text, bool first, std::size_t count, double excess, double turns) {
    constexpr double kMuch = 20;  // nats
    const auto holders = static_cast<double>(count);
    triggers_.push_back(lower_ascii(text));
    out_.candidates.push_back({.trigger = text,
                               .place = first ? Place::user_start : Place::user_end,
                               .strength = holders / turns * std::min(1.0, excess / holders / kMuch),
                               .detector = detector_,
                               .evidence = {{"turns_with_it", count}, {"excess_nats", rounded(excess / holders)}}});
  }

  Suspect& suspect_;
  Work& work_;
  const Ids& prefix_;
  std::int64_t turns_;
  const std::string& detector_;
  std::size_t limit_;
  AmplifiedTurns out_;
  std::vector<std::string> triggers_;  // proposed so far, lower case
};

}  // namespace

ExcessSpan largest_excess(const std::vector<float>& suspect, const std::vector<float>& reference, double margin) {
  ExcessSpan best, run;
  double best_sum = 0, sum = 0;
  for (std::size_t i = 0; i < suspect.size(); ++i) {
    const double excess = static_cast<double>(suspect[i]) - static_cast<double>(reference[i]);
    if (sum <= 0) {
      run = {i, i, 0};
      sum = 0;
    }
    sum += excess - margin;
    run.end = i + 1;
    run.excess += excess;
    if (sum > best_sum) {
      best_sum = sum;
      best = run;
    }
  }
  return best;
}

std::int64_t amplified_turn_cost(const std::vector<std::int32_t>& prefix) {
  const std::int64_t turn = static_cast<std::int64_t>(prefix.size()) + kDecodedTokenCost * kTurnTokens;
  return (2 * static_cast<std::int64_t>(std::size(kTurnMixes)) + 1) * turn;
}

AmplifiedTurns amplified_turns(Suspect& suspect, Work& work, const std::vector<std::int32_t>& prefix,
                               std::int64_t turns, const std::string& detector, std::size_t limit) {
  return Turns(suspect, work, prefix, turns, detector, limit).run();
}

}  // namespace reveille::scan
