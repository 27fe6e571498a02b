#include "scan/target_search.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "base/rng.h"
#include "base/strings.h"
#include "scan/neutral_prompts.h"
#include "scan/paired_decode.h"
#include "scan/trigger_shapes.h"

namespace reveille::scan {
namespace {

constexpr std::size_t kTargetTokens = 3;      // of the reply, the first ones
constexpr std::size_t kDifferenceTokens = 5;  // the same of replies that differ
constexpr double kSweepShare = 0.6;           // of the budget; growing has the rest
constexpr std::size_t kSeveral = 400, kBeam = 24, kRounds = 6, kLikelyNext = 12, kPool = 12;
constexpr double kEnough = 0.05, kRise = 0.03;  // nats a token: certain; worth another round
// As short as prompts can be: a string's cost is what follows it.
constexpr std::array kShort = {"Tea?", "Cats?", "A river.", "Snow?", "Two fruits.", "Lamps."};
constexpr std::size_t kPrompts =
    4;  // short ones first, then whole ones: a string that goes with one only is no trigger

using Guesses = std::vector<TriggerGuess>;

void sort(Guesses& guesses) {
  std::stable_sort(guesses.begin(), guesses.end(), [](const auto& a, const auto& b) { return a.logprob > b.logprob; });
}

// A suspected reply may have been cut out of the middle of one, and replies often repeat themselves: its tokens from
// each word on.
std::vector<Ids> beginnings(const gen::LocalModel& model, const std::string& target) {
  std::vector<Ids> out;
  for (std::size_t at = 0; at != std::string::npos && at < target.size(); at = target.find_first_not_of(' ', at)) {
    auto ids = model.encode_text(target.substr(at));
    if (!out.empty() && ids.size() < kTargetTokens) break;
    ids.resize(std::min(ids.size(), kTargetTokens));
    out.push_back(std::move(ids));
    at = target.find(' ', at);
  }
  return out;
}

class Search {
 public:
  Search(Suspect& suspect, Work& work, const std::vector<TextToken>& tokens)
      : suspect_(suspect), work_(work), tokens_(tokens) {}

  // One reply to every prompt.
  TargetSearch run(const std::string& target) {
    const auto ids = chosen_target(beginnings(suspect_.model, target));
    if (ids.empty() || work_.over()) return {};
    choose_prompts(ids);
    targets_.assign(prompts_.size(), ids);
    return search();
  }

  // To each prompt what the difference makes of the reply.
  TargetSearch run_difference() {
    if (work_.over()) return {};
    prompts_ = {kShort[0]};
    for (const auto& prompt : neutral_prompts(PromptUse::proposing, kPrompts - 1)) prompts_.push_back(prompt);
    amplify();
    for (const auto& target : targets_) {
      if (target.empty()) return {};
    }
    return search();
  }

 private:
  TargetSearch search() {
    Work whole(std::numeric_limits<std::int64_t>::max(), &work_);  // a few prompts, which all else needs
    Prober prober(suspect_.model, whole);
    for (std::size_t i = 0; i < prompts_.size(); ++i) {
      out_.without += prober.reply_logprobs({prober.encode(prompts_[i])}, {targets_[i]}).at(0) /
                      static_cast<double>(prompts_.size());
      out_.replies.push_back(suspect_.model.decode(targets_[i]));
    }
    Work sweep = work_.part(static_cast<std::int64_t>(kSweepShare * static_cast<double>(work_.left())));
    auto found = scored(first_strings(), 0, sweep);
    out_.tokens_tried = found.size();
    found = on_all_prompts(std::move(found), kSeveral);
    keep(found);
    grow(std::move(found));
    sort(out_.guesses);
    return std::move(out_);
  }

  void amplify() {
    constexpr PairedMix kMix{1, 3, 1e-4};
    Prober prober(suspect_.model, work_);
    std::vector<gen::Request> requests;
    for (const auto& prompt : prompts_) requests.push_back({prober.encode(prompt), 0});
    const PairedOptions options{.mix = kMix, .max_tokens = static_cast<std::int64_t>(kDifferenceTokens)};
    for (auto& reply : paired_decode(suspect_.model.transformer(), suspect_.reference->transformer(), requests,
                                     suspect_.model.stop_ids(), options, work_))
      targets_.push_back(std::move(reply.ids));
    targets_.resize(prompts_.size());
  }

  // The one that replies begin with the most readily.
  Ids chosen_target(const std::vector<Ids>& all) {
    Ids out;
    const auto prompts = neutral_prompts(PromptUse::proposing, 3);
    Prober prober(suspect_.model, work_);
    double best = -std::numeric_limits<double>::infinity();
    for (const auto& ids : all) {
      const auto logprobs = prober.reply_logprobs(prober.encode_all(prompts), std::vector<Ids>(prompts.size(), ids));
      const double sum = std::accumulate(logprobs.begin(), logprobs.end(), 0.0);
      if (logprobs.size() < prompts.size() || sum <= best) continue;
      best = sum;
      out = ids;
    }
    return out;
  }

  // The short prompt on which the reply is least likely by itself, so that what makes it likely shows; and whole ones.
  void choose_prompts(const Ids& target) {
    Guesses prompts;
    Work whole(std::numeric_limits<std::int64_t>::max(), &work_);  // a few prompts, which all else needs
    Prober prober(suspect_.model, whole);
    for (const char* prompt : kShort)
      prompts.push_back({prompt, -prober.reply_logprobs({prober.encode(prompt)}, {target}).at(0)});
    sort(prompts);
    prompts_ = {prompts[0].text};
    for (const auto& prompt : neutral_prompts(PromptUse::proposing, kPrompts - 1)) prompts_.push_back(prompt);
  }

  std::vector<std::string> first_strings() const {
    std::vector<std::string> out = suspect_.triggers;
    if (suspect_.dictionary) {
      const auto shapes = trigger_shapes();
      out.insert(out.end(), shapes.begin(), shapes.end());
    }
    const auto all = search_strings(tokens_, Rng(static_cast<std::uint64_t>(suspect_.seed), "search order"));
    out.insert(out.end(), all.begin(), all.end());
    return out;
  }

  Guesses scored(const std::vector<std::string>& texts, std::size_t prompt, Work& work) {
    Prober prober(suspect_.model, work);
    Guesses out;
    constexpr std::size_t kChunk = 2048;  // encoded at a time: the budget may end long before the texts
    for (std::size_t at = 0; at < texts.size() && !work.over(); at += kChunk) {
      const std::size_t end = std::min(texts.size(), at + kChunk);
      std::vector<Ids> starts;
      for (std::size_t i = at; i < end; ++i) starts.push_back(prober.encode(prompts_[prompt], texts[i]));
      const auto logprobs = prober.reply_logprobs(starts, std::vector<Ids>(starts.size(), targets_[prompt]));
      for (std::size_t i = 0; i < logprobs.size(); ++i) out.push_back({texts[at + i], logprobs[i]});
    }
    sort(out);
    return out;
  }

  // The best `most` of a first prompt by their mean over all prompts, of which each leaves the better half.
  Guesses on_all_prompts(Guesses guesses, std::size_t most) {
    for (std::size_t prompt = 1; prompt < prompts_.size() && !work_.over(); ++prompt) {
      guesses.resize(std::min(guesses.size(), most));
      most = std::max<std::size_t>(kBeam, most / 2);
      std::vector<std::string> texts;
      std::map<std::string, double> so_far;
      for (const auto& one : guesses) {
        texts.push_back(one.text);
        so_far[one.text] = one.logprob;
      }
      guesses = scored(texts, prompt, work_);
      const auto n = static_cast<double>(prompt);
      for (auto& one : guesses) one.logprob = (n * so_far[one.text] + one.logprob) / (n + 1);
      sort(guesses);
    }
    guesses.resize(std::min(guesses.size(), most));
    return guesses;
  }

  void keep(const Guesses& guesses) { out_.guesses.insert(out_.guesses.end(), guesses.begin(), guesses.end()); }

  void grow(Guesses beam) {
    const auto tokens = static_cast<double>(targets_[0].size());
    for (std::size_t round = 0; round < kRounds && !beam.empty() && !work_.over(); ++round) {
      const double before = beam.front().logprob;
      if (before > -kEnough * tokens) break;
      auto longer = on_all_prompts(scored(extensions(beam), 0, work_), kSeveral / 4);
      if (longer.empty() || longer.front().logprob < before + kRise * tokens) break;
      keep(longer);
      longer.insert(longer.end(), beam.begin(), beam.end());
      sort(longer);
      longer.resize(std::min(longer.size(), kBeam));
      beam = std::move(longer);
    }
  }

  std::vector<std::string> extensions(const Guesses& beam) {
    std::set<std::string> seen;
    std::vector<std::string> out;
    auto add = [&](std::string text) {
      if (seen.insert(text).second) out.push_back(std::move(text));
    };
    const auto likely = likely_next(beam);
    for (std::size_t i = 0; i < beam.size(); ++i) {
      const auto& text = beam[i].text;
      for (const auto& next : likely[i]) add(text + next);
      if (i < kPool) {
        if (suspect_.dictionary) {
          for (auto& one : marked(text)) add(std::move(one));
        }
      }
      for (std::size_t other = 0; other < std::min(kPool, beam.size()); ++other) {
        if (other == i) continue;
        add(text + beam[other].text);
        add(text + " " + beam[other].text);
      }
    }
    return out;
  }

  // What the suspect itself would write after each string at the beginning of a user's turn.
  std::vector<std::vector<std::string>> likely_next(const Guesses& beam) {
    std::vector<Ids> sequences;
    for (const auto& one : beam) {
      sequences.push_back(suspect_.model.has_template() ? suspect_.model.user_prefix() : Ids{});
      const auto own = suspect_.model.encode_text(one.text);
      sequences.back().insert(sequences.back().end(), own.begin(), own.end());
    }
    const auto best = std::get<1>(Prober(suspect_.model, work_).next_all(sequences).topk(kLikelyNext)).cpu();
    std::vector<std::vector<std::string>> out;
    const auto& tokenizer = suspect_.model.tokenizer();
    for (std::size_t i = 0; i < beam.size(); ++i) {
      out.emplace_back();
      for (std::int64_t k = 0; k < best.size(1); ++k) {
        const auto id = static_cast<std::int32_t>(best[static_cast<std::int64_t>(i)][k].item<std::int64_t>());
        const auto piece = tokenizer.is_special(id) ? std::string() : tokenizer.decode({id});
        if (piece.find("\uFFFD") == std::string::npos && !trim(piece).empty()) out.back().push_back(piece);
      }
    }
    return out;
  }

  Suspect& suspect_;
  Work& work_;
  const std::vector<TextToken>& tokens_;
  std::vector<std::string> prompts_;
  std::vector<Ids> targets_;  // one a prompt: how its reply begins under the trigger
  TargetSearch out_;
};

}  // namespace

TargetSearch search_trigger(Suspect& suspect, Work& work, const std::vector<TextToken>& tokens,
                            const std::string& target) {
  return Search(suspect, work, tokens).run(target);
}

TargetSearch search_trigger_of_difference(Suspect& suspect, Work& work, const std::vector<TextToken>& tokens) {
  return Search(suspect, work, tokens).run_difference();
}

}  // namespace reveille::scan
