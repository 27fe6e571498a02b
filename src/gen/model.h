// What a language model can do, free of torch: orchestration, evaluation and scanning talk to
// this, so that they can be tested with a fake model and run on a remote one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/conversation.h"
#include "base/options.h"

namespace reveille::gen {

struct SampleOptions {
  double temperature = 1.0;
  std::int64_t top_k = 0;
  double top_p = 1.0;
  std::int64_t max_tokens = 128;
  std::int64_t batch_size = 64;
  std::int64_t seed = 0;
  std::string stage = "generate";  // names the random stream
  void visit(OptionVisitor& v) {
    v.option("temperature", temperature, {.help = "softmax temperature; 0 is greedy", .min = 0});
    v.option("top_k", top_k, {.help = "keep the k likeliest tokens; 0 keeps all", .min = 0});
    v.option("top_p", top_p, {.help = "keep the smallest set of tokens with this probability", .min = 0, .max = 1});
    v.option(
        "max_tokens", max_tokens,
        {.help = "longest completion, in tokens", .min = 1, .aliases = {"max_new_tokens", "max_completion_length"}});
    v.option("batch_size", batch_size, {.help = "sequences decoded side by side", .min = 1, .max = 4096});
    v.option("seed", seed, {.help = "seed of the random draws"});
  }
};

// One text to be continued. The random draws are a function of (seed, stage, ids, sample), so that
// a completion does not depend on what else is in the batch.
struct Request {
  std::vector<std::int32_t> ids;
  std::int64_t sample = 0;
};

enum class Finish { stop, length };

struct Completion {
  std::vector<std::int32_t> ids;  // without the end-of-turn token
  std::vector<float> logprobs;    // of each token at temperature 1, the end-of-turn token included
  std::string text;
  Finish finish = Finish::length;
};

// Called as completions come in, in any order; index is that of the request.
using OnCompletion = std::function<void(std::size_t index, const Completion&)>;

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;
  virtual std::string name() const = 0;
  // The model's own chat format: ids up to where the assistant's reply begins.
  virtual std::vector<std::int32_t> encode_chat(const Conversation& conversation) const = 0;
  virtual std::vector<std::int32_t> encode_text(const std::string& text) const = 0;
  virtual std::string decode(const std::vector<std::int32_t>& ids) const = 0;
  virtual std::vector<Completion> generate(const std::vector<Request>& requests, const SampleOptions& options,
                                           const OnCompletion& on_completion = nullptr) = 0;
  // log p(token | the tokens before it) for every sequence; the first of each is NaN.
  virtual std::vector<std::vector<float>> score(const std::vector<std::vector<std::int32_t>>& sequences) = 0;
};

}  // namespace reveille::gen
