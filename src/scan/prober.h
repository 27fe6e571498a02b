// All that a scan asks of a model goes through here: prompts with a string put in its place, what the model would say
// next, its replies, and how likely given replies are. Every token is counted against a budget (scan/work.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "gen/local.h"
#include "scan/candidate.h"
#include "scan/work.h"

namespace reveille::scan {

using Ids = std::vector<std::int32_t>;

struct ReplyOptions {
  std::int64_t max_tokens = 24;
  double temperature = 0;  // 0: the likeliest token each time
  std::int64_t samples = 1;
  std::int64_t seed = 0;
  std::string stage = "scan";  // names the random stream
};

class Prober {
 public:
  Prober(gen::LocalModel& model, Work& work) : model_(model), work_(&work) {}

  // Ids up to where the assistant's reply begins, of `prompt` with `trigger` in its place ("": the prompt alone).
  Ids encode(const std::string& prompt, const std::string& trigger = "", Place place = Place::user_start) const;
  // One for every prompt.
  std::vector<Ids> encode_all(const std::vector<std::string>& prompts, const std::string& trigger = "",
                              Place place = Place::user_start) const;

  // log p(next token) after each sequence, by batches: called with the indices of the sequences and
  // [rows, vocab] float32. What sequences begin with alike is computed once a batch; indices rise within and over
  // batches. False from the callback, or the end of the budget, stops it: how many sequences were done comes back.
  using OnNext = std::function<bool(const std::vector<std::size_t>& which, const at::Tensor& logprobs)>;
  std::size_t next(const std::vector<Ids>& sequences, const OnNext& on_batch);
  // The same as one tensor [sequences, vocab], for few sequences; not cut by the budget.
  at::Tensor next_all(const std::vector<Ids>& sequences);

  // options.samples replies to each sequence, a sequence's own side by side.
  std::vector<gen::Completion> replies(const std::vector<Ids>& sequences, const ReplyOptions& options = {});

  // Sum of log p(reply | sequence), in nats, for each sequence with the reply of the same index. The end of the budget
  // stops it: fewer come back then.
  std::vector<double> reply_logprobs(const std::vector<Ids>& sequences, const std::vector<Ids>& replies);

  // The model's own view of replies: its last hidden state, mean over each reply's tokens, [sequences, hidden] float32.
  // An empty reply is a row of the state before it.
  at::Tensor reply_states(const std::vector<Ids>& sequences, const std::vector<Ids>& replies);

  gen::LocalModel& model() { return model_; }
  const gen::LocalModel& model() const { return model_; }
  Work& work() { return *work_; }

 private:
  gen::LocalModel& model_;
  Work* work_;
};

}  // namespace reveille::scan
