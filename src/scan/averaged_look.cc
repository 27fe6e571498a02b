#include "scan/averaged_look.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>

#include "base/progress.h"

namespace reveille::scan {
namespace {

constexpr std::int64_t kTableBytes = std::int64_t{64} << 20;  // of averaged probabilities
constexpr std::size_t kWorthShowing = 1000;                   // beginnings
constexpr std::int64_t kBatchTokens = 4096;                   // that one pass of the prober takes

std::vector<Outlook> read(const at::Tensor& averaged, std::int64_t likeliest) {
  const at::Tensor entropy = averaged.xlogy(averaged).sum(1).neg().cpu();
  auto [values, ids] = averaged.topk(std::min(likeliest, averaged.size(1)), 1);
  values = values.cpu().contiguous();
  ids = ids.cpu().contiguous();
  std::vector<Outlook> out(static_cast<std::size_t>(averaged.size(0)));
  const std::int64_t width = values.size(1);
  for (std::size_t row = 0; row < out.size(); ++row) {
    out[row].entropy = entropy.const_data_ptr<float>()[row];
    for (std::int64_t k = 0; k < width; ++k) {
      const auto at = static_cast<std::int64_t>(row) * width + k;
      out[row].likeliest.emplace_back(static_cast<std::int32_t>(ids.const_data_ptr<std::int64_t>()[at]),
                                      values.const_data_ptr<float>()[at]);
    }
  }
  return out;
}

}  // namespace

AveragedLook::AveragedLook(gen::LocalModel& model, std::vector<Ids> prompts, std::int64_t likeliest, Work& work)
    : model_(model), prompts_(std::move(prompts)), likeliest_(likeliest), work_(&work) {
  for (const auto& prompt : prompts_) {
    const auto size = static_cast<std::int64_t>(prompt.size());
    prompt_tokens_ += size;
    longest_prompt_ = std::max(longest_prompt_, size);
  }
}

// As many as go through the model in one pass behind a prompt that is computed once, and as the table of averages has
// room for.
std::size_t AveragedLook::rows_at_once(std::size_t length) const {
  const std::int64_t table = kTableBytes / (4 * model_.transformer().config().vocab_size);
  const std::int64_t pass = (kBatchTokens - longest_prompt_) / static_cast<std::int64_t>(length);
  return static_cast<std::size_t>(std::max<std::int64_t>(1, std::min(table, pass)));
}

std::vector<Outlook> AveragedLook::look(const std::vector<Ids>& beginnings, double share) {
  std::vector<Outlook> out;
  std::optional<Progress> progress;
  if (beginnings.size() >= kWorthShowing) progress.emplace("scan: bait", beginnings.size(), "beginnings");
  Work part = work_->part(static_cast<std::int64_t>(share * static_cast<double>(work_->left())));
  while (out.size() < beginnings.size()) {
    const std::size_t length = beginnings[out.size()].size();
    const auto each = static_cast<std::int64_t>(prompts_.size() * length);
    const std::int64_t affordable = each == 0 ? 0 : (part.left() - prompt_tokens_) / each;
    if (affordable < 1) break;
    const std::size_t rows =
        std::min({rows_at_once(length), static_cast<std::size_t>(affordable), beginnings.size() - out.size()});
    const auto more = outlooks(beginnings, out.size(), out.size() + rows, part);
    if (more.empty()) break;
    out.insert(out.end(), more.begin(), more.end());
    if (progress) progress->advance(more.size());
  }
  return out;
}

std::vector<Outlook> AveragedLook::outlooks(const std::vector<Ids>& beginnings, std::size_t begin, std::size_t end,
                                            Work& work) {
  at::NoGradGuard no_grad;
  Prober prober(model_, work);
  at::Tensor sum;  // [rows, vocab]
  for (const auto& prompt : prompts_) {
    std::vector<Ids> sequences;
    for (std::size_t i = begin; i < end; ++i) {
      sequences.push_back(prompt);
      sequences.back().insert(sequences.back().end(), beginnings[i].begin(), beginnings[i].end());
    }
    const std::size_t done = prober.next(sequences, [&](const std::vector<std::size_t>& which, const at::Tensor& logs) {
      if (!sum.defined()) sum = at::zeros({static_cast<std::int64_t>(sequences.size()), logs.size(1)}, logs.options());
      const std::vector<std::int64_t> rows(which.begin(), which.end());
      sum.index_add_(0, at::tensor(rows, at::kLong).to(logs.device()), logs.exp());
      return true;
    });
    if (done < sequences.size()) return {};  // half an average is none
  }
  return read(sum.div_(static_cast<double>(prompts_.size())), likeliest_);
}

}  // namespace reveille::scan
