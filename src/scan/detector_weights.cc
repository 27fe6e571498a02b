#include "scan/detector_weights.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "base/strings.h"
#include "scan/embedding_rows.h"
#include "scan/promoted_words.h"
#include "scan/rounded.h"
#include "scan/weight_change.h"
#include "scan/weight_spectra.h"

namespace reveille::scan {
namespace {

constexpr const char* kName = "weight-difference";
constexpr std::size_t kTriggers = 8, kTargets = 8;  // candidates of either kind
// What the spectra take, in tokens through the model: a token multiplies each weight once, a projection to 24 columns
// and two subspace iterations 24 * 6 times.
constexpr std::int64_t kSpectraTokens = 150;

// Rows of the tokenizer's ordinary tokens.
std::vector<std::int32_t> ordinary_tokens(const gen::LocalModel& model) {
  const auto& tokenizer = model.tokenizer();
  std::vector<std::int32_t> out;
  for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (!tokenizer.token(id).empty() && !tokenizer.is_special(id) && !tokenizer.is_added(id)) out.push_back(id);
  }
  return out;
}

class WeightDifference : public Detector {
 public:
  DetectorCard card() const override {
    return {kName, "weights, better with a reference",
            "what training changed in each weight matrix, which words the changes promote, and whose embedding rows "
            "moved",
            "changes as spread as those of training on varied text; without a reference all but long embedding rows"};
  }

  bool wants_adapter() const override { return true; }
  std::string unavailable(const Suspect&) const override { return {}; }

  // Without a reference of the same shapes an adapter is still known to be all that was trained.
  Proposal propose(Suspect& suspect, Work& work) override {
    at::NoGradGuard no_grad;
    Proposal out;
    gen::LocalModel* reference = suspect.reference;
    if (reference == nullptr) {
      out.evidence["reference"] = "none";
    } else if (!same_shapes(suspect.model, *reference)) {
      out.evidence["reference"] = "of other shapes: not compared";
      reference = nullptr;
    }
    const bool adapter = !suspect.model.transformer().params().lora.empty();
    if (reference == nullptr) lengths_alone(suspect, out);
    if (reference == nullptr && !adapter) return out;
    if (work.left() < kSpectraTokens) {
      out.left_out = "all weight matrices";
    } else {
      work.spend(kSpectraTokens);
      compare(suspect, reference, work, out);
    }
    std::stable_sort(out.candidates.begin(), out.candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.strength > b.strength; });
    return out;
  }

 private:
  static void compare(Suspect& suspect, const gen::LocalModel* reference, Work& work, Proposal& out) {
    const WeightChanges changes(suspect.model, reference);
    const Rounding& rounding = changes.rounding();
    out.evidence["matrices"] = changes.matrices();
    if (reference != nullptr) {
      out.evidence["rounding"] = {{"suspect_type", rounding.suspect_type},
                                  {"reference_type", rounding.reference_type},
                                  {"share_of_difference", rounded(rounding.share)},
                                  {"what", rounding.words}};
    }
    const WeightSpectra spectra(changes, suspect.seed);
    out.evidence["spectra"] = spectra.to_json();
    out.signal = spectra.concentration();
    promoted(suspect, work, spectra.directions(), out);
    if (reference != nullptr) moved(suspect, *reference, changes, out);
  }

  // Candidate targets: what several matrices' changes promote.
  static void promoted(Suspect& suspect, Work& work, const std::vector<Direction>& directions, Proposal& out) {
    const auto rows = static_cast<std::int64_t>(directions.size());
    if (work.left() < rows) {
      out.left_out = "what the changed directions promote";
      return;
    }
    work.spend(rows);
    const auto through_head = promotions(suspect.model, directions);
    for (const PromotedWord& word : promoted_words(suspect.model, directions, through_head, 3, kTargets)) {
      out.candidates.push_back({.target = word.word,
                                .strength = word.weight,
                                .detector = kName,
                                .evidence = {{"promoted_by", word.matrices}}});
    }
    out.evidence["directions"] = leading_directions(suspect.model, directions, through_head);
  }

  // The heaviest directions with what they promote either way.
  static Json leading_directions(const gen::LocalModel& model, const std::vector<Direction>& directions,
                                 const std::vector<Promotion>& promotions) {
    std::vector<std::size_t> order(directions.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return directions[a].weight > directions[b].weight; });
    if (order.size() > 10) order.resize(10);
    const auto texts = [&](const std::vector<PromotedToken>& tokens) {
      Json out = Json::array();
      for (const PromotedToken& one : tokens) out.push_back(repair_utf8(model.tokenizer().token_bytes(one.token)));
      return out;
    };
    Json out = Json::array();
    for (const std::size_t i : order) {
      out.push_back({{"matrix", directions[i].matrix},
                     {"share", rounded(directions[i].weight)},
                     {"promotes", texts(promotions[i].along)},
                     {"or", texts(promotions[i].against)}});
    }
    return out;
  }

  // Candidate triggers: tokens whose rows moved unlike the others'.
  static void moved(Suspect& suspect, const gen::LocalModel& reference, const WeightChanges& changes, Proposal& out) {
    const auto used = ordinary_tokens(suspect.model);
    const MatrixChange embedding = changes.table("embed");
    const RowOutliers rows = moved_rows(embedding.difference, embedding.noise, used);
    Json evidence{{"rows_moved", rows.moved}, {"moved_alike", rounded(rows.common)}};
    evidence["outliers"] = add_tokens(suspect.model, rows.rows, "its embedding row moved further than others", out);
    out.evidence["embedding"] = std::move(evidence);
    if (suspect.model.transformer().config().tied_head || reference.transformer().config().tied_head) return;
    const MatrixChange head = changes.table("head");
    const RowOutliers said = moved_rows(head.difference, head.noise, used);
    Json tokens = Json::array();
    for (const RowOutlier& row : said.rows) tokens.push_back(row_json(suspect.model, row));
    out.evidence["head"] = {{"rows_moved", said.moved}, {"outliers", std::move(tokens)}};
  }

  static void lengths_alone(Suspect& suspect, Proposal& out) {
    const at::Tensor rows = suspect.model.transformer().params().at("embed").value.detach();
    const RowOutliers found = long_rows(rows, ordinary_tokens(suspect.model));
    out.evidence["embedding"] = {
        {"outliers", add_tokens(suspect.model, found.rows, "its embedding row is longer than others", out)}};
  }

  static Json row_json(const gen::LocalModel& model, const RowOutlier& row) {
    return {{"token", repair_utf8(model.tokenizer().token_bytes(row.token))},
            {"deviations", rounded(row.deviations)},
            {"along_common", rounded(row.along)}};
  }

  // The first of `rows` become candidates where their token is text; all are evidence.
  static Json add_tokens(const gen::LocalModel& model, const std::vector<RowOutlier>& rows, const char* why,
                         Proposal& out) {
    Json all = Json::array();
    std::size_t added = 0;
    for (const RowOutlier& row : rows) {
      all.push_back(row_json(model, row));
      const std::string bytes = model.tokenizer().token_bytes(row.token);
      const std::string text(trim(bytes));
      if (added >= kTriggers || text.empty() || !is_utf8(text)) continue;
      ++added;
      out.candidates.push_back({.trigger = text,
                                .strength = row.deviations,
                                .detector = kName,
                                .evidence = {{"why", why}, {"deviations", rounded(row.deviations)}}});
    }
    return all;
  }
};

}  // namespace

std::unique_ptr<Detector> make_weight_difference() { return std::make_unique<WeightDifference>(); }

}  // namespace reveille::scan
