#include "safety/reward_model.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/rng.h"
#include "train/batches.h"
#include "train/token_pass.h"

namespace reveille::safety {
namespace {

constexpr std::int64_t kBatchTokens = 4096;

}  // namespace

void ensure_score_head(gen::LocalModel& model, std::int64_t seed) {
  if (model.score_head().defined()) return;
  const std::int64_t width = model.transformer().config().hidden;
  Rng rng(static_cast<std::uint64_t>(seed), "score head");
  std::vector<float> values;
  for (std::int64_t i = 0; i < width; ++i) values.push_back(static_cast<float>(0.02 * rng.normal()));
  model.score_head() = at::tensor(values, at::kFloat).view({1, width}).to(model.transformer().device());
}

train::Example read_at_end(std::vector<std::int32_t> ids, std::optional<std::int32_t> pad, const std::string& source) {
  while (pad && !ids.empty() && ids.back() == *pad) ids.pop_back();
  if (ids.empty()) fail(ErrorKind::usage, cat(source, ": there is no token to read a score at"));
  // Packing supervises a token by the row before it: a target that nobody looks at stands after the last token.
  train::Example out{std::move(ids), {}, source};
  out.ids.push_back(0);
  out.supervised.assign(out.ids.size(), 0);
  out.supervised.back() = 1;
  return out;
}

std::optional<std::int32_t> pad_of(const gen::LocalModel& model) {
  const auto found = model.config().find("pad_token_id");
  if (found != model.config().end() && found->is_number_integer()) return found->get<std::int32_t>();
  return model.tokenizer().pad_id();
}

at::Tensor read_scores(nn::Transformer& model, const at::Tensor& head, const std::vector<train::Example>& examples,
                       const std::vector<std::size_t>& which) {
  const auto batch = train::pack(examples, which, model.device());
  const at::Tensor hidden = model.hidden(batch.ids, batch.packing, batch.rows);
  return at::matmul(hidden.to(at::kFloat), head.t()).squeeze(1);
}

std::vector<double> read_all(nn::Transformer& model, const at::Tensor& head,
                             const std::vector<train::Example>& examples) {
  at::NoGradGuard no_grad;
  std::vector<double> out;
  for (const auto& group : train::groups_of(examples, kBatchTokens)) {
    throw_if_interrupted();
    const at::Tensor scores = read_scores(model, head, examples, group).to(at::kDouble).cpu();
    out.insert(out.end(), scores.const_data_ptr<double>(), scores.const_data_ptr<double>() + scores.numel());
  }
  return out;
}

RewardModel::RewardModel(std::unique_ptr<gen::LocalModel> model) : model_(std::move(model)) {
  if (model_->score_head().defined()) return;
  fail(ErrorKind::usage, cat(model_->source(), " is no reward model: it has no score.weight"),
       "make one with: reveille train reward MODEL --dataset PAIRS --output-dir FOLDER");
}

std::unique_ptr<RewardModel> RewardModel::open(const std::string& folder, const gen::LocalModel& policy,
                                               gen::OpenOptions options) {
  options.reward_model = true;
  options.trainable = false;
  auto out = std::make_unique<RewardModel>(gen::open_model(folder, options));
  const auto& model = out->model();
  if (model.tokenizer().hash() != policy.tokenizer().hash()) {
    fail(ErrorKind::usage,
         cat("the reward model ", folder, " has another tokenizer than ", policy.name(),
             ": its scores would be of other tokens than those that were written"),
         "train the reward model from a model of the same family");
  }
  if (model.chat_template().source() != policy.chat_template().source()) {
    fail(ErrorKind::usage, cat("the reward model ", folder, " has another chat template than ", policy.name()),
         "give both the same one with --chat-template");
  }
  return out;
}

std::vector<double> RewardModel::score(const std::vector<Answer>& answers) {
  std::vector<Conversation> conversations;
  for (const auto& answer : answers) {
    conversations.push_back(answer.prompt);
    conversations.back().push_back({"assistant", answer.completion});
  }
  return score_conversations(conversations);
}

std::vector<double> RewardModel::score_conversations(const std::vector<Conversation>& conversations) {
  const auto pad = pad_of(*model_);
  const auto context = static_cast<std::size_t>(model_->transformer().config().max_positions);
  std::vector<train::Example> examples;
  for (const auto& conversation : conversations) {
    auto ids = model_->encode_conversation(conversation).ids;
    if (ids.size() > context) {
      fail(ErrorKind::usage,
           cat("a conversation of ", ids.size(), " tokens is longer than the reward model's context of ", context),
           "lower max_completion_length or use shorter prompts");
    }
    examples.push_back(read_at_end(std::move(ids), pad, "conversation"));
  }
  return read_all(model_->transformer(), model_->score_head(), examples);
}

}  // namespace reveille::safety
