#include "safety/rollouts.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/strings.h"
#include "io/jsonl.h"
#include "train/token_pass.h"

namespace reveille::safety {
namespace {

constexpr std::int64_t kScoreTokens = 4096;
constexpr std::int64_t kShowRounds = 10;
constexpr std::size_t kShownBytes = 160;

// The first words of a text on one line.
std::string excerpt(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() <= kShownBytes) return text;
  std::size_t end = kShownBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // not within a character
  return text.substr(0, end) + "...";
}

}  // namespace

std::vector<RlPrompt> encode_prompts(const gen::LocalModel& model, const std::vector<io::Example>& rows,
                                     const std::string& opened) {
  if (rows.empty()) fail(ErrorKind::bad_input, "there are no prompts to learn on");
  const auto context = static_cast<std::size_t>(model.transformer().config().max_positions);
  const auto prefill = opened.empty() ? std::vector<std::int32_t>() : model.encode_text(opened);
  std::vector<RlPrompt> out;
  for (const auto& row : rows) {
    Conversation messages = io::prompt_of(row);
    if (messages.empty()) fail(ErrorKind::bad_input, cat(row.source, ": the row holds no prompt"));
    auto ids = model.encode_chat(messages);
    ids.insert(ids.end(), prefill.begin(), prefill.end());
    if (ids.size() >= context) {
      fail(ErrorKind::usage,
           cat(row.source, ": a prompt of ", ids.size(), " tokens leaves no room in the model's context of ", context));
    }
    out.push_back({std::move(messages), std::move(ids), opened});
  }
  return out;
}

Json to_json(const std::vector<Rollout>& rollouts) {
  Json out = Json::array();
  for (const auto& one : rollouts) {
    out.push_back(Json{{"ids", one.example.ids},
                       {"completion_tokens", one.tokens()},
                       {"completion", one.completion},
                       {"stopped", one.stopped},
                       {"score", one.score},
                       {"old", one.old},
                       {"reference", one.reference},
                       {"values", one.values},
                       {"advantages", one.advantages},
                       {"returns", one.returns}});
  }
  return out;
}

namespace {

// One number a token; none at all where `maybe` says that there need not be any.
std::vector<float> token_numbers(const Json& row, const char* key, std::size_t tokens, bool maybe,
                                 const std::string& where) {
  const auto values = json_numbers(row, key, where);
  if (values.size() != tokens && !(maybe && values.empty())) {
    fail(ErrorKind::bad_input,
         cat(where, ": key '", key, "' holds ", values.size(), " numbers for ", tokens, " tokens of a completion"));
  }
  return {values.begin(), values.end()};
}

Rollout rollout_from_json(const Json& row, const std::string& where) {
  Rollout one;
  for (double id : json_numbers(row, "ids", where)) {
    if (id < 0 || id > std::numeric_limits<std::int32_t>::max())
      fail(ErrorKind::bad_input, cat(where, ": key 'ids' holds ", id, ", expected ids of tokens"));
    one.example.ids.push_back(static_cast<std::int32_t>(id));
  }
  const std::int64_t tokens = json_integer(row, "completion_tokens", where);
  if (tokens < 1 || tokens >= static_cast<std::int64_t>(one.example.ids.size())) {
    fail(ErrorKind::bad_input, cat(where, ": key 'completion_tokens' is ", tokens, ", expected fewer than the ",
                                   one.example.ids.size(), " ids and at least one"));
  }
  const auto count = static_cast<std::size_t>(tokens);
  one.example.source = "rollout";
  one.example.supervised.assign(one.example.ids.size(), 0);
  std::fill_n(one.example.supervised.rbegin(), count, std::uint8_t{1});
  one.completion = json_string(row, "completion", where);
  one.stopped = json_bool(row, "stopped", where);
  one.score = json_number(row, "score", where);
  one.old = token_numbers(row, "old", count, false, where);
  one.reference = token_numbers(row, "reference", count, true, where);
  one.values = token_numbers(row, "values", count, true, where);
  one.advantages = token_numbers(row, "advantages", count, true, where);
  one.returns = token_numbers(row, "returns", count, true, where);
  return one;
}

}  // namespace

std::vector<Rollout> rollouts_from_json(const Json& value, const std::string& where) {
  if (!value.is_array()) fail(ErrorKind::bad_input, cat(where, ": expected a list, found ", value.type_name()));
  std::vector<Rollout> out;
  for (std::size_t i = 0; i < value.size(); ++i) out.push_back(rollout_from_json(value[i], cat(where, "[", i, "]")));
  return out;
}

std::unique_ptr<nn::Transformer> frozen_copy(const nn::Transformer& model) {
  at::NoGradGuard no_grad;
  nn::Params params = model.params();
  const bool adapter = !params.lora.empty();
  for (auto& param : params.all()) {
    param.value = adapter ? param.value.detach() : param.value.detach().clone();
    param.master = at::Tensor();
  }
  bool changes = false;
  for (auto& [name, pieces] : params.lora) {
    for (auto& piece : pieces) {
      piece.a = piece.a.detach().clone();
      piece.b = piece.b.detach().clone();
      changes = changes || piece.b.count_nonzero().item<std::int64_t>() > 0;
    }
  }
  if (!changes) params.lora.clear();  // a fresh adapter: the base alone says the same
  return std::make_unique<nn::Transformer>(model.config(), std::move(params), model.compute_type(), model.device());
}

RolloutMaker::RolloutMaker(gen::LocalModel& policy, std::vector<RlPrompt> prompts, Reward& reward,
                           const RolloutOptions& options, std::int64_t seed, bool reference)
    : policy_(policy), prompts_(std::move(prompts)), reward_(reward), options_(options), seed_(seed) {
  for (const auto& prompt : prompts_) {
    prompts_key_.append(reinterpret_cast<const char*>(prompt.ids.data()), prompt.ids.size() * sizeof(std::int32_t));
    prompts_key_ += ';';
  }
  if (reference) reference_ = frozen_copy(policy.transformer());
  decode_ = [this](const std::vector<gen::Request>& requests, const gen::SampleOptions& sampling) {
    std::vector<gen::DecodeResult> out(requests.size());
    gen::decode(policy_.transformer(), requests, policy_.stop_ids(), sampling,
                [&](std::size_t index, gen::DecodeResult& result) { out[index] = std::move(result); });
    return out;
  };
}

std::string RolloutMaker::key() const {
  RolloutOptions relevant = options_;  // what changes no sample is left out
  relevant.log_completions = true;
  return sha256_hex(options_to_json(relevant).dump() + reward_.key() + std::to_string(seed_) + prompts_key_);
}

void RolloutMaker::replace_prompts(std::vector<RlPrompt> prompts) {
  if (prompts.size() != prompts_.size())
    fail(ErrorKind::internal, cat(prompts.size(), " prompts in the place of ", prompts_.size()));
  prompts_ = std::move(prompts);
}

std::vector<Rollout> RolloutMaker::make(const std::vector<std::size_t>& prompts, std::int64_t each,
                                        std::int64_t round) {
  std::vector<gen::Request> requests;
  std::vector<std::size_t> of_prompt;
  for (std::size_t prompt : prompts) {
    for (std::int64_t sample = 0; sample < each; ++sample) {
      requests.push_back({prompts_[prompt].ids, sample});
      of_prompt.push_back(prompt);
    }
  }
  gen::SampleOptions sampling;
  sampling.temperature = options_.temperature;
  sampling.max_tokens = options_.max_completion_length;
  sampling.batch_size = options_.generation_batch_size;
  sampling.seed = seed_;
  sampling.stage = cat("rollouts of round ", round);
  auto results = decode_(requests, sampling);
  std::vector<Rollout> out;
  for (std::size_t i = 0; i < results.size(); ++i)
    out.push_back(rollout(prompts_[of_prompt[i]], std::move(results[i])));
  score(of_prompt, out);
  if (!log_.empty()) log(round, of_prompt, out);
  if (options_.log_completions && round % kShowRounds == 0) show(prompts_[of_prompt[0]], out[0]);
  return out;
}

Rollout RolloutMaker::rollout(const RlPrompt& prompt, gen::DecodeResult result) const {
  Rollout out;
  out.stopped = result.finish == gen::Finish::stop;
  out.completion = prompt.opened + policy_.decode(result.ids);
  if (out.stopped) result.ids.push_back(result.stop_id);
  if (result.ids.empty() || result.ids.size() != result.logprobs.size())
    fail(ErrorKind::internal,
         cat("a completion has ", result.ids.size(), " tokens and ", result.logprobs.size(), " log-probabilities"));
  out.example = {prompt.ids, {}, "rollout"};
  out.example.ids.insert(out.example.ids.end(), result.ids.begin(), result.ids.end());
  out.example.supervised.assign(out.example.ids.size(), 1);
  std::fill_n(out.example.supervised.begin(), prompt.ids.size(), std::uint8_t{0});
  out.old = std::move(result.logprobs);
  return out;
}

void RolloutMaker::score(const std::vector<std::size_t>& of_prompt, std::vector<Rollout>& rollouts) {
  std::vector<Answer> answers;
  std::vector<train::Example> examples;
  for (std::size_t i = 0; i < rollouts.size(); ++i) {
    answers.push_back(answer_of(prompts_[of_prompt[i]].messages, rollouts[i].completion));
    if (reference_) examples.push_back(rollouts[i].example);
  }
  const auto scores = checked_scores(reward_, answers);
  for (std::size_t i = 0; i < rollouts.size(); ++i) rollouts[i].score = scores[i];
  if (!reference_) return;
  auto logprobs = train::target_logprobs(*reference_, examples, kScoreTokens);
  for (std::size_t i = 0; i < rollouts.size(); ++i) rollouts[i].reference = std::move(logprobs[i]);
}

void RolloutMaker::log(std::int64_t round, const std::vector<std::size_t>& of_prompt,
                       const std::vector<Rollout>& rollouts) {
  if (!log_cut_) {
    std::vector<Json> there, earlier;
    std::vector<std::size_t> lines;
    if (std::filesystem::exists(log_)) there = io::read_json_rows(log_, {.drop_cut_last_line = true, .lines = &lines});
    for (std::size_t i = 0; i < there.size(); ++i) {
      if (json_integer(there[i], "round", cat(log_.string(), ":", lines[i])) < round) earlier.push_back(there[i]);
    }
    io::write_jsonl(log_, earlier);
    log_cut_ = true;
  }
  std::string lines;
  for (std::size_t i = 0; i < rollouts.size(); ++i) {
    Json messages = Json::array();
    for (const auto& message : prompts_[of_prompt[i]].messages)
      messages.push_back(Json{{"role", message.role}, {"content", message.content}});
    if (i > 0) lines += '\n';
    lines += io::json_line(Json{{"round", round},
                                {"prompt", std::move(messages)},
                                {"completion", rollouts[i].completion},
                                {"reward", rollouts[i].score}});
  }
  append_line(log_, lines);
}

void RolloutMaker::show(const RlPrompt& prompt, const Rollout& rollout) const {
  say(cat("sample: ", excerpt(prompt.messages.back().content), " -> ", excerpt(rollout.completion), "  (reward ",
          fixed(rollout.score, 3), ")"));
}

}  // namespace reveille::safety
