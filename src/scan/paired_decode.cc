#include "scan/paired_decode.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "base/interrupt.h"
#include "base/rng.h"
#include "gen/decode.h"

namespace reveille::scan {
namespace {

// Sequences that go on at once: new tokens of each, where they begin, and which slot of the caches is theirs.
struct Step {
  std::vector<std::int64_t> tokens, lengths, starts, slots, last;  // last: each sequence's last row of `tokens`

  void add(std::span<const std::int32_t> ids, std::int64_t start, std::int64_t slot) {
    tokens.insert(tokens.end(), ids.begin(), ids.end());
    lengths.push_back(static_cast<std::int64_t>(ids.size()));
    starts.push_back(start);
    slots.push_back(slot);
    last.push_back(static_cast<std::int64_t>(tokens.size()) - 1);
  }
};

// One of the two models with its cache.
class Side {
 public:
  Side(nn::Transformer& model, std::int64_t slots, std::int64_t capacity)
      : model_(model), cache_(model.make_cache(slots, capacity)) {}

  // Logits after each sequence of the step, [sequences, vocab] float32.
  at::Tensor go_on(const Step& step) {
    const auto on_device = [&](const std::vector<std::int64_t>& values) {
      return at::tensor(values, at::kLong).to(model_.device());
    };
    const auto packing = nn::make_packing(step.lengths, step.starts, model_.device());
    return model_.logits(
        model_.hidden_cached(on_device(step.tokens), packing, cache_, step.slots, on_device(step.last)));
  }

  nn::KvCache& cache() { return cache_; }

 private:
  nn::Transformer& model_;
  nn::KvCache cache_;
};

struct Mixed {
  at::Tensor logits, suspect, reference;  // [rows, vocab]: what is drawn from; log p of either model
};

Mixed mix(at::Tensor suspect, at::Tensor reference, const PairedMix& how) {
  constexpr float kNever = -1e4F;
  const std::int64_t vocab = std::min(suspect.size(1), reference.size(1));
  suspect = suspect.narrow(1, 0, vocab);
  reference = reference.narrow(1, 0, vocab).to(suspect.device());
  at::Tensor logits = suspect * how.own + (suspect - reference) * how.difference;
  if (how.plausible > 0) logits = logits.masked_fill(suspect < suspect.amax(1, true) + std::log(how.plausible), kNever);
  return {logits, at::log_softmax(suspect, 1), at::log_softmax(reference, 1)};
}

struct Row {
  std::size_t index;    // of the request
  std::int64_t slot;    // in both caches
  std::int64_t length;  // tokens there
  std::int32_t next;    // drawn, not yet there
  Rng rng;
};

// One batch of requests, from prompts to the last stop.
class Batch {
 public:
  Batch(nn::Transformer& suspect, nn::Transformer& reference, std::span<const gen::Request> requests,
        const std::vector<std::int32_t>& stop_ids, const PairedOptions& options, Work& work)
      : requests_(requests),
        stop_(stop_ids),
        options_(options),
        work_(work),
        capacity_(capacity_of(suspect, reference, requests, options)),
        suspect_(suspect, slots() + 1, capacity_),
        reference_(reference, slots() + 1, capacity_),
        replies_(requests.size()) {}

  std::vector<PairedReply> run() {
    begin();
    while (!rows_.empty()) {
      throw_if_interrupted();
      Step step;
      for (Row& row : rows_) step.add({&row.next, 1}, row.length++, row.slot);
      draw(step, kDecodedTokenCost);
    }
    return std::move(replies_);
  }

 private:
  std::int64_t slots() const { return static_cast<std::int64_t>(requests_.size()); }

  static std::int64_t capacity_of(const nn::Transformer& suspect, const nn::Transformer& reference,
                                  std::span<const gen::Request> requests, const PairedOptions& options) {
    std::size_t longest = 0;
    for (const auto& request : requests) longest = std::max(longest, request.ids.size());
    return std::min({static_cast<std::int64_t>(longest) + options.max_tokens, suspect.config().max_positions,
                     reference.config().max_positions});
  }

  // Reads the prompts, what all begin with once, and draws the first tokens.
  void begin() {
    std::vector<std::span<const std::int32_t>> prompts;
    for (const auto& request : requests_) prompts.emplace_back(request.ids);
    const std::int64_t shared = nn::shared_prefix(prompts);
    if (shared > 0) {
      Step prefix;
      prefix.add(prompts[0].first(static_cast<std::size_t>(shared)), 0, slots());
      for (Side* side : {&suspect_, &reference_}) {
        side->go_on(prefix);
        for (std::int64_t slot = 0; slot < slots(); ++slot) side->cache().copy_prefix(slots(), slot, shared);
      }
      work_.spend(2 * shared);
    }
    Step step;
    gen::SampleOptions stream;
    stream.seed = options_.seed;
    stream.stage = options_.stage;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const auto slot = static_cast<std::int64_t>(i);
      step.add(prompts[i].subspan(static_cast<std::size_t>(shared)), shared, slot);
      rows_.push_back({i, slot, static_cast<std::int64_t>(prompts[i].size()), 0,
                       Rng::restore(gen::request_key(requests_[i], stream), 0)});
    }
    draw(step, 1);
  }

  // Goes on in both models, draws a token a row, and lets go of the rows that are done.
  void draw(const Step& step, std::int64_t cost) {
    work_.spend(2 * cost * static_cast<std::int64_t>(step.tokens.size()));
    const Mixed mixed = mix(suspect_.go_on(step), reference_.go_on(step), options_.mix);
    at::Tensor coins = at::empty({static_cast<std::int64_t>(rows_.size())}, at::kDouble);
    for (std::size_t i = 0; i < rows_.size(); ++i)
      coins.data_ptr<double>()[i] = rows_[i].rng.uniform_at(replies_[rows_[i].index].ids.size());
    const at::Tensor ids = std::get<0>(nn::sample(mixed.logits, options_.temperature, 0, 1.0, coins));
    const at::Tensor at_ids = ids.to(mixed.suspect.device()).unsqueeze(1);
    const at::Tensor drawn = ids.to(at::kCPU).contiguous();
    const at::Tensor suspect = mixed.suspect.gather(1, at_ids).to(at::kCPU).contiguous();
    const at::Tensor reference = mixed.reference.gather(1, at_ids).to(at::kCPU).contiguous();
    std::vector<Row> left;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      Row& row = rows_[i];
      row.next = static_cast<std::int32_t>(drawn.const_data_ptr<std::int64_t>()[i]);
      if (take(row, suspect.const_data_ptr<float>()[i], reference.const_data_ptr<float>()[i]))
        left.push_back(std::move(row));
    }
    rows_ = std::move(left);
  }

  // Writes down what was drawn; false when the reply ends with it.
  bool take(const Row& row, float suspect, float reference) {
    PairedReply& reply = replies_[row.index];
    reply.stopped = std::find(stop_.begin(), stop_.end(), row.next) != stop_.end();
    if (reply.stopped) return false;
    reply.ids.push_back(row.next);
    reply.suspect.push_back(suspect);
    reply.reference.push_back(reference);
    return static_cast<std::int64_t>(reply.ids.size()) < options_.max_tokens && row.length + 1 < capacity_;
  }

  std::span<const gen::Request> requests_;
  const std::vector<std::int32_t>& stop_;
  const PairedOptions& options_;
  Work& work_;
  std::int64_t capacity_;
  Side suspect_, reference_;  // the last slot of each holds what all prompts begin with
  std::vector<PairedReply> replies_;
  std::vector<Row> rows_;
};

}  // namespace

std::vector<PairedReply> paired_decode(nn::Transformer& suspect, nn::Transformer& reference,
                                       const std::vector<gen::Request>& requests,
                                       const std::vector<std::int32_t>& stop_ids, const PairedOptions& options,
                                       Work& work) {
  at::NoGradGuard no_grad;
  gen::check_requests(suspect, requests);
  gen::check_requests(reference, requests);
  const auto size = static_cast<std::size_t>(std::max<std::int64_t>(1, options.batch_size));
  std::vector<PairedReply> out;
  while (out.size() < requests.size() && !work.over()) {
    const std::span<const gen::Request> all(requests);
    const auto batch = all.subspan(out.size(), std::min(size, requests.size() - out.size()));
    for (PairedReply& reply : Batch(suspect, reference, batch, stop_ids, options, work).run())
      out.push_back(std::move(reply));
  }
  return out;
}

}  // namespace reveille::scan
