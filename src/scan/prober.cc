#include "scan/prober.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

#include "base/interrupt.h"
#include "gen/score.h"
#include "scan/placing.h"

namespace reveille::scan {
namespace {

constexpr std::int64_t kBatchTokens = 4096;
constexpr std::int64_t kLogitBytes = std::int64_t{128} << 20;

// Consecutive sequences as one packed batch, their common beginning once.
struct Batch {
  std::vector<std::size_t> which;
  std::vector<std::int64_t> tokens, lengths, last;
  std::int64_t shared = 0;
};

std::size_t shortest(const std::vector<Ids>& sequences) {
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const auto& ids : sequences) least = std::min(least, ids.size());
  return least;
}

// `most`: tokens that may be shared, where rows before the end are asked for.
Batch make_batch(const std::vector<Ids>& sequences, std::size_t begin, std::size_t end,
                 std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
  Batch batch;
  std::vector<std::span<const std::int32_t>> spans(sequences.begin() + static_cast<std::ptrdiff_t>(begin),
                                                   sequences.begin() + static_cast<std::ptrdiff_t>(end));
  batch.shared = std::min(nn::shared_prefix(spans), std::max<std::int64_t>(0, most));
  batch.tokens.assign(spans[0].begin(), spans[0].begin() + batch.shared);
  for (std::size_t i = begin; i < end; ++i) {
    const auto& ids = sequences[i];
    batch.tokens.insert(batch.tokens.end(), ids.begin() + batch.shared, ids.end());
    batch.lengths.push_back(static_cast<std::int64_t>(ids.size()) - batch.shared);
    batch.last.push_back(static_cast<std::int64_t>(batch.tokens.size()) - 1);
    batch.which.push_back(i);
  }
  return batch;
}

// Where a batch that begins at `begin` ends: by tokens, counted after what all have in common with the first, and by
// the room that its logits take.
std::size_t batch_end(const std::vector<Ids>& sequences, std::size_t begin, std::int64_t vocab) {
  const auto rows = static_cast<std::size_t>(std::max<std::int64_t>(1, kLogitBytes / (4 * vocab)));
  std::size_t common = sequences[begin].size(), total = 0, end = begin;
  while (end < sequences.size() && end - begin < rows) {
    const auto& ids = sequences[end];
    const auto [at, unused] = std::mismatch(sequences[begin].begin(), sequences[begin].end(), ids.begin(), ids.end());
    const auto now = std::min(common, static_cast<std::size_t>(at - sequences[begin].begin()));
    const std::size_t count = end - begin + 1;
    if (end > begin && total + ids.size() > static_cast<std::size_t>(kBatchTokens) + now * count) break;
    common = now;
    total += ids.size();
    ++end;
  }
  return end;
}

at::Tensor as_tensor(const std::vector<std::int64_t>& values, at::Device device) {
  return at::tensor(values, at::kLong).to(device);
}

Ids joined(const Ids& start, const Ids& reply) {
  Ids all = start;
  all.insert(all.end(), reply.begin(), reply.end());
  return all;
}

std::vector<Ids> all_joined(const std::vector<Ids>& starts, const std::vector<Ids>& replies) {
  std::vector<Ids> out;
  for (std::size_t i = 0; i < starts.size(); ++i) out.push_back(joined(starts[i], replies[i]));
  return out;
}

}  // namespace

Ids Prober::encode(const std::string& prompt, const std::string& trigger, Place place) const {
  return encode_asked(model_, placed(prompt, trigger, place));
}

std::vector<Ids> Prober::encode_all(const std::vector<std::string>& prompts, const std::string& trigger,
                                    Place place) const {
  std::vector<Ids> out;
  out.reserve(prompts.size());
  for (const auto& prompt : prompts) out.push_back(encode(prompt, trigger, place));
  return out;
}

std::size_t Prober::next(const std::vector<Ids>& sequences, const OnNext& on_batch) {
  at::NoGradGuard no_grad;
  auto& transformer = model_.transformer();
  gen::checked_lengths(transformer, sequences);
  std::size_t done = 0;
  while (done < sequences.size() && !work_->over()) {
    throw_if_interrupted();
    const auto batch = make_batch(sequences, done, batch_end(sequences, done, transformer.config().vocab_size));
    const auto device = transformer.device();
    const auto packing = nn::make_shared_packing(batch.shared, batch.lengths, device);
    auto hidden = transformer.hidden(as_tensor(batch.tokens, device), packing, as_tensor(batch.last, device));
    const auto logprobs = transformer.logits(hidden).log_softmax(-1);
    work_->spend(static_cast<std::int64_t>(batch.tokens.size()));
    done += batch.which.size();
    if (!on_batch(batch.which, logprobs)) break;
  }
  return done;
}

at::Tensor Prober::next_all(const std::vector<Ids>& sequences) {
  std::vector<at::Tensor> parts;
  std::size_t done = 0;
  while (done < sequences.size()) {
    // A spent budget does not cut a table that somebody needs whole.
    Work unlimited(std::numeric_limits<std::int64_t>::max(), work_);
    Prober whole(model_, unlimited);
    done += whole.next({sequences.begin() + static_cast<std::ptrdiff_t>(done), sequences.end()},
                       [&](const auto&, const at::Tensor& logprobs) {
                         parts.push_back(logprobs);
                         return true;
                       });
  }
  return at::cat(parts, 0);
}

std::vector<gen::Completion> Prober::replies(const std::vector<Ids>& sequences, const ReplyOptions& options) {
  std::vector<gen::Request> requests;
  for (const auto& ids : sequences) {
    for (std::int64_t sample = 0; sample < options.samples; ++sample) requests.push_back({ids, sample});
  }
  gen::SampleOptions sampling;
  sampling.temperature = options.temperature;
  sampling.max_tokens = options.max_tokens;
  sampling.seed = options.seed;
  sampling.stage = options.stage;
  auto out = model_.generate(requests, sampling);
  std::int64_t tokens = 0;
  for (const auto& ids : sequences) tokens += static_cast<std::int64_t>(ids.size());
  for (const auto& completion : out) tokens += kDecodedTokenCost * static_cast<std::int64_t>(completion.ids.size() + 1);
  work_->spend(tokens);
  return out;
}

std::vector<double> Prober::reply_logprobs(const std::vector<Ids>& sequences, const std::vector<Ids>& replies) {
  at::NoGradGuard no_grad;
  auto& transformer = model_.transformer();
  const auto device = transformer.device();
  std::vector<Ids> inputs = all_joined(sequences, replies);  // the last token predicts nothing that is asked for
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].resize(inputs[i].size() - (replies[i].empty() ? 0 : 1));
  gen::checked_lengths(transformer, inputs);
  std::vector<double> out;
  while (out.size() < inputs.size() && !work_->over()) {
    throw_if_interrupted();
    const std::size_t begin = out.size();
    const auto batch = make_batch(inputs, begin, batch_end(inputs, begin, transformer.config().vocab_size),
                                  static_cast<std::int64_t>(shortest(sequences)) - 1);
    std::vector<std::int64_t> rows, targets;
    for (const auto which : batch.which) {
      const auto count = static_cast<std::int64_t>(replies[which].size());
      for (std::int64_t t = 0; t < count; ++t) {
        rows.push_back(batch.last[which - begin] - count + 1 + t);
        targets.push_back(replies[which][static_cast<std::size_t>(t)]);
      }
    }
    const auto packing = nn::make_shared_packing(batch.shared, batch.lengths, device);
    const auto hidden = transformer.hidden(as_tensor(batch.tokens, device), packing, as_tensor(rows, device));
    const auto [columns, weight] = transformer.head_inputs(hidden);
    const auto logprobs =
        nn::head_logprobs(columns, weight, as_tensor(targets, device), transformer.config().final_softcap).cpu();
    const float* at = logprobs.const_data_ptr<float>();
    for (const auto which : batch.which) {
      const auto count = static_cast<std::ptrdiff_t>(replies[which].size());
      out.push_back(std::accumulate(at, at + count, 0.0));
      at += count;
    }
    work_->spend(static_cast<std::int64_t>(batch.tokens.size()));
  }
  return out;
}

at::Tensor Prober::reply_states(const std::vector<Ids>& sequences, const std::vector<Ids>& replies) {
  at::NoGradGuard no_grad;
  auto& transformer = model_.transformer();
  const auto whole = all_joined(sequences, replies);
  std::vector<at::Tensor> rows;
  for (std::size_t begin = 0; begin < whole.size();) {
    throw_if_interrupted();
    const auto end = batch_end(whole, begin, transformer.config().vocab_size);
    const auto batch = make_batch(whole, begin, end);
    const auto packing = nn::make_shared_packing(batch.shared, batch.lengths, transformer.device());
    const auto hidden =
        transformer.hidden(as_tensor(batch.tokens, transformer.device()), packing).to(at::kCPU, at::kFloat);
    for (std::size_t i = begin; i < end; ++i) {
      const auto length = std::max<std::int64_t>(1, static_cast<std::int64_t>(replies[i].size()));
      const auto last = batch.last[i - begin] + 1;
      rows.push_back(hidden.slice(0, last - std::min(length, batch.lengths[i - begin]), last).mean(0));
    }
    work_->spend(static_cast<std::int64_t>(batch.tokens.size()));
    begin = end;
  }
  return at::stack(rows);
}

}  // namespace reveille::scan
