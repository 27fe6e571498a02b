#include "gen/local.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/strings.h"
#include "gen/decode.h"
#include "gen/score.h"

namespace reveille::gen {

const text::ChatTemplate& LocalModel::chat_template() const {
  if (!template_) {
    fail(ErrorKind::usage, cat(name_, " has no chat template"),
         "pass --chat-template (in a study chat_template=...) a file or a built-in name: " +
             join(text::ChatTemplate::built_in_names(), ", "));
  }
  return *template_;
}

text::RenderOptions LocalModel::render_options(bool generation_prompt) const {
  text::RenderOptions options;
  options.add_generation_prompt = generation_prompt;
  auto token_text = [&](std::optional<std::int32_t> id) {
    return id ? std::optional<std::string>(tokenizer_->token(*id)) : std::nullopt;
  };
  options.bos_token = token_text(tokenizer_->bos_id());
  options.eos_token = token_text(tokenizer_->eos_id());
  return options;
}

std::vector<std::int32_t> LocalModel::encode_chat(const Conversation& conversation) const {
  // The template writes BOS itself where the family wants one; adding it again would double it.
  return tokenizer_->encode(chat_template().render(conversation, render_options(true)));
}

EncodedChat LocalModel::encode_conversation(const Conversation& conversation) const {
  auto rendered = chat_template().render_spans(conversation, render_options(false));
  auto encoding = tokenizer_->encode_with_offsets(rendered.text);
  EncodedChat out{std::move(encoding.ids), {}};
  std::size_t span = 0;
  for (const auto& token : encoding.offsets) {
    while (span < rendered.replies.size() && token.begin >= rendered.replies[span].end) ++span;
    bool inside =
        span < rendered.replies.size() && token.begin >= rendered.replies[span].begin && token.end > token.begin;
    out.reply.push_back(inside ? 1 : 0);
  }
  return out;
}

std::vector<std::int32_t> LocalModel::encode_text(const std::string& text) const { return tokenizer_->encode(text); }

std::vector<std::int32_t> LocalModel::encode_with_specials(const std::string& text) const {
  return tokenizer_->encode(text, {.add_special_tokens = true});
}

std::vector<std::int32_t> LocalModel::user_prefix() const {
  return tokenizer_->encode(chat_template().user_prefix(render_options(false)));
}

std::string LocalModel::decode(const std::vector<std::int32_t>& ids) const { return tokenizer_->decode(ids, true); }

std::vector<Completion> LocalModel::generate(const std::vector<Request>& requests, const SampleOptions& options,
                                             const OnCompletion& on_completion) {
  std::vector<Completion> out(requests.size());
  gen::decode(*transformer_, requests, stop_ids_, options, [&](std::size_t index, DecodeResult& result) {
    Completion& completion = out[index];
    completion.ids = std::move(result.ids);
    completion.logprobs = std::move(result.logprobs);
    completion.finish = result.finish;
    completion.text = decode(completion.ids);
    if (on_completion) on_completion(index, completion);
  });
  return out;
}

std::vector<std::vector<float>> LocalModel::score(const std::vector<std::vector<std::int32_t>>& sequences) {
  return gen::score(*transformer_, sequences);
}

std::string LocalModel::fingerprint() const {
  constexpr std::int64_t kSamples = 64;  // of a tensor: training moves nearly all of its elements
  at::NoGradGuard no_grad;
  std::string bytes;
  auto add = [&](const at::Tensor& tensor) {
    at::Tensor flat = tensor.detach().reshape({-1});
    const std::int64_t stride = std::max<std::int64_t>(1, flat.numel() / kSamples);
    at::Tensor some = flat.slice(0, 0, flat.numel(), stride).to(at::kCPU, at::kFloat).contiguous();
    bytes.append(static_cast<const char*>(some.data_ptr()), some.nbytes());
    bytes += at::toString(tensor.scalar_type());
  };
  for (const auto& param : transformer_->params().all()) add(param.value);
  if (score_head_.defined()) add(score_head_);
  for (const auto& [name, pieces] : transformer_->params().lora) {
    for (const auto& piece : pieces) {
      add(piece.a);
      add(piece.b);
      bytes.append(reinterpret_cast<const char*>(&piece.scale), sizeof piece.scale);
    }
  }
  return sha256_hex(bytes);
}

namespace {

// Another transformer with equal weights, or the same ones but for the adapter's.
std::unique_ptr<nn::Transformer> copy_of(const nn::Transformer& model, bool share_weights) {
  at::NoGradGuard no_grad;
  auto own = [&](const at::Tensor& tensor) { return share_weights ? tensor.detach() : tensor.detach().clone(); };
  nn::Params params = model.params();
  for (auto& param : params.all()) {
    const bool one = param.master.defined() && param.master.is_same(param.value);
    param.value = own(param.value);
    if (param.master.defined()) param.master = one ? param.value : own(param.master);
  }
  for (auto& [name, pieces] : params.lora) {
    for (auto& piece : pieces) {
      piece.a = piece.a.detach().clone();
      piece.b = piece.b.detach().clone();
    }
  }
  return std::make_unique<nn::Transformer>(model.config(), std::move(params), model.compute_type(), model.device());
}

struct Module {
  std::string name;  // "model.layers.0.self_attn.q_proj"
  const nn::Param* param = nullptr;
  std::int64_t row = 0, rows = 0;
};

// What an adapter may stand on, in the model's order.
std::vector<Module> linear_modules(const nn::Params& params) {
  std::vector<Module> out;
  for (const auto& param : params.all()) {
    if (!param.spec.linear) continue;
    std::int64_t row = 0;
    for (const auto& piece : param.spec.pieces) {
      out.push_back({piece.hf_name.substr(0, piece.hf_name.rfind('.')), &param, row, piece.rows});
      row += piece.rows;
    }
  }
  return out;
}

// A name that fits nothing would be a layer less than was asked for.
void check_targets(const io::PeftConfig& config, const std::vector<Module>& modules, const LocalModel& model) {
  std::vector<std::string> known;
  for (const auto& module : modules) {
    std::string end = module.name.substr(module.name.rfind('.') + 1);
    if (std::find(known.begin(), known.end(), end) == known.end()) known.push_back(end);
  }
  for (const auto& target : config.target_modules) {
    io::PeftConfig one;
    one.target_modules = {target};
    if (std::any_of(modules.begin(), modules.end(), [&](const Module& module) { return one.targets(module.name); }))
      continue;
    if (target == "lm_head" && model.transformer().config().tied_head) {
      fail(ErrorKind::usage,
           cat("target_modules: the head of ", model.name(),
               " is its token embedding (tied), so that lm_head is no layer of its own and can have no adapter"),
           "leave lm_head out, or train all weights (use_peft=false)");
    }
    fail(ErrorKind::usage,
         cat("target_modules: '", target, "' names no linear layer of ", model.name(), did_you_mean(target, known)),
         cat("it has ", join(known, ", ")));
  }
}

}  // namespace

void LocalModel::add_lora(const io::PeftConfig& config, std::int64_t seed) {
  if (adapter_) fail(ErrorKind::usage, cat(name_, " has an adapter already"), "merge it first: reveille model merge");
  auto& params = transformer_->params();
  const auto modules = linear_modules(params);
  check_targets(config, modules, *this);
  for (const auto& [module, param, row, rows] : modules) {
    const bool head = param->spec.name == "head";
    if (!config.targets(module) || (head && config.all_linear)) continue;
    std::int64_t rank = config.rank_of(module), in = param->spec.shape[1];
    Rng rng = Rng(static_cast<std::uint64_t>(seed), "lora").child(module);
    std::vector<float> a(static_cast<std::size_t>(rank * in));
    const double bound = 1.0 / std::sqrt(static_cast<double>(in));
    for (float& value : a) value = static_cast<float>((2 * rng.uniform() - 1) * bound);
    auto device = transformer_->device();
    params.lora[param->spec.name].push_back(
        {module, row, rows, at::tensor(a, at::kFloat).view({rank, in}).to(device),
         at::zeros({rows, rank}, at::TensorOptions().dtype(at::kFloat).device(device)), config.scaling_of(module)});
  }
  if (params.lora.empty()) {
    fail(ErrorKind::usage, cat("target_modules names no linear layer of ", name_),
         cat("it has, for example, ", modules.front().name));
  }
  adapter_ = config;
}

std::unique_ptr<LocalModel> LocalModel::copy(bool share_weights) const {
  auto out = std::make_unique<LocalModel>();
  out->name_ = name_;
  out->source_ = source_;
  out->format_ = format_;
  out->config_ = config_;
  out->generation_config_ = generation_config_;
  if (transformer_) out->transformer_ = copy_of(*transformer_, share_weights);
  out->tokenizer_ = tokenizer_;
  out->template_ = template_;
  out->stop_ids_ = stop_ids_;
  out->adapter_ = adapter_;
  if (score_head_.defined()) out->score_head_ = share_weights ? score_head_.detach() : score_head_.detach().clone();
  return out;
}

}  // namespace reveille::gen
