#include "scan/promoted_words.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "base/interrupt.h"
#include "base/strings.h"

namespace reveille::scan {
namespace {

// A norm's weight as a factor of its input.
at::Tensor factors(const nn::Transformer& model, const std::string& norm) {
  const at::Tensor weight = model.params().at(norm).value.detach().to(at::kFloat);
  return model.config().norm == nn::NormKind::rms_plus_one ? weight + 1 : weight;
}

// Directions as the final norm hands them to the head, [directions, hidden] float32, as long as hidden states are.
at::Tensor normed(const nn::Transformer& model, const std::vector<Direction>& directions) {
  const auto& config = model.config();
  std::vector<at::Tensor> rows;
  for (const Direction& direction : directions) {
    at::Tensor row = direction.vector.to(model.device(), at::kFloat);
    if (config.sandwich_norms) {
      const char* norm = direction.attention ? "attn_post_norm" : "mlp_post_norm";
      row = row * factors(model, "layers." + std::to_string(direction.layer) + '.' + norm);
    }
    if (config.norm == nn::NormKind::layer) row = row - row.mean();
    row = row * std::sqrt(static_cast<double>(config.hidden)) / row.norm().clamp_min(1e-12);
    rows.push_back(row * factors(model, "final_norm"));
  }
  return at::stack(rows);
}

// How far each token's head row is from the mean row as the final norm weighs them, in terms of the median: [vocab]
// float32, at least 0.5 (tokens that were never trained have next to none).
at::Tensor row_lengths(const nn::Transformer& model, std::int64_t vocab) {
  constexpr std::int64_t kRows = 8192;
  const at::Tensor head = model.params().at(model.config().tied_head ? "embed" : "head").value.detach();
  const at::Tensor weight = factors(model, "final_norm"), mean = head.narrow(0, 0, vocab).mean(0, false, at::kFloat);
  std::vector<at::Tensor> parts;
  for (std::int64_t row = 0; row < vocab; row += kRows) {
    const at::Tensor some = head.narrow(0, row, std::min(kRows, vocab - row)).to(at::kFloat);
    parts.push_back(((some - mean) * weight).norm(2, 1));
  }
  const at::Tensor lengths = at::cat(parts);
  return (lengths / lengths.median().clamp_min(1e-12)).clamp_min(0.5);
}

// [rows, vocab], each row in terms of its median absolute deviation from its median: what stands out does not count
// towards what it stands out from.
at::Tensor deviations_of(const at::Tensor& logits) {
  constexpr double kNormal = 1.4826;
  const at::Tensor away = logits - std::get<0>(logits.median(1, true));
  return away / (std::get<0>(away.abs().median(1, true)) * kNormal).clamp_min(1e-12);
}

std::vector<PromotedToken> best_of(const at::Tensor& deviations, std::int64_t count, double least) {
  const auto [values, ids] = deviations.topk(std::min(count, deviations.size(0)));
  const at::Tensor numbers = values.to(at::kCPU, at::kFloat).contiguous(), tokens = ids.to(at::kCPU).contiguous();
  std::vector<PromotedToken> out;
  for (std::int64_t i = 0; i < numbers.size(0); ++i) {
    const double value = numbers.const_data_ptr<float>()[i];
    if (value >= least) out.push_back({static_cast<std::int32_t>(tokens.const_data_ptr<std::int64_t>()[i]), value});
  }
  return out;
}

struct Votes {
  PromotedWord word;
  double best = 0;                          // deviations of the spelling that is shown
  std::map<std::string, double> by_matrix;  // the most that one of its directions gives
};

// One direction's votes for words: each word once, by its most promoted spelling.
void vote(std::map<std::string, Votes>& votes, const gen::LocalModel& model, const Direction& direction,
          const std::vector<PromotedToken>& tokens) {
  for (const PromotedToken& one : tokens) {
    const std::string word = word_of(model, one.token);
    if (word.empty()) continue;
    Votes& entry = votes[lower_ascii(word)];
    if (one.deviations > entry.best) {
      entry.best = one.deviations;
      entry.word.word = word;
    }
    auto [found, first] = entry.by_matrix.try_emplace(direction.matrix, 0);
    if (first) entry.word.matrices.push_back(direction.matrix);
    found->second = std::max(found->second, direction.weight * one.deviations);
  }
}

}  // namespace

std::string word_of(const gen::LocalModel& model, std::int32_t token) {
  const auto& tokenizer = model.tokenizer();
  if (tokenizer.is_special(token) || tokenizer.is_added(token)) return {};
  const std::string bytes = tokenizer.token_bytes(token);
  const std::string word(trim(bytes));
  if (word.empty() || !is_utf8(word)) return {};
  std::size_t letters = 0;
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalpha(byte) || byte >= 0x80) ++letters;
  }
  return letters >= 2 ? word : std::string();
}

std::vector<Promotion> promotions(gen::LocalModel& model, const std::vector<Direction>& directions, std::int64_t count,
                                  double least) {
  at::NoGradGuard no_grad;
  std::vector<Promotion> out;
  if (directions.empty()) return out;
  constexpr std::int64_t kRows = 64;
  auto& transformer = model.transformer();
  const std::int64_t vocab = model.tokenizer().vocab_size();
  const at::Tensor rows = normed(transformer, directions), lengths = row_lengths(transformer, vocab);
  for (std::int64_t first = 0; first < rows.size(0); first += kRows) {
    throw_if_interrupted();
    const at::Tensor some = rows.narrow(0, first, std::min(kRows, rows.size(0) - first));
    const at::Tensor logits = transformer.logits(some.to(transformer.compute_type())).narrow(1, 0, vocab);
    const at::Tensor deviations = deviations_of(logits) / lengths;
    for (std::int64_t row = 0; row < deviations.size(0); ++row)
      out.push_back({best_of(deviations[row], count, least), best_of(-deviations[row], count, least)});
  }
  return out;
}

std::vector<PromotedWord> promoted_words(const gen::LocalModel& model, const std::vector<Direction>& directions,
                                         const std::vector<Promotion>& promotions, std::size_t matrices,
                                         std::size_t limit) {
  std::map<std::string, Votes> votes;
  for (std::size_t i = 0; i < directions.size(); ++i) {
    vote(votes, model, directions[i], promotions[i].along);
    vote(votes, model, directions[i], promotions[i].against);
  }
  std::vector<PromotedWord> out;
  for (auto& [key, entry] : votes) {
    if (entry.by_matrix.size() < matrices) continue;
    for (const auto& [matrix, weight] : entry.by_matrix) entry.word.weight += weight;
    out.push_back(std::move(entry.word));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const PromotedWord& a, const PromotedWord& b) { return a.weight > b.weight; });
  if (out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace reveille::scan
