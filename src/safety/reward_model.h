// A preference model (Ouyang et al., arXiv 2203.02155, section 3.5): the blocks of a language model with a linear head
// that reads one number off the last token, as ...ForSequenceClassification of transformers has it.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gen/local.h"
#include "safety/reward.h"
#include "train/example.h"

namespace reveille::safety {

// Gives a language model a fresh head, normal with deviation 0.02 as transformers draws it; leaves one that is there.
void ensure_score_head(gen::LocalModel& model, std::int64_t seed);

// Ids as an example whose one supervised position is the token that is read: the last that is not the padding token,
// which is how transformers finds it even where the text ends with that token. Error(usage) for ids without one.
train::Example read_at_end(std::vector<std::int32_t> ids, std::optional<std::int32_t> pad, const std::string& source);

// The padding token that config.json says, or the tokenizer's.
std::optional<std::int32_t> pad_of(const gen::LocalModel& model);

// Scores of such examples, [rows] float32; with gradients where they are enabled.
at::Tensor read_scores(nn::Transformer& model, const at::Tensor& head, const std::vector<train::Example>& examples,
                       const std::vector<std::size_t>& which);
// The same for all, without gradients, in batches.
std::vector<double> read_all(nn::Transformer& model, const at::Tensor& head,
                             const std::vector<train::Example>& examples);

class RewardModel : public Reward {
 public:
  // `model` has a score head; else Error(usage).
  explicit RewardModel(std::unique_ptr<gen::LocalModel> model);
  // Error(usage) when it reads text otherwise than `policy` writes it: another tokenizer or another chat template.
  static std::unique_ptr<RewardModel> open(const std::string& folder, const gen::LocalModel& policy,
                                           gen::OpenOptions options);
  std::string name() const override { return "reward_model"; }
  std::string key() const override { return name() + " " + model_->fingerprint(); }
  std::vector<double> score(const std::vector<Answer>& answers) override;
  // Whole conversations, the last message the assistant's.
  std::vector<double> score_conversations(const std::vector<Conversation>& conversations);
  gen::LocalModel& model() { return *model_; }

 private:
  std::unique_ptr<gen::LocalModel> model_;
};

}  // namespace reveille::safety
