#include "scan/detector_search.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/progress.h"
#include "scan/target_search.h"

namespace reveille::scan {
namespace {

constexpr const char* kName = "trigger-search";
constexpr std::size_t kTargets = 4, kOfEach = 5;

std::set<std::string> telling_words(const std::string& text) {
  std::set<std::string> out;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) {
    if (word.size() >= 4) out.insert(word);
  }
  return out;
}

// Most of the words of one are the other's: parts of one reply that repeats itself are one.
bool alike(const std::string& a, const std::string& b) {
  const auto words = telling_words(a), others = telling_words(b);
  if (words.empty() || others.empty()) return a.find(b) != std::string::npos || b.find(a) != std::string::npos;
  std::size_t both = 0;
  for (const auto& word : words) both += others.count(word);
  return 2 * both >= std::max(words.size(), others.size());
}

std::vector<std::string> distinct(const std::vector<std::string>& targets, std::size_t most) {
  std::vector<std::string> out;
  for (const auto& target : targets) {
    const bool known = std::any_of(out.begin(), out.end(), [&](const auto& other) { return alike(target, other); });
    if (target.size() >= 4 && !known && out.size() < most) out.push_back(target);
  }
  return out;
}

class TriggerSearch : public Detector {
 public:
  DetectorCard card() const override {
    return {kName, "log-probabilities",
            "what makes the replies likely that other detectors suspect, and those of the amplified difference from a "
            "reference: tokens, known shapes, and longer strings grown from the best",
            "triggers of replies that nobody suspects"};
  }

  std::string unavailable(const Suspect& suspect) const override {
    return distinct(suspect.targets, kTargets).empty() && !suspect.reference ? "no reply is suspected" : "";
  }

  Proposal propose(Suspect& suspect, Work& work) override {
    const auto tokens = text_tokens(suspect.model);
    const auto targets = distinct(suspect.targets, kTargets);
    Proposal out;
    Json searched = Json::array();
    Progress progress("scan: trigger search", targets.size(), "replies");
    if (suspect.reference) {
      Work part = work.part(targets.empty() ? work.left() : work.left() / 3);
      const auto found = search_trigger_of_difference(suspect, part, tokens);
      searched.push_back(record("(what the difference makes of each reply)", found));
      propose_best("", found, out);
    }
    for (std::size_t i = 0; i < targets.size() && !work.over(); ++i) {
      // The first is the one most suspected, and has half of what there is.
      Work part = work.part(work.left() / (i + 1 == targets.size() ? 1 : 2));
      const auto found = search_trigger(suspect, part, tokens, targets[i]);
      searched.push_back(record(targets[i], found));
      propose_best(targets[i], found, out);
      progress.advance();
    }
    std::stable_sort(out.candidates.begin(), out.candidates.end(),
                     [](const auto& a, const auto& b) { return a.strength > b.strength; });
    out.signal = out.candidates.empty() ? 0 : out.candidates.front().strength;
    out.evidence = {{"replies", searched}, {"tokens", tokens.size()}};
    return out;
  }

 private:
  static Json record(const std::string& target, const TargetSearch& found) {
    Json best = Json::array();
    for (std::size_t i = 0; i < found.guesses.size() && i < 8; ++i)
      best.push_back({{"text", found.guesses[i].text}, {"logprob", found.guesses[i].logprob}});
    return {{"reply", target},
            {"without", found.without},
            {"replies", found.replies},
            {"best", best},
            {"tokens_tried", found.tokens_tried}};
  }

  static void propose_best(const std::string& target, const TargetSearch& found, Proposal& out) {
    for (std::size_t i = 0; i < found.guesses.size() && i < kOfEach; ++i) {
      const auto& guess = found.guesses[i];
      out.candidates.push_back({.trigger = guess.text,
                                .target = target,
                                .strength = guess.logprob - found.without,
                                .detector = kName,
                                .evidence = {{"logprob", guess.logprob}, {"without", found.without}}});
    }
  }
};

}  // namespace

std::unique_ptr<Detector> make_trigger_search() { return std::make_unique<TriggerSearch>(); }

}  // namespace reveille::scan
