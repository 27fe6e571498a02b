#include "scan/bench.h"

#include <ATen/ATen.h>

namespace reveille::scan {
namespace {

Replies as_replies(const std::vector<gen::Completion>& completions, std::size_t begin, std::size_t end) {
  const std::vector<gen::Completion> some(completions.begin() + static_cast<std::ptrdiff_t>(begin),
                                          completions.begin() + static_cast<std::ptrdiff_t>(end));
  Replies out{ended(some), {}};
  for (const auto& completion : some) out.texts.push_back(completion.text);
  return out;
}

}  // namespace

const Replies& Bench::without() {
  if (!without_) without_ = with("", Place::user_start);
  return *without_;
}

Replies Bench::with(const std::string& trigger, Place place, std::int64_t reply_tokens) {
  const auto done = prober_.replies(prober_.encode_all(prompts_, trigger, place),
                                    {.max_tokens = reply_tokens > 0 ? reply_tokens : reply_tokens_});
  return as_replies(done, 0, done.size());
}

std::vector<Replies> Bench::with_each(const std::vector<std::string>& triggers, Place place) {
  std::vector<Ids> starts;
  for (const auto& trigger : triggers) {
    const auto some = prober_.encode_all(prompts_, trigger, place);
    starts.insert(starts.end(), some.begin(), some.end());
  }
  const auto done = prober_.replies(starts, {.max_tokens = reply_tokens_});
  std::vector<Replies> out;
  for (std::size_t i = 0; i < triggers.size(); ++i)
    out.push_back(as_replies(done, i * prompts_.size(), (i + 1) * prompts_.size()));
  return out;
}

at::Tensor Bench::states(const Replies& replies) {
  auto ids = replies.ids;
  for (auto& reply : ids) {
    if (!reply.empty() && reply.back() == kReplyEnd) reply.pop_back();
  }
  return prober_.reply_states(prober_.encode_all(prompts_), ids);
}

const at::Tensor& Bench::states_without() {
  if (!states_without_.defined()) states_without_ = states(without());
  return states_without_;
}

}  // namespace reveille::scan
