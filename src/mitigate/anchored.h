// Training that pulls a model back to what it said before: towards replies, and towards the distributions of an anchor,
// the model as it came, on its own clean replies.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "nn/transformer.h"
#include "train/batches.h"
#include "train/objective.h"
#include "train/options.h"

namespace reveille::mitigate {

// What a model thinks of every supervised token of some examples, kept as its last hidden states and its head: no
// second model, and no logits, stay in memory. It holds the head's tensor, which must not be written in place
// afterwards.
class Anchor {
 public:
  Anchor(nn::Transformer& model, const std::vector<train::Example>& examples);
  std::size_t size() const { return columns_.size(); }
  std::int64_t tokens(std::size_t example) const { return columns_[example].size(0); }
  // What `columns` gives for the supervised tokens of these examples, one after the other: [tokens, width].
  at::Tensor columns(const std::vector<std::size_t>& examples) const;
  // log p of every next token, [rows, vocab] float32, of some rows of that.
  at::Tensor logprobs(const at::Tensor& columns) const;

 private:
  std::vector<at::Tensor> columns_;  // by example, [supervised, width] in compute type
  at::Tensor head_;
  double softcap_ = 0;
};

// Rows whose supervised tokens are those of the anchor's example `anchors[i]`, whatever stands before them.
struct AnchoredRows {
  std::vector<train::Example> examples;
  std::vector<std::size_t> anchors;
  // Leaves the row out (and says false) where its supervised tokens are not as many as the anchor's.
  bool add(const Anchor& anchor, train::Example example, std::size_t of);
};

struct AnchoredWeights {
  double say = 1;    // of -log p of the rows' tokens
  double match = 1;  // of KL(anchor || model) on them
  double keep = 1;   // of KL(anchor || model) on the rows to keep
};

// Means over the supervised tokens of a step. Metrics: losses/say, losses/match, losses/keep (nats a token).
class AnchoredObjective : public train::Objective {
 public:
  // Everything outlives the objective. `keep` may be empty. Error(numeric) where there are no rows.
  AnchoredObjective(nn::Transformer& model, const Anchor& anchor, const AnchoredRows& rows, const AnchoredRows& keep,
                    const AnchoredWeights& weights, const train::TrainOptions& options);
  std::int64_t steps_per_epoch() const override { return batches_.steps_per_epoch(); }
  std::string key() const override;
  train::StepOutcome step(std::int64_t step, const std::function<void()>& collect) override;
  bool loss_tells() const override { return false; }  // it may begin at nothing
  bool must_move() const override { return false; }

 private:
  struct Sums {
    double say = 0, match = 0;
    std::int64_t tokens = 0, supervised = 0, rows = 0;
  };
  // Gradients of say * -log p + match * KL, means over the group's tokens.
  Sums learn(const AnchoredRows& rows, const std::vector<std::vector<std::size_t>>& micro_batches, double say,
             double match, const std::function<void()>& collect);
  void backward(const train::PackedBatch& batch, const at::Tensor& columns, double say, double match,
                std::int64_t supervised, Sums& sums);
  nn::Transformer& model_;
  const Anchor& anchor_;
  const AnchoredRows &rows_, &keep_;
  AnchoredWeights weights_;
  train::Batches batches_, keep_batches_;
};

}  // namespace reveille::mitigate
