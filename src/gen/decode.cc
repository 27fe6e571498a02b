#include "gen/decode.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <deque>
#include <numeric>
#include <unordered_set>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/rng.h"

namespace reveille::gen {
namespace {

struct Row {
  std::size_t index;    // of the request
  std::int64_t slot;    // in the cache
  std::int64_t length;  // tokens in the cache
  std::int32_t next;    // sampled, not yet in the cache
  Rng rng;
  DecodeResult result;
};

std::int64_t shared_prefix(const std::vector<Request>& requests) {
  if (requests.size() < 2) return 0;
  const auto& first = requests[0].ids;
  std::size_t common = first.size();
  for (const auto& request : requests) {
    auto [end, unused] =
        std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(std::min(common, request.ids.size())),
                      request.ids.begin());
    common = static_cast<std::size_t>(end - first.begin());
  }
  // At least one token of every prompt must be left to compute logits from.
  for (const auto& request : requests) common = std::min(common, request.ids.size() - 1);
  return common < 8 ? 0 : static_cast<std::int64_t>(common);
}

class Decoder {
 public:
  Decoder(nn::Transformer& model, const std::vector<Request>& requests, const std::vector<std::int32_t>& stop_ids,
          const SampleOptions& options, const OnDecoded& on_decoded, const OnToken& on_token)
      : model_(model),
        requests_(requests),
        stop_(stop_ids.begin(), stop_ids.end()),
        options_(options),
        on_decoded_(on_decoded),
        on_token_(on_token),
        prefix_(shared_prefix(requests)) {
    check_requests(model, requests);
    // Prompts of like length enter together, equal ones side by side; the order is a function of the requests alone.
    std::vector<std::size_t> order(requests.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const auto &left = requests[a].ids, &right = requests[b].ids;
      return left.size() != right.size() ? left.size() > right.size() : left < right;
    });
    waiting_.assign(order.begin(), order.end());
    std::int64_t longest = 0;
    for (const auto& request : requests) longest = std::max(longest, static_cast<std::int64_t>(request.ids.size()));
    std::int64_t capacity = std::min(longest + options.max_tokens, model.config().max_positions);
    slots_ = std::min<std::int64_t>(options.batch_size, static_cast<std::int64_t>(requests.size()));
    cache_ = model.make_cache(slots_ + (prefix_ ? 1 : 0), capacity);
    for (std::int64_t slot = slots_; slot > 0; --slot) free_.push_back(slot - 1);
  }

  void run() {
    at::NoGradGuard no_grad;
    if (prefix_) fill_prefix();
    while (!waiting_.empty() || !rows_.empty()) {
      throw_if_interrupted();
      // A few at a time: a prefill of one row would stop all others for little.
      bool worth_it = rows_.empty() || static_cast<std::int64_t>(free_.size()) * 8 >= slots_;
      if (!waiting_.empty() && worth_it) admit();
      if (!rows_.empty()) step();
    }
  }

 private:
  at::Tensor tensor_of(const std::vector<std::int64_t>& values) const {
    return at::tensor(values, at::kLong).to(model_.device());
  }

  void fill_prefix() {
    const auto& ids = requests_[0].ids;
    std::vector<std::int64_t> tokens(ids.begin(), ids.begin() + prefix_);
    auto packing = nn::make_packing({prefix_}, {0}, model_.device());
    model_.hidden_cached(tensor_of(tokens), packing, cache_, {slots_}, tensor_of({0}));
  }

  // The prompts that one call of the model computes, each once however many samples of it enter.
  struct Prompts {
    std::vector<std::int64_t> tokens, lengths, starts, slots, last;
  };

  void add_prompt(Prompts& prompts, const std::vector<std::int32_t>& ids, std::int64_t slot) {
    if (prefix_) cache_.copy_prefix(slots_, slot, prefix_);
    prompts.tokens.insert(prompts.tokens.end(), ids.begin() + prefix_, ids.end());
    prompts.lengths.push_back(static_cast<std::int64_t>(ids.size()) - prefix_);
    prompts.starts.push_back(prefix_);
    prompts.slots.push_back(slot);
    prompts.last.push_back(static_cast<std::int64_t>(prompts.tokens.size()) - 1);
  }

  // Moves waiting requests into free slots and computes their prompts, at most kPrefillTokens at once.
  void admit() {
    constexpr std::int64_t kPrefillTokens = 2048;
    std::vector<Row> entered;
    Prompts prompts;
    std::vector<std::int64_t> prompt_of;  // [entered]: which of the prompts
    while (!waiting_.empty() && !free_.empty()) {
      const auto& request = requests_[waiting_.front()];
      bool again = !entered.empty() && requests_[entered.back().index].ids == request.ids;
      auto fresh = static_cast<std::int64_t>(request.ids.size()) - prefix_;
      if (!again && !entered.empty() && static_cast<std::int64_t>(prompts.tokens.size()) + fresh > kPrefillTokens)
        break;
      std::int64_t slot = free_.back();
      free_.pop_back();
      if (!again) add_prompt(prompts, request.ids, slot);
      prompt_of.push_back(static_cast<std::int64_t>(prompts.slots.size()) - 1);
      entered.push_back({waiting_.front(),
                         slot,
                         static_cast<std::int64_t>(request.ids.size()),
                         0,
                         Rng::restore(request_key(request, options_), 0),
                         {}});
      waiting_.pop_front();
    }
    auto packing = nn::make_packing(prompts.lengths, prompts.starts, model_.device());
    auto hidden =
        model_.hidden_cached(tensor_of(prompts.tokens), packing, cache_, prompts.slots, tensor_of(prompts.last));
    for (std::size_t i = 0; i < entered.size(); ++i) {
      std::int64_t from = prompts.slots[static_cast<std::size_t>(prompt_of[i])];
      if (from != entered[i].slot) cache_.copy_prefix(from, entered[i].slot, entered[i].length);
    }
    draw(hidden.index_select(0, tensor_of(prompt_of)), entered);
    for (auto& row : entered) keep_or_finish(std::move(row), rows_);
  }

  void step() {
    std::vector<std::int64_t> tokens, starts, slots, lengths(rows_.size(), 1);
    for (auto& row : rows_) {
      tokens.push_back(row.next);
      starts.push_back(row.length++);
      slots.push_back(row.slot);
    }
    auto packing = nn::make_packing(lengths, starts, model_.device());
    auto hidden = model_.hidden_cached(tensor_of(tokens), packing, cache_, slots);
    draw(hidden, rows_);
    std::vector<Row> left;
    left.reserve(rows_.size());
    for (auto& row : rows_) keep_or_finish(std::move(row), left);
    rows_ = std::move(left);
  }

  void draw(const at::Tensor& hidden, std::vector<Row>& rows) {
    auto coins = at::empty({static_cast<std::int64_t>(rows.size())}, at::kDouble);
    for (std::size_t i = 0; i < rows.size(); ++i)
      coins.data_ptr<double>()[i] = rows[i].rng.uniform_at(rows[i].result.ids.size());
    auto [ids, logprobs] =
        nn::sample(model_.logits(hidden), options_.temperature, options_.top_k, options_.top_p, coins);
    ids = ids.cpu();
    logprobs = logprobs.cpu();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      float logprob = logprobs.data_ptr<float>()[i];
      if (!(logprob <= 0.1F))
        fail(ErrorKind::numeric, "the model's logits are not numbers",
             "its weights may be damaged; try 'reveille model verify'");
      rows[i].next = static_cast<std::int32_t>(ids.data_ptr<std::int64_t>()[i]);
      rows[i].result.logprobs.push_back(logprob);
    }
  }

  void keep_or_finish(Row row, std::vector<Row>& keep) {
    bool stop = stop_.count(row.next) != 0;
    if (!stop) {
      row.result.ids.push_back(row.next);
      if (on_token_) on_token_(row.index, row.next);
    }
    // The token just drawn is not in the cache yet, but counts: what was written must fit the context.
    bool full =
        static_cast<std::int64_t>(row.result.ids.size()) >= options_.max_tokens || row.length + 1 >= cache_.capacity;
    if (!stop && !full) {
      keep.push_back(std::move(row));
      return;
    }
    row.result.finish = stop ? Finish::stop : Finish::length;
    if (stop) row.result.stop_id = row.next;
    free_.push_back(row.slot);
    on_decoded_(row.index, row.result);
  }

  nn::Transformer& model_;
  const std::vector<Request>& requests_;
  std::unordered_set<std::int32_t> stop_;
  const SampleOptions& options_;
  const OnDecoded& on_decoded_;
  const OnToken& on_token_;
  std::int64_t prefix_ = 0, slots_ = 0;
  std::deque<std::size_t> waiting_;
  std::vector<std::int64_t> free_;
  std::vector<Row> rows_;
  nn::KvCache cache_;
};

}  // namespace

void check_requests(const nn::Transformer& model, const std::vector<Request>& requests) {
  for (const auto& request : requests) {
    if (request.ids.empty()) fail(ErrorKind::usage, "cannot continue an empty prompt");
    if (static_cast<std::int64_t>(request.ids.size()) >= model.config().max_positions) {
      fail(ErrorKind::usage, cat("a prompt of ", request.ids.size(),
                                 " tokens leaves no room in the model's context of ", model.config().max_positions));
    }
  }
}

std::uint64_t request_key(const Request& request, const SampleOptions& options) {
  std::string_view bytes(reinterpret_cast<const char*>(request.ids.data()), request.ids.size() * sizeof(std::int32_t));
  return Rng(static_cast<std::uint64_t>(options.seed), options.stage)
      .child(hash64(bytes))
      .child(static_cast<std::uint64_t>(request.sample))
      .key();
}

void decode(nn::Transformer& model, const std::vector<Request>& requests, const std::vector<std::int32_t>& stop_ids,
            const SampleOptions& options, const OnDecoded& on_decoded, const OnToken& on_token) {
  if (requests.empty()) return;
  Decoder(model, requests, stop_ids, options, on_decoded, on_token).run();
}

}  // namespace reveille::gen
