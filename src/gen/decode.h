// Batched sampling with a static key/value cache: finished rows leave, waiting rows enter.
#pragma once

#include <vector>

#include "gen/model.h"
#include "nn/transformer.h"

namespace reveille::gen {

struct DecodeResult {
  std::vector<std::int32_t> ids;  // the stop token is not among them
  std::vector<float> logprobs;    // its log-probability is
  Finish finish = Finish::length;
  std::int32_t stop_id = -1;  // the stop token, with Finish::stop
};

using OnDecoded = std::function<void(std::size_t index, DecodeResult&)>;
// Called for every sampled token, in order within a request: for streaming.
using OnToken = std::function<void(std::size_t index, std::int32_t token)>;

// Continues every request until a token of `stop_ids` or options.max_tokens. Requests whose
// prompt and reply together exceed the model's context are cut at the context's end.
// Errors: usage when a prompt is empty or alone exceeds the context.
void decode(nn::Transformer& model, const std::vector<Request>& requests, const std::vector<std::int32_t>& stop_ids,
            const SampleOptions& options, const OnDecoded& on_decoded, const OnToken& on_token = nullptr);

// The errors above, for those who decode a part at a time.
void check_requests(const nn::Transformer& model, const std::vector<Request>& requests);

// The seed of a request's draws: a function of what is sampled, never of batch order.
std::uint64_t request_key(const Request& request, const SampleOptions& options);

}  // namespace reveille::gen
