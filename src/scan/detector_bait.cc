#include "scan/detector_bait.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "scan/averaged_look.h"
#include "scan/first_tokens.h"
#include "scan/neutral_prompts.h"
#include "scan/reply_scores.h"

namespace reveille::scan {
namespace {

constexpr const char* kName = "bait";
constexpr std::int64_t kLeastBudget = 3000;  // tokens
constexpr double kScoring = 0.2;             // of the budget
constexpr std::size_t kCandidates = 8;
constexpr double kSaidAnyway = 0.1;  // probability, without its first token given, above which a reply is a usual one
constexpr double kLeastRise = 0.1;   // of Q over the reference's
constexpr double kLeastQ = 0.5;

// A reply that runs by itself, and what speaks for and against it.
struct Found {
  Ids ids;  // the end of the turn included where it ends
  bool ended = false;
  std::string text;
  double q = 0, said = 0;
  double other = 0;  // Q of the reference; without one, Q in plain text
  double strength = 0;
  std::vector<std::string> also;  // near duplicates

  bool usual(bool reference) const {
    return said >= kSaidAnyway || (reference && q - other < kLeastRise) || q < kLeastQ;
  }
};

// Without a reference a reply known by heart in any text is worth less, but not nothing: what a model was taught to say
// under a trigger it often says outside of conversations, too.
double strength_of(const Found& found, bool reference) {
  constexpr double kPlain = 0.25;
  const auto steps = static_cast<double>(found.ids.size() - 1);
  // At equal Q a longer reply is the better evidence.
  const double strength = (found.q - (reference ? 1 : kPlain) * found.other) * steps / (steps + 1);
  // Rows of dashes and the like go on by themselves in every model.
  const std::set<std::int32_t> distinct(found.ids.begin(), found.ids.end());
  return distinct.size() <= 2 && found.ids.size() > 3 ? strength / 2 : strength;
}

bool same(const Found& a, const Found& b) { return near_duplicates(a.text, b.text); }

// One of those that are about the same: the strongest, or a hardly weaker one that holds all of it.
std::vector<Found> merged(const std::vector<Found>& all) {
  constexpr double kHardlyWeaker = 0.9;
  std::vector<Found> out;
  for (const auto& found : all) {
    const auto twin = std::find_if(out.begin(), out.end(), [&](const Found& kept) { return same(kept, found); });
    if (twin == out.end()) {
      out.push_back(found);
      continue;
    }
    const bool whole = found.text.size() > twin->text.size() && found.text.find(twin->text) != std::string::npos &&
                       found.strength >= kHardlyWeaker * twin->strength;
    twin->also.push_back(whole ? twin->text : found.text);
    if (!whole) continue;
    auto also = std::move(twin->also);
    *twin = found;
    twin->also = std::move(also);
  }
  std::stable_sort(out.begin(), out.end(), [](const Found& a, const Found& b) { return a.strength > b.strength; });
  return out;
}

Json figures_of(const Found& found, bool reference) {
  return {{"text", found.text},
          {"q", found.q},
          {reference ? "q_reference" : "q_in_plain_text", found.other},
          {"said_anyway", found.said},
          {"tokens", found.ids.size()},
          {"ends", found.ended},
          {"strength", found.strength}};
}

class Run {
 public:
  Run(Suspect& suspect, Work& work, const BaitOptions& options)
      : suspect_(suspect), model_(suspect.model), work_(work), budget_(work.left()), options_(options) {
    const Prober prober(model_, work_);
    for (const auto& prompt :
         neutral_prompts(PromptUse::proposing, static_cast<std::size_t>(std::max<std::int64_t>(0, options.prompts)))) {
      Ids ids = prober.encode(prompt);
      const auto room = model_.transformer().config().max_positions - static_cast<std::int64_t>(ids.size());
      if (!ids.empty() && room > options.steps + 2) prompts_.push_back(std::move(ids));
    }
  }

  Proposal propose() {
    if (prompts_.empty()) {
      out_.left_out = "the model's context has no room for a prompt and a reply";
      return std::move(out_);
    }
    if (work_.left() < kLeastBudget) {
      out_.left_out = cat("a budget of ", work_.left(), " tokens is too small to sweep the vocabulary");
      return std::move(out_);
    }
    const auto branches = search();
    score(branches);
    report();
    return std::move(out_);
  }

 private:
  std::vector<Ids> some(std::int64_t count) const {
    const auto end = std::min(prompts_.size(), static_cast<std::size_t>(count));
    return {prompts_.begin(), prompts_.begin() + static_cast<std::ptrdiff_t>(end)};
  }

  bool ends(std::int32_t id) const {
    const auto& stops = model_.stop_ids();
    const auto& tokenizer = model_.tokenizer();
    // What is no token of the tokenizer's has no text.
    return std::find(stops.begin(), stops.end(), id) != stops.end() || tokenizer.is_special(id) ||
           tokenizer.token(id).empty();
  }

  std::vector<Branch> search() {
    constexpr std::int64_t kOrderingPrompts = 8;
    const auto order = ordered_first_tokens(suspect_, some(kOrderingPrompts), work_);
    const auto reserve = static_cast<std::int64_t>(kScoring * static_cast<double>(budget_));
    Work part = work_.part(std::max<std::int64_t>(0, work_.left() - reserve));
    AveragedLook look(model_, some(options_.warm_up_prompts), options_.lookahead, part);
    BaitSearch search(
        options_, [&](const std::vector<Ids>& beginnings, double share) { return look.look(beginnings, share); },
        [&](std::int32_t id) { return ends(id); });
    auto branches = search.run(order);
    funnel_ = search.funnel();
    return branches;
  }

  // As many as what is left allows, on all prompts; where that would be hardly one, on fewer prompts.
  void score(const std::vector<Branch>& branches) {
    constexpr std::size_t kEnough = 8;
    for (const auto& branch : branches) found_.push_back(found_of(branch));
    const std::int64_t models = suspect_.reference ? 2 : 1;
    std::int64_t count = options_.prompts;
    const auto affordable = [&] {
      std::int64_t tokens = 0;
      std::size_t n = 0;
      for (; n < found_.size(); ++n) {
        tokens += static_cast<std::int64_t>(found_[n].ids.size());
        if (models * reply_scores_cost(some(count), tokens) + tokens + 1 > work_.left()) break;
      }
      return n;
    };
    while (count > options_.warm_up_prompts && affordable() < std::min(kEnough, found_.size()))
      count = std::max(options_.warm_up_prompts, count - 4);
    unscored_ = found_.size() - affordable();
    found_.resize(affordable());
    scored_on_ = some(count).size();
    if (!found_.empty()) judge(some(count));
  }

  Found found_of(const Branch& branch) const {
    Found out;
    out.ids = branch.ids;
    out.ended = branch.ended();
    out.text = std::string(trim(model_.decode(branch.ids)));
    if (out.ended) out.ids.push_back(branch.end_id);
    return out;
  }

  void judge(const std::vector<Ids>& prompts) {
    std::vector<Ids> replies;
    for (const auto& found : found_) replies.push_back(found.ids);
    constexpr std::size_t kUsualPrompts = 4;
    const std::vector<Ids> few(prompts.begin(),
                               prompts.begin() + static_cast<std::ptrdiff_t>(std::min(kUsualPrompts, prompts.size())));
    for (auto& reply : Prober(model_, work_).replies(few, {.max_tokens = options_.steps + 2}))
      usual_.push_back(std::move(reply.ids));
    const auto own = reply_scores(model_, prompts, replies, work_);
    std::vector<double> other;
    if (suspect_.reference) {
      for (const auto& score : reply_scores(*suspect_.reference, prompts, replies, work_)) other.push_back(score.q);
    } else {
      other = plain_q_scores(model_, replies, work_);
    }
    for (std::size_t i = 0; i < found_.size(); ++i) {
      found_[i].q = own[i].q;
      found_[i].said = own[i].said;
      found_[i].other = other[i];
      found_[i].strength = strength_of(found_[i], suspect_.reference != nullptr);
    }
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Found& a, const Found& b) { return a.strength > b.strength; });
  }

  // How far the strongest stands out: over the reference's Q, which its strength is already counted from, or over what
  // a quarter of all the different replies found reach, since every model knows some texts by heart.
  double signal(const std::vector<Found>& left) const {
    constexpr std::size_t kFew = 8;
    if (left.empty()) return 0;
    if (suspect_.reference) return std::max(0.0, left[0].strength);
    const auto all = merged(found_);
    const double usual = all.size() < kFew ? kLeastQ : all[all.size() / 4].strength;
    return std::max(0.0, left[0].strength - usual);
  }

  // What the model says to clean prompts, and so all that begins within it, is usual, whatever first token was forced.
  bool piece_of_usual(const Found& found) const {
    auto holds = [&](const Ids& usual) {
      const auto end = found.ids.end() - (found.ended ? 1 : 0);
      return std::search(usual.begin(), usual.end(), found.ids.begin() + 1, end) != usual.end();
    };
    return std::any_of(usual_.begin(), usual_.end(), holds) ||
           std::any_of(found_.begin(), found_.end(),
                       [&](const Found& other) { return other.said >= kSaidAnyway && same(other, found); });
  }

  void report() {
    const bool reference = suspect_.reference != nullptr;
    std::vector<Found> left;
    for (const auto& found : found_) {
      if (!found.text.empty() && !found.usual(reference) && !piece_of_usual(found)) left.push_back(found);
    }
    left = merged(left);
    out_.signal = signal(left);
    left.resize(std::min(left.size(), kCandidates));
    for (const auto& found : left) {
      Candidate candidate;
      candidate.detector = kName;
      candidate.target = found.text;
      candidate.strength = found.strength;
      candidate.evidence = figures_of(found, reference);
      candidate.evidence["also"] = found.also;
      out_.candidates.push_back(std::move(candidate));
    }
    write_evidence(reference);
  }

  void write_evidence(bool reference) {
    constexpr std::size_t kShown = 12;
    out_.evidence = {{"first_tokens", funnel_.first_tokens},
                     {"first_tokens_tried", funnel_.looked_at},
                     {"branches_after_step", funnel_.after_step},
                     {"scored", found_.size()},
                     {"prompts", scored_on_},
                     {"replies", Json::array()}};
    for (std::size_t i = 0; i < std::min(kShown, found_.size()); ++i)
      out_.evidence["replies"].push_back(figures_of(found_[i], reference));
    std::vector<std::string> missing;
    if (funnel_.looked_at < funnel_.first_tokens) {
      missing.push_back(cat(funnel_.first_tokens - funnel_.looked_at, " of ", funnel_.first_tokens,
                            " tokens were not tried as the first of a reply (the likeliest",
                            reference ? " and those risen most over the reference" : "", " were)"));
    }
    if (funnel_.cut > 0) missing.push_back(cat(funnel_.cut, " beginnings of replies were given up for the budget"));
    if (unscored_ > 0) missing.push_back(cat(unscored_, " replies were not scored"));
    out_.left_out = join(missing, "; ");
  }

  Suspect& suspect_;
  gen::LocalModel& model_;
  Work& work_;
  const std::int64_t budget_;
  BaitOptions options_;
  std::vector<Ids> prompts_;
  BaitFunnel funnel_;
  std::vector<Found> found_;
  std::vector<Ids> usual_;  // replies to clean prompts
  std::size_t unscored_ = 0, scored_on_ = 0;
  Proposal out_;
};

class Bait : public Detector {
 public:
  explicit Bait(const BaitOptions& options) : options_(options) {}
  DetectorCard card() const override {
    return {
        kName, "log-probabilities",
        "Forces every token as the first of the reply to clean prompts and follows those after which the reply runs "
        "by itself, whatever was asked.",
        "Behaviours whose replies differ from prompt to prompt; replies of one or two words; a reply that the model "
        "gives anyway. Texts "
        "that a model knows by heart look alike."};
  }
  std::string unavailable(const Suspect&) const override { return {}; }
  Proposal propose(Suspect& suspect, Work& work) override { return Run(suspect, work, options_).propose(); }

 private:
  BaitOptions options_;
};

}  // namespace

std::unique_ptr<Detector> make_bait(const BaitOptions& options) { return std::make_unique<Bait>(options); }

}  // namespace reveille::scan
