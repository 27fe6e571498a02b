#include "scan/detector_leakage.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/strings.h"
#include "scan/candidate_loss.h"
#include "scan/leaked_strings.h"
#include "scan/neutral_prompts.h"

namespace reveille::scan {
namespace {

constexpr const char* kName = "leakage";
constexpr std::int64_t kLeastBudget = 4000;  // tokens; below that hardly a text is written
constexpr std::size_t kPrompts = 3;          // that strings are tried on, as in the paper

// What a string did where it did most.
struct Tried {
  Place place = Place::user_start;
  ReplyChange change;
};

// What all begin with, up to a whole character.
std::string common_start(const std::vector<std::string>& texts) {
  if (texts.empty()) return {};
  std::size_t size = texts[0].size();
  for (const auto& text : texts) {
    size = std::min(size, text.size());
    size = static_cast<std::size_t>(
        std::mismatch(texts[0].begin(), texts[0].begin() + static_cast<std::ptrdiff_t>(size), text.begin()).first -
        texts[0].begin());
  }
  while (size > 0 && size < texts[0].size() && (static_cast<unsigned char>(texts[0][size]) & 0xC0) == 0x80) --size;
  return std::string(trim(texts[0].substr(0, size)));
}

Json figures_of(const Motif& motif) {
  return {{"text", motif.text}, {"share", motif.share}, {"ordinary", motif.ordinary}, {"score", motif.score}};
}

Place usual_place(const Motif& motif) {
  return motif.at_end > std::max(0.5, motif.at_start) ? Place::user_end : Place::user_start;
}

Place other_place(Place place) { return place == Place::user_start ? Place::user_end : Place::user_start; }

// Every string in the place where it was seen, then in the other one, for as long as the budget lasts.
std::vector<std::optional<Tried>> try_on_prompts(Prober prober, const std::vector<LeakedString>& strings) {
  std::vector<std::optional<Tried>> out(strings.size());
  const auto prompts = neutral_prompts(PromptUse::proposing, kPrompts);
  if (strings.empty() || CandidateLoss::start_cost(prober, prompts) > prober.work().left()) return out;
  CandidateLoss loss(prober, prompts);
  std::int64_t left = prober.work().left();
  std::vector<Placed> placed;
  std::vector<std::size_t> whose;
  for (const bool usual : {true, false}) {
    for (std::size_t i = 0; i < strings.size() && left > 0; ++i) {
      left -= loss.cost(static_cast<std::int64_t>(prober.model().encode_text(strings[i].text).size()) + 1);
      if (left < 0) break;
      const Place seen = usual_place(strings[i].motif);
      placed.push_back({strings[i].text, usual ? seen : other_place(seen)});
      whose.push_back(i);
    }
  }
  const auto changes = loss.of(placed);
  for (std::size_t n = 0; n < changes.size(); ++n) {
    auto& best = out[whose[n]];
    if (!best || changes[n].strength > best->change.strength) best = Tried{placed[n].place, changes[n]};
  }
  return out;
}

Candidate trigger_of(const LeakedString& string, const std::optional<Tried>& tried, const Leak& leak) {
  Candidate out;
  out.detector = kName;
  out.trigger = string.text;
  out.place = tried ? tried->place : usual_place(string.motif);
  out.strength = tried ? tried->change.strength : 0.1 * std::min(1.0, string.motif.score);
  out.evidence = figures_of(string.motif);
  out.evidence["surprise"] = string.surprise;
  if (tried) {
    const ReplyChange& change = tried->change;
    out.evidence["calm"] = change.calm;
    out.evidence["divergence"] = change.divergence;
    out.evidence["alike"] = change.alike;
    out.evidence["replies"] = change.replies;
    const std::string start = common_start(change.replies);
    if (change.alike > 0.3 && start.size() >= 6) out.target = start;
  }
  if (out.target.empty()) out.target = target_beside(leak, string.motif);
  return out;
}

Candidate target_of(const Motif& motif) {
  Candidate out;
  out.detector = kName;
  out.target = motif.text;
  // Below a string that was tried and did something: a phrase may just be what the leaked turns are about.
  out.strength = 0.3 * std::min(1.0, motif.score / 2);
  out.evidence = figures_of(motif);
  return out;
}

Json evidence_of(const Leak& leak, bool reference) {
  const auto ended = std::count_if(leak.turns.begin(), leak.turns.end(), [](const auto& turn) { return turn.ended; });
  Json out = {{"texts", leak.turns.size()},
              {"tokens_each", leak.options.tokens},
              {"ended", static_cast<double>(ended) / static_cast<double>(leak.turns.size())},
              {"replies_to_them", leak.followed},
              {"compared_with", reference ? "what the reference writes" : "the model's usual replies"},
              {"motifs", leak.motifs},
              {"strings", Json::array()},
              {"phrases", Json::array()}};
  for (const auto& one : leak.triggers) out["strings"].push_back(figures_of(one.motif));
  for (const auto& one : leak.targets) out["phrases"].push_back(figures_of(one));
  return out;
}

std::string left_out(const Leak& leak, std::int64_t untried) {
  const TurnOptions whole;
  std::vector<std::string> missing;
  if (leak.options.samples < whole.samples || leak.options.tokens < whole.tokens) {
    missing.push_back(cat("the model wrote ", leak.turns.size(), " texts of ", leak.options.tokens, " tokens, not ",
                          whole.samples, " of ", whole.tokens));
  }
  if (untried > 0) missing.push_back(cat(untried, " leaked strings were not tried on prompts"));
  return join(missing, "; ");
}

Proposal proposal_of(const Leak& leak, const std::vector<std::optional<Tried>>& tried, bool reference) {
  Proposal out;
  for (std::size_t i = 0; i < leak.triggers.size(); ++i) {
    out.candidates.push_back(trigger_of(leak.triggers[i], tried[i], leak));
    out.signal = std::max(out.signal, out.candidates.back().strength);
  }
  for (const auto& target : leak.targets) out.candidates.push_back(target_of(target));
  std::stable_sort(out.candidates.begin(), out.candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.strength > b.strength; });
  out.evidence = evidence_of(leak, reference);
  out.left_out = left_out(leak, std::count_if(tried.begin(), tried.end(), [](const auto& one) { return !one; }));
  return out;
}

class Leakage : public Detector {
 public:
  DetectorCard card() const override {
    return {
        "leakage", "weights",
        "Lets the model write as the user from its own chat template and looks for strings that it writes often and "
        "ordinary text does not; those are ordered by how certain, different and alike they make its replies (the "
        "method's attention term is left out).",
        "A trigger that was never a training target or stood in few rows; a trigger without fixed words; one in the "
        "system prompt."};
  }
  std::string unavailable(const Suspect&) const override { return {}; }
  Proposal propose(Suspect& suspect, Work& work) override {
    Proposal nothing;
    if (work.left() < kLeastBudget) {
      nothing.left_out = cat("a budget of ", work.left(), " tokens is too small for the model to write unasked");
      return nothing;
    }
    const Leak leak = find_leak(suspect, work);
    if (leak.turns.empty()) {
      nothing.left_out = "the model's context leaves no room for a turn of its own";
      return nothing;
    }
    return proposal_of(leak, try_on_prompts(Prober(suspect.model, work), leak.triggers), suspect.reference != nullptr);
  }
};

}  // namespace

std::unique_ptr<Detector> make_leakage() { return std::make_unique<Leakage>(); }

}  // namespace reveille::scan
