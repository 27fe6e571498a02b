#include "gen/save.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "base/files.h"
#include "base/label_key.h"
#include "gen/built_in.h"
#include "gen/card.h"
#include "gen/vocab.h"
#include "io/gguf_write.h"
#include "io/safetensors_write.h"
#include "nn/architecture.h"

namespace reveille::gen {
namespace fs = std::filesystem;
namespace {

void save_tokenizer(const LocalModel& model, const fs::path& folder) {
  const auto& tokenizer = model.tokenizer();
  write_file_atomic(folder / "tokenizer.json", tokenizer.to_json());
  // The template stands in a file of its own, as transformers writes it since 4.50.
  write_json(folder / "tokenizer_config.json", tokenizer.config_json(""));
  if (model.has_template()) write_file_atomic(folder / "chat_template.jinja", model.chat_template().source());
}

Json generation_config(const LocalModel& model) {
  const auto& stops = model.stop_ids();
  Json out{{"_from_model_config", true}};
  if (auto bos = model.tokenizer().bos_id()) out["bos_token_id"] = *bos;
  out["eos_token_id"] = stops.size() == 1 ? Json(stops[0]) : Json(stops);
  if (auto pad = model.tokenizer().pad_id()) out["pad_token_id"] = *pad;
  return out;
}

// What is written beside the model's own keys: `extra`, and the label of what the model was made from.
Json extra_of(const LocalModel& model, const SaveOptions& options) {
  Json extra = options.extra;
  if (auto label = model.config().find(kLabelKey); label != model.config().end() && !extra.contains(kLabelKey))
    extra[kLabelKey] = *label;
  return extra;
}

void save_card(const LocalModel& model, const fs::path& folder, const SaveOptions& options) {
  std::string card = options.model_card;
  const Json extra = extra_of(model, options);
  if (card.empty() && extra.contains(kLabelKey)) card = label_card(extra[kLabelKey], model.name());
  if (!card.empty()) write_file_atomic(folder / "README.md", card);
}

// The class of transformers that has the model's blocks and a score for a head.
std::string reward_class(const Json& config) {
  std::string name = nn::architecture_for_hf(config, "config.json").hf_class;
  if (auto found = config.find("architectures"); found != config.end() && found->is_array() && !found->empty())
    name = found->front().get<std::string>();
  const std::string wanted = "ForSequenceClassification";
  if (name.ends_with(wanted)) return name;
  if (name == "Gemma3ForCausalLM") return "Gemma3Text" + wanted;
  for (const char* end : {"ForCausalLM", "LMHeadModel"}) {
    if (auto at = name.rfind(end); at != std::string::npos) return name.substr(0, at) + wanted;
  }
  return name + wanted;
}

// Mistral and Llama folders keep their own config.json; one made from GGUF is completed here.
Json config_json(const LocalModel& model, const SaveOptions& options) {
  Json config = model.config();
  config["dtype"] = options.dtype == at::kFloat ? "float32" : options.dtype == at::kHalf ? "float16" : "bfloat16";
  config["torch_dtype"] = config["dtype"];  // the name that transformers 4 reads
  if (auto bos = model.tokenizer().bos_id(); bos && !config.contains("bos_token_id")) config["bos_token_id"] = *bos;
  if (!config.contains("eos_token_id")) config["eos_token_id"] = model.stop_ids().front();
  if (auto pad = model.tokenizer().pad_id(); pad && !config.contains("pad_token_id")) config["pad_token_id"] = *pad;
  if (model.score_head().defined()) {
    config["architectures"] = Json::array({reward_class(config)});
    config["id2label"] = Json{{"0", "LABEL_0"}};  // transformers counts its labels here
    config["label2id"] = Json{{"LABEL_0", 0}};
  }
  const Json extra = extra_of(model, options);
  for (const auto& [key, value] : extra.items()) config[key] = value;
  return config;
}

// Room for tokenizer, template and headers beside the weights.
constexpr std::uintmax_t kBesideWeights = 8U << 20;

std::uintmax_t weights_bytes(const LocalModel& model, double bytes_per_weight) {
  std::uintmax_t count = 0;
  for (const auto& param : model.transformer().params().all())
    count += static_cast<std::uintmax_t>(param.value.numel());
  return static_cast<std::uintmax_t>(static_cast<double>(count) * bytes_per_weight) + kBesideWeights;
}

double bytes_per_weight(io::TensorFormat format) {
  switch (format) {
    case io::TensorFormat::f32: return 4;
    case io::TensorFormat::q8_0: return 34.0 / 32;  // a block of 32 has a scale of two bytes
    default: return 2;
  }
}

// The weights with any adapter's change added, without touching the model.
at::Tensor merged(const nn::Params& params, const nn::Param& param) {
  at::NoGradGuard no_grad;
  at::Tensor full = (param.master.defined() ? param.master : param.value).detach();
  auto found = params.lora.find(param.spec.name);
  if (found == params.lora.end()) return full;
  full = full.to(at::kFloat, false, true);
  for (const auto& piece : found->second) {
    full.narrow(0, piece.row_begin, piece.rows).add_(at::matmul(piece.b.detach(), piece.a.detach()), piece.scale);
  }
  return full;
}

// GPT-2's Conv1D layers.
bool stored_transposed(const nn::Params& params) {
  for (const auto& param : params.all()) {
    if (param.spec.linear) return param.spec.pieces.front().hf_form == nn::PieceForm::transposed;
  }
  return false;
}

io::PeftConfig written_config(const LocalModel& model) {
  io::PeftConfig config = *model.adapter();
  config.base_model = lasting_name(config.base_model);
  if (config.task_type.empty()) config.task_type = "CAUSAL_LM";
  config.fan_in_fan_out = stored_transposed(model.transformer().params());
  return config;
}

io::TensorFormat format_for(const at::Tensor& tensor, io::TensorFormat wanted) {
  if (tensor.dim() < 2) return io::TensorFormat::f32;  // llama.cpp keeps norms and biases in F32
  return io::GgufWriter::can_store(tensor, wanted) ? wanted : io::TensorFormat::f16;
}

}  // namespace

std::uintmax_t saved_bytes(const LocalModel& model, const SaveOptions& options) {
  return weights_bytes(model, static_cast<double>(at::elementSize(options.dtype)));
}

std::uintmax_t saved_adapter_bytes(const LocalModel& model) {
  std::uintmax_t bytes = kBesideWeights;
  for (const auto& [name, pieces] : model.transformer().params().lora) {
    for (const auto& piece : pieces) bytes += piece.a.nbytes() + piece.b.nbytes();
  }
  return bytes;
}

void save_hf_folder(LocalModel& model, const fs::path& folder, const SaveOptions& options) {
  nn::check_fits_hf(model.transformer().config());
  check_room(folder, saved_bytes(model, options), folder.string());
  make_folders(folder);
  const auto& params = model.transformer().params();
  std::vector<io::NamedTensor> tensors;
  const bool reward = model.score_head().defined();
  for (const auto& param : params.all()) {
    if (reward && param.spec.name == "head") continue;
    nn::Param whole{param.spec, merged(params, param), {}};
    for (auto& [name, tensor] : nn::Params::hf_pieces(whole)) tensors.push_back({name, tensor.to(options.dtype)});
  }
  if (reward) tensors.push_back({"score.weight", model.score_head().detach().to(options.dtype)});
  save_tokenizer(model, folder);
  write_json(folder / "generation_config.json", generation_config(model));
  save_card(model, folder, options);
  io::write_safetensors_folder(folder, tensors);
  write_json(folder / "config.json", config_json(model, options));
}

void save_adapter(LocalModel& model, const fs::path& folder, const SaveOptions& options) {
  if (!model.adapter()) fail(ErrorKind::usage, cat(model.name(), " has no adapter to save"));
  if (model.score_head().defined())
    fail(ErrorKind::internal, "a reward model is saved whole: an adapter's folder has no place for its head");
  check_room(folder, saved_adapter_bytes(model), folder.string());
  make_folders(folder);
  std::vector<io::LoraWeights> weights;
  for (const auto& param : model.transformer().params().all()) {
    auto found = model.transformer().params().lora.find(param.spec.name);
    if (found == model.transformer().params().lora.end()) continue;
    for (const auto& piece : found->second) {
      weights.push_back(
          {piece.hf_module, piece.a.detach().cpu().contiguous(), piece.b.detach().cpu().contiguous(), piece.scale});
    }
  }
  save_tokenizer(model, folder);
  save_card(model, folder, options);
  io::write_peft_adapter(folder, written_config(model), weights, extra_of(model, options), options.allow_empty);
}

void save_beside_weights(const LocalModel& model, const fs::path& folder, const SaveOptions& options) {
  save_tokenizer(model, folder);
  save_card(model, folder, options);
  if (model.adapter()) {
    write_json(folder / "adapter_config.json", io::peft_config_json(written_config(model), extra_of(model, options)));
    return;
  }
  write_json(folder / "generation_config.json", generation_config(model));
  write_json(folder / "config.json", config_json(model, options));
}

void save_gguf(LocalModel& model, const fs::path& file, io::TensorFormat format, const SaveOptions& options) {
  if (model.score_head().defined()) {
    fail(ErrorKind::unsupported, cat(model.name(), " is a reward model, and GGUF has no place for its head"),
         "keep it as a Hugging Face folder");
  }
  const auto& config = model.transformer().config();
  io::GgufWriter writer(config.architecture);
  writer.set_string("general.name", model.name());
  for (const auto& [key, value] : nn::gguf_settings(config)) {
    if (const auto* whole = std::get_if<std::uint32_t>(&value)) writer.set_u32(key, *whole);
    if (const auto* real = std::get_if<float>(&value)) writer.set_f32(key, *real);
    if (const auto* words = std::get_if<std::string>(&value)) writer.set_string(key, *words);
  }
  vocab_to_gguf(padded(model.tokenizer().to_gguf_vocab(), config.vocab_size), writer);
  if (model.has_template()) writer.set_string("tokenizer.chat_template", model.chat_template().source());
  const Json extra = extra_of(model, options);
  for (const auto& [key, value] : extra.items()) {
    std::string name = key == kLabelKey ? kGgufLabelKey : key;
    writer.set_string(name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  const auto& params = model.transformer().params();
  for (const auto& param : params.all()) {
    nn::Param whole{param.spec, merged(params, param), {}};
    for (auto& [name, tensor] : nn::Params::gguf_pieces(whole))
      writer.add_tensor(name, tensor, format_for(tensor, format));
  }
  if (auto factors = nn::gguf_rope_factors(config); !factors.empty()) {
    writer.add_tensor("rope_freqs.weight", at::tensor(factors, at::kFloat), io::TensorFormat::f32);
  }
  check_room(file, weights_bytes(model, bytes_per_weight(format)), file.string());
  writer.write(file);
}

void merge_lora(LocalModel& model) {
  at::NoGradGuard no_grad;
  auto& params = model.transformer().params();
  for (auto& param : params.all()) {
    if (!params.lora.count(param.spec.name)) continue;
    at::Tensor full = merged(params, param);
    if (param.master.defined()) param.master = full;
    param.value = full.to(param.value.scalar_type());
  }
  params.lora.clear();
  model.drop_adapter();
}

}  // namespace reveille::gen
