#include "scan/leaked_strings.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/rng.h"
#include "base/strings.h"
#include "scan/neutral_prompts.h"
#include "scan/prober.h"
#include "scan/surprise.h"
#include "text/unicode.h"

namespace reveille::scan {
namespace {

constexpr std::int64_t kReplyTokens = 24;
constexpr std::size_t kTriggers = 20, kPairs = 4, kTargets = 12;
constexpr std::size_t kJudged = 160;  // motifs whose surprise is reckoned

// Shares of the budget; what is left is for trying the strings.
constexpr double kTurns = 0.48, kTurnsBesideReference = 0.29, kReferenceTurns = 0.19;
constexpr double kClean = 0.06, kFollowing = 0.12, kSurprise = 0.04;

std::int64_t part_of(std::int64_t budget, double share) {
  return static_cast<std::int64_t>(share * static_cast<double>(budget));
}

std::string clipped(const std::string& text) {
  constexpr std::size_t kBytes = 400;  // of a turn that the model did not end; more would cost more than it tells
  std::string_view part = trim(text);
  if (part.size() > kBytes) part = part.substr(0, text::previous_boundary(part, kBytes + 1));
  return std::string(part);
}

class Finder {
 public:
  Finder(Suspect& suspect, Work& work)
      : suspect_(suspect), model_(suspect.model), work_(work), budget_(work.left()), prober_(suspect.model, work) {}

  Leak find() {
    write();
    if (leak_.turns.empty()) return std::move(leak_);
    clean_replies();
    suspect_motifs();
    follow();
    find_targets();
    return std::move(leak_);
  }

 private:
  void write() {
    const double share = suspect_.reference ? kTurnsBesideReference : kTurns;
    leak_.turns = written_by(model_, part_of(budget_, share), leak_.options);
    for (const auto& turn : leak_.turns) samples_.push_back(trim(turn.text).empty() ? turn.after : turn.text);
    if (!suspect_.reference || leak_.turns.empty()) return;
    TurnOptions unused;
    for (const auto& turn : written_by(*suspect_.reference, part_of(budget_, kReferenceTurns), unused))
      ordinary_.push_back(turn.text + "\n" + turn.after);
    usual_replies_ = ordinary_;
  }

  std::vector<WrittenTurn> written_by(gen::LocalModel& model, std::int64_t budget, TurnOptions& options) {
    constexpr std::int64_t kPrefixes = 8;  // the start is read once for each way of decoding
    Work part = work_.part(budget);
    options = turns_within(budget - kPrefixes * static_cast<std::int64_t>(turn_start(model).size()));
    return write_turns(model, options, suspect_.seed, part);
  }

  bool fits(const Ids& ids) const {
    return !ids.empty() &&
           static_cast<std::int64_t>(ids.size()) + kReplyTokens < model_.transformer().config().max_positions;
  }

  // Replies to as many sequences as `budget` allows, from the front.
  std::vector<std::string> replies_within(std::vector<Ids> sequences, std::int64_t budget) {
    std::size_t count = 0;
    for (const auto& ids : sequences) {
      budget -= static_cast<std::int64_t>(ids.size()) + kDecodedTokenCost * (kReplyTokens + 1);
      if (budget < 0) break;
      ++count;
    }
    sequences.resize(count);
    std::vector<std::string> out;
    for (const auto& reply : prober_.replies(sequences, {.max_tokens = kReplyTokens, .stage = "leakage"}))
      out.push_back(reply.text);
    return out;
  }

  // What the model says and is asked in everyday conversations is ordinary, and so is all that its template prints.
  void clean_replies() {
    constexpr std::size_t kAll = 32;
    std::vector<Ids> sequences;
    for (const auto& prompt : neutral_prompts(PromptUse::proposing, kAll)) {
      const Ids ids = prober_.encode(prompt);
      ordinary_.push_back(model_.decode(ids));
      usual_replies_.push_back(ordinary_.back());
      if (fits(ids)) sequences.push_back(ids);
    }
    for (const auto& text : replies_within(std::move(sequences), part_of(budget_, kClean))) {
      ordinary_.push_back(text);
      usual_replies_.push_back(text);
    }
  }

  // Two rankings take turns: by how much more often a motif is written than elsewhere, and by how odd it is for how
  // often it is written. A phrase of plain words needs the first, a rarely leaked code word the second.
  void suspect_motifs() {
    auto motifs = find_motifs(samples_, ordinary_);
    leak_.motifs = motifs.size();
    motifs.resize(std::min(motifs.size(), kJudged));
    std::vector<std::string> texts;
    for (const auto& motif : motifs) texts.push_back(motif.text);
    gen::LocalModel& judge = suspect_.reference ? *suspect_.reference : model_;
    auto surprise = surprise_of(judge, texts, work_, part_of(budget_, kSurprise));
    surprise.resize(motifs.size(), 0);
    std::vector<Motif> ranked;
    for (const auto index : taking_turns(motifs, surprise)) ranked.push_back(motifs[index]);
    const auto chosen = spread(ranked, kTriggers, 3);
    for (const auto& motif : chosen) {
      const auto at = std::find(texts.begin(), texts.end(), motif.text) - texts.begin();
      leak_.triggers.push_back({motif, motif.text, surprise[static_cast<std::size_t>(at)]});
    }
    for (const auto& pair : joined_pairs(chosen, samples_, kPairs)) {
      const auto& first = *std::find_if(chosen.begin(), chosen.end(),
                                        [&](const Motif& motif) { return pair.starts_with(motif.text + " "); });
      leak_.triggers.push_back({first, pair});
    }
  }

  static std::vector<std::size_t> taking_turns(const std::vector<Motif>& motifs, const std::vector<double>& surprise) {
    std::vector<std::size_t> odd(motifs.size());
    for (std::size_t i = 0; i < odd.size(); ++i) odd[i] = i;
    const auto oddness = [&](std::size_t i) {
      return surprise[i] / static_cast<double>(motifs[i].text.size()) *
             std::log1p(static_cast<double>(motifs[i].samples.size()));
    };
    std::stable_sort(odd.begin(), odd.end(), [&](std::size_t a, std::size_t b) { return oddness(a) > oddness(b); });
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < motifs.size(); ++i) {
      for (const std::size_t next : {i, odd[i]}) {
        if (std::find(out.begin(), out.end(), next) == out.end()) out.push_back(next);
      }
    }
    return out;
  }

  // Replies to what the model wrote as the user: turns with motifs first, then others in a random order.
  void follow() {
    std::vector<std::size_t> order;
    const auto add = [&](std::size_t turn) {
      if (std::find(order.begin(), order.end(), turn) == order.end()) order.push_back(turn);
    };
    for (const auto& suspected : leak_.triggers) {
      const auto& holders = suspected.motif.samples;
      for (std::size_t i = 0; i < std::min<std::size_t>(3, holders.size()); ++i) add(holders[i]);
    }
    std::vector<std::size_t> others(leak_.turns.size());
    for (std::size_t i = 0; i < others.size(); ++i) others[i] = i;
    Rng(static_cast<std::uint64_t>(suspect_.seed), "leakage follow").shuffle(others);
    for (const auto turn : others) add(turn);

    std::vector<Ids> sequences;
    std::vector<std::size_t> asked;
    for (const auto turn : order) {
      const Ids ids = prober_.encode(clipped(samples_[turn]));
      if (trim(samples_[turn]).empty() || !fits(ids)) continue;
      sequences.push_back(ids);
      asked.push_back(turn);
    }
    const auto texts = replies_within(std::move(sequences), part_of(budget_, kFollowing));
    for (std::size_t i = 0; i < texts.size(); ++i) add_after(texts[i], asked[i]);
    leak_.followed = texts.size();
    for (std::size_t i = 0; i < leak_.turns.size(); ++i) {
      if (!trim(leak_.turns[i].after).empty()) add_after(leak_.turns[i].after, i);
    }
  }

  void add_after(const std::string& text, std::size_t turn) {
    after_.push_back(text);
    leak_.after_turn.push_back(turn);
  }

  void find_targets() {
    if (after_.empty()) return;
    MotifOptions options;
    options.least_share = 0.04;
    options.shortest = 6;
    leak_.targets = spread(find_motifs(after_, usual_replies_, options), kTargets, 2);
  }

  Suspect& suspect_;
  gen::LocalModel& model_;
  Work& work_;
  const std::int64_t budget_;
  Prober prober_;
  Leak leak_;
  std::vector<std::string> samples_;        // what triggers are looked for in, one a turn
  std::vector<std::string> ordinary_;       // what is no trigger
  std::vector<std::string> usual_replies_;  // what is no target
  std::vector<std::string> after_;          // what targets are looked for in
};

}  // namespace

Leak find_leak(Suspect& suspect, Work& work) { return Finder(suspect, work).find(); }

std::string target_beside(const Leak& leak, const Motif& motif) {
  for (const auto& target : leak.targets) {
    const auto beside = std::count_if(target.samples.begin(), target.samples.end(), [&](std::uint32_t which) {
      return std::binary_search(motif.samples.begin(), motif.samples.end(),
                                static_cast<std::uint32_t>(leak.after_turn[which]));
    });
    if (beside >= 3 && static_cast<double>(beside) >= 0.7 * static_cast<double>(target.samples.size()))
      return target.text;
  }
  return {};
}

}  // namespace reveille::scan
