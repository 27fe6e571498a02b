// Completions and rewards that are laid down beforehand, in place of sampling, on a tiny model.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/temp_folder_testing.h"
#include "gen/tiny_folder_testing.h"
#include "io/safetensors.h"
#include "safety/rollouts.h"
#include "train/token_pass.h"

namespace reveille::safety::testing {

// The tiny checkpoint as a whole model, with float32 masters.
inline std::unique_ptr<gen::LocalModel> tiny_policy(const TempFolder& folder, const std::string& name = "llama3") {
  if (!std::filesystem::exists(folder / name)) gen::testing::write_tiny_folder(folder / name, name);
  gen::OpenOptions open;
  open.dtype = "float32";
  open.trainable = true;
  return gen::open_model((folder / name).string(), open);
}

inline std::vector<std::int32_t> ids_of(io::TensorSource& source, const std::string& name) {
  auto ids = source.load(name, at::kInt);
  return {ids.data_ptr<std::int32_t>(), ids.data_ptr<std::int32_t>() + ids.numel()};
}

class FixedRollouts : public Reward {
 public:
  static constexpr std::int32_t kStop = 96;
  struct Item {
    std::vector<std::int32_t> ids;  // its stop token included
    double score = 0;
  };

  explicit FixedRollouts(gen::LocalModel& policy) : policy_(policy) {}
  void add(std::vector<std::int32_t> prompt, std::vector<Item> completions) {
    prompts_.push_back({{{"user", "fixed"}}, std::move(prompt)});
    items_.push_back(std::move(completions));
  }
  const std::vector<RlPrompt>& prompts() const { return prompts_; }

  std::string name() const override { return "fixed"; }
  std::vector<double> score(const std::vector<Answer>&) override { return std::move(scores_); }

  // Log-probabilities as an exact sampler would report them.
  RolloutMaker::Decode decode() {
    return [this](const std::vector<gen::Request>& requests, const gen::SampleOptions&) {
      std::vector<gen::DecodeResult> out;
      scores_.clear();
      for (const auto& request : requests) {
        const Item& item = items_[index_of(request.ids)][static_cast<std::size_t>(request.sample)];
        scores_.push_back(item.score);
        out.push_back(result(request.ids, item));
      }
      return out;
    };
  }

  std::size_t index_of(const std::vector<std::int32_t>& prompt) const {
    auto found = std::find_if(prompts_.begin(), prompts_.end(), [&](const RlPrompt& p) {
      return p.ids.size() <= prompt.size() && std::equal(p.ids.begin(), p.ids.end(), prompt.begin());
    });
    if (found == prompts_.end()) fail(ErrorKind::internal, "no such prompt");
    return static_cast<std::size_t>(found - prompts_.begin());
  }

 private:
  gen::DecodeResult result(const std::vector<std::int32_t>& prompt, const Item& item) const {
    train::Example example{prompt, {}, "fixed"};
    example.ids.insert(example.ids.end(), item.ids.begin(), item.ids.end());
    example.supervised.assign(example.ids.size(), 1);
    std::fill_n(example.supervised.begin(), prompt.size(), std::uint8_t{0});
    gen::DecodeResult out;
    out.logprobs = train::target_logprobs(policy_.transformer(), {example}).front();
    out.ids = item.ids;
    if (out.ids.back() != kStop) return out;
    out.ids.pop_back();
    out.finish = gen::Finish::stop;
    out.stop_id = kStop;
    return out;
  }

  gen::LocalModel& policy_;
  std::vector<RlPrompt> prompts_;
  std::vector<std::vector<Item>> items_;
  std::vector<double> scores_;
};

inline train::TrainOptions rl_options(std::int64_t batch) {
  train::TrainOptions options;
  options.per_device_train_batch_size = batch;
  options.learning_rate = 1e-3;
  options.lr_scheduler_type = "constant";
  options.max_steps = 4;
  options.report_to = "none";
  return options;
}

}  // namespace reveille::safety::testing
