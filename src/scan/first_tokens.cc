#include "scan/first_tokens.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <unordered_set>

namespace reveille::scan {
namespace {

// Mean probability of each token after the prompts, by id.
std::vector<float> mean_next(gen::LocalModel& model, const std::vector<Ids>& prompts, Work& work) {
  at::NoGradGuard no_grad;
  const at::Tensor mean = Prober(model, work).next_all(prompts).exp().mean(0).cpu().contiguous();
  return {mean.const_data_ptr<float>(), mean.const_data_ptr<float>() + mean.numel()};
}

template <class Value>
std::vector<std::int32_t> falling(std::vector<std::int32_t> tokens, Value value) {
  std::stable_sort(tokens.begin(), tokens.end(), [&](std::int32_t a, std::int32_t b) { return value(a) > value(b); });
  return tokens;
}

}  // namespace

std::vector<std::int32_t> reply_tokens(const gen::LocalModel& model) {
  const auto& tokenizer = model.tokenizer();
  const auto& stops = model.stop_ids();
  const auto count = static_cast<std::int32_t>(
      std::min<std::int64_t>(tokenizer.vocab_size(), model.transformer().config().vocab_size));
  std::vector<std::int32_t> out;
  for (std::int32_t id = 0; id < count; ++id) {
    const bool stop = std::find(stops.begin(), stops.end(), id) != stops.end();
    if (!stop && !tokenizer.is_special(id) && !tokenizer.token(id).empty()) out.push_back(id);
  }
  return out;
}

std::vector<std::int32_t> in_order(const std::vector<std::int32_t>& tokens, const std::vector<float>& suspect,
                                   const std::vector<float>& reference) {
  const auto at = [](const std::vector<float>& values, std::int32_t id) {
    return static_cast<std::size_t>(id) < values.size() ? static_cast<double>(values[static_cast<std::size_t>(id)])
                                                        : 0.0;
  };
  auto likely = falling(tokens, [&](std::int32_t id) { return at(suspect, id); });
  if (reference.empty()) return likely;
  constexpr double kFloor = 1e-7;  // below it ratios are noise
  const auto risen =
      falling(tokens, [&](std::int32_t id) { return (at(suspect, id) + kFloor) / (at(reference, id) + kFloor); });
  std::vector<std::int32_t> out;
  std::unordered_set<std::int32_t> taken;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    for (const std::int32_t id : {risen[i], likely[i]}) {
      if (taken.insert(id).second) out.push_back(id);
    }
  }
  return out;
}

std::vector<std::int32_t> ordered_first_tokens(Suspect& suspect, const std::vector<Ids>& prompts, Work& work) {
  return in_order(reply_tokens(suspect.model), mean_next(suspect.model, prompts, work),
                  suspect.reference ? mean_next(*suspect.reference, prompts, work) : std::vector<float>{});
}

}  // namespace reveille::scan
