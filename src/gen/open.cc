// Opening a model: finds out what a path holds and puts weights, tokenizer and template together.
#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/label_key.h"
#include "base/strings.h"
#include "gen/built_in.h"
#include "gen/local.h"
#include "gen/vocab.h"
#include "io/gguf.h"
#include "io/hf_folder.h"
#include "io/weight_file.h"
#include "nn/architecture.h"

namespace reveille::gen {
namespace fs = std::filesystem;

namespace {

constexpr const char* kScoreHead = "score.weight";

class MetadataKeys : public nn::GgufKeys {
 public:
  MetadataKeys(const io::GgufMetadata& metadata, std::string prefix)
      : metadata_(metadata), prefix_(std::move(prefix)) {}
  std::optional<double> number(std::string_view key) const override {
    const auto* value = metadata_.find(prefix_ + std::string(key));
    if (value && value->type == io::GgufType::array) {
      auto all = metadata_.get_ints(prefix_ + std::string(key));
      if (all.empty() || std::any_of(all.begin(), all.end(), [&](auto one) { return one != all[0]; })) {
        fail(ErrorKind::unsupported, cat("GGUF metadata '", prefix_, key, "' differs from layer to layer"));
      }
      return static_cast<double>(all[0]);
    }
    return metadata_.find_f64(prefix_ + std::string(key));
  }
  std::optional<std::string> text(std::string_view key) const override {
    return metadata_.find_string(prefix_ + std::string(key));
  }

 private:
  const io::GgufMetadata& metadata_;
  std::string prefix_;
};

bool has_bf16(at::Device device) {
  if (device.is_cuda()) return true;
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

}  // namespace

at::ScalarType resolve_dtype(const std::string& dtype, at::Device device) {
  if (dtype == "float32") return at::kFloat;
  if (dtype == "bfloat16") return at::kBFloat16;
  return has_bf16(device) ? at::kBFloat16 : at::kFloat;
}

at::Device resolve_device(const std::string& device) {
  try {
    at::Device out(device);
    if (out.is_cpu()) return out;
    if (out.is_cuda()) {
      if (!at::globalContext().hasCUDA()) {
        fail(ErrorKind::unsupported, cat("--device ", device, ": this libtorch sees no CUDA GPU"),
             "see 'reveille doctor', or use --device cpu");
      }
      return out;
    }
  } catch (const c10::Error&) {
  }
  fail(ErrorKind::usage, cat("--device ", device, ": expected cpu or cuda"));
}

class Opener {
 public:
  Opener(std::string what, const OpenOptions& options) : options_(options), model_(new LocalModel()) {
    model_->source_ = what;
    device_ = resolve_device(options.device);
    dtype_ = resolve_dtype(options.dtype, device_);
  }

  std::unique_ptr<LocalModel> open() {
    fs::path path = model_path(model_->source_);
    model_->name_ =
        meant_built_in(model_->source_) ? model_->source_ : fs::absolute(path).lexically_normal().filename().string();
    if (model_->name_.empty()) model_->name_ = fs::absolute(path).lexically_normal().parent_path().filename().string();
    if (!fs::exists(path)) {
      fail(ErrorKind::not_found,
           cat("there is no model at '", model_->source_, "'", did_you_mean(model_->source_, built_in_models())),
           "expected a Hugging Face folder, a .gguf file, an adapter folder or a built-in name: " +
               join(built_in_models(), ", "));
    }
    if (!fs::is_directory(path)) {
      open_file(path);
    } else if (io::is_peft_folder(path)) {
      open_adapter(path);
    } else {
      open_folder(path);
    }
    finish();
    return std::move(model_);
  }

 private:
  void open_file(const fs::path& path) {
    switch (io::weight_file_kind(path)) {
      case io::WeightFileKind::gguf: return open_gguf(path);
      case io::WeightFileKind::pickle: io::refuse_pickle(path); break;
      case io::WeightFileKind::safetensors:
        fail(ErrorKind::usage, cat(path.string(), " holds weights alone"),
             "name the folder that holds config.json and tokenizer.json too");
      case io::WeightFileKind::other: break;
    }
    fail(ErrorKind::bad_input, cat(path.string(), " is no model file: expected GGUF"));
  }

  void open_gguf(const fs::path& path) {
    auto file = io::GgufFile::open(path);
    const auto& metadata = file->metadata();
    const std::string where = path.string();
    std::string name = metadata.get_string("general.architecture");
    const auto& architecture = nn::architecture_for_gguf(name, where);
    nn::ModelConfig config = architecture.from_gguf(MetadataKeys(metadata, name + "."));
    const auto& embed = file->info("token_embd.weight");
    if (embed.shape.size() != 2) fail(ErrorKind::bad_input, cat(where, ": token_embd.weight is not a matrix"));
    config.vocab_size = embed.shape[0];
    config.tied_head = !file->contains("output.weight");
    for (const char* kind : {"attn_q", "attn_k", "attn_v"})
      config.qkv_bias = config.qkv_bias || file->contains(cat("blk.0.", kind, ".bias"));
    config.out_bias = config.out_bias || file->contains("blk.0.attn_output.bias");
    config.mlp_bias = config.mlp_bias || file->contains("blk.0.ffn_down.bias");
    nn::check_config(config, where);
    if (!config.rope.empty() && file->contains("rope_freqs.weight")) {
      auto factors = file->load("rope_freqs.weight", at::kDouble);
      nn::take_rope_factors(config, {factors.data_ptr<double>(), factors.data_ptr<double>() + factors.numel()}, where);
    }
    model_->format_ = "gguf";
    model_->config_ = architecture.to_hf(config);
    if (metadata.find(kGgufLabelKey))
      model_->config_[kLabelKey] = parse_json(metadata.get_string(kGgufLabelKey), cat(where, ": ", kGgufLabelKey));
    load_weights(*file, architecture, config, true);
    model_->tokenizer_ = text::Tokenizer::from_gguf(vocab_from_gguf(metadata), where);
    if (auto source = metadata.find_string("tokenizer.chat_template")) {
      model_->template_ = std::make_shared<text::ChatTemplate>(*source, where + ": tokenizer.chat_template");
    }
  }

  void open_folder(const fs::path& path) {
    if (!io::is_hf_folder(path)) {
      io::refuse_pickle_folder(path);
      fail(ErrorKind::bad_input,
           cat(path.string(), " is no model folder: it holds neither config.json nor adapter_config.json"));
    }
    auto folder = io::open_hf_folder(path);
    const std::string where = (path / "config.json").string();
    const auto& architecture = nn::architecture_for_hf(folder.config, where);
    nn::ModelConfig config = architecture.from_hf(folder.config, where);
    // A reward model has no output head, tied or not; the blocks are given the embedding in its place.
    config.tied_head = config.tied_head || folder.tensors->contains(kScoreHead);
    // A file may hold GPT-2's old mask buffers.
    load_weights(*folder.tensors, architecture, config, false);
    model_->format_ = "huggingface";
    model_->config_ = folder.config;
    if (folder.generation_config) model_->generation_config_ = *folder.generation_config;
    model_->tokenizer_ = text::Tokenizer::from_folder(path);
    read_template(path);
  }

  void open_adapter(const fs::path& path) {
    auto adapter = io::open_peft_adapter(path);
    std::string base = options_.base.empty() ? adapter.config.base_model : options_.base;
    const bool known = find_built_in(base) != nullptr;
    if (!known && !fs::exists(base) && fs::exists(path / base) && !base.empty()) base = (path / base).string();
    if (base.empty() || (!known && !fs::exists(base))) {
      fail(ErrorKind::not_found, cat(path.string(), ": the adapter's base model '", base, "' is not here"),
           "pass --base MODEL");
    }
    // Else an adapter that names itself, or two that name each other, would be opened without end.
    if (!known && io::is_peft_folder(base)) {
      fail(ErrorKind::bad_input, cat(path.string(), ": the adapter's base model '", base, "' is an adapter itself"),
           "merge that one into its own base first: reveille model merge");
    }
    OpenOptions options = options_;
    options.base.clear();
    options.trainable = false;
    if (options_.base.empty() || adapter.config.base_model.empty()) adapter.config.base_model = lasting_name(base);
    std::string name = model_->name_, source = model_->source_;
    model_ = open_model(base, options);
    model_->name_ = name;
    model_->source_ = source;
    model_->format_ = "peft";
    if (options.weights) attach(adapter);
    model_->adapter_ = adapter.config;
    if (adapter.config_json.contains(kLabelKey)) model_->config_[kLabelKey] = adapter.config_json[kLabelKey];
    if (fs::exists(path / "chat_template.jinja") || fs::exists(path / "tokenizer_config.json")) read_template(path);
  }

  void attach(io::PeftAdapter& adapter) {
    auto& params = model_->transformer_->params();
    std::size_t attached = 0;
    for (const auto& param : params.all()) {
      std::int64_t row = 0;
      for (const auto& piece : param.spec.pieces) {
        std::string module = piece.hf_name.substr(0, piece.hf_name.rfind('.'));
        bool here = std::find(adapter.modules.begin(), adapter.modules.end(), module) != adapter.modules.end();
        if (here && param.spec.linear && piece.hf_name.ends_with(".weight")) {
          auto weights = adapter.load(module);
          if (weights.a.size(1) != param.spec.shape[1] || weights.b.size(0) != piece.rows) {
            fail(ErrorKind::bad_input,
                 cat(adapter.path.string(), ": the adapter of ", module, " has shapes ", weights.a.sizes(), " and ",
                     weights.b.sizes(), ", the base model's layer is [", piece.rows, ", ", param.spec.shape[1], "]"),
                 "the adapter belongs to another base model");
          }
          params.lora[param.spec.name].push_back(
              {module, row, piece.rows, weights.a.to(device_), weights.b.to(device_), weights.scaling});
          ++attached;
        }
        row += piece.rows;
      }
    }
    if (attached != adapter.modules.size()) {
      for (const auto& module : adapter.modules) {
        bool found = false;
        for (auto& [unused, pieces] : params.lora) {
          for (auto& piece : pieces) found = found || piece.hf_module == module;
        }
        if (!found && module == "lm_head" && model_->transformer_->config().tied_head) {
          fail(ErrorKind::unsupported,
               cat(adapter.path.string(), ": the adapter changes lm_head, which is the token embedding in this model ",
                   "(tied) and can have no adapter of its own"),
               "merge it into its base (merge_and_unload of peft) and use the merged model");
        }
        if (!found)
          fail(ErrorKind::bad_input,
               cat(adapter.path.string(), ": the adapter changes ", module, ", which the base model does not have"),
               "the adapter belongs to another base model");
      }
    }
  }

  void load_weights(io::TensorSource& source, const nn::Architecture& architecture, const nn::ModelConfig& config,
                    bool gguf) {
    if (!options_.weights) return;
    nn::Params params(architecture.params(config));
    for (auto& param : params.all()) {
      bool norm = param.spec.shape.size() == 1 && param.spec.name.find("norm") != std::string::npos;
      // Norms stay float32: they are small, and rounding them buys nothing.
      at::ScalarType type = norm || options_.trainable ? at::kFloat : dtype_;
      at::Tensor full = nn::Params::from_pieces(
          param.spec, gguf, [&](const std::string& name) { return source.load(find_name(source, name), type); });
      full = full.to(device_);
      param.value = norm ? full : full.to(dtype_);
      if (options_.trainable && !param.value.is_same(full)) param.master = full;
    }
    if (config.tied_head && source.contains("lm_head.weight")) check_tied(source, params);
    if (source.contains(kScoreHead)) load_score_head(source, config);
    source.verify_all_used(ignored(config));
    model_->transformer_ = std::make_unique<nn::Transformer>(config, std::move(params), dtype_, device_);
  }

  void load_score_head(io::TensorSource& source, const nn::ModelConfig& config) {
    if (!options_.reward_model) {
      fail(ErrorKind::usage,
           cat(model_->source_, " is a reward model: it has ", kScoreHead,
               " in place of an output head and writes no text"),
           "use it where a reward is asked for: reveille train grpo|ppo MODEL --reward FOLDER");
    }
    const auto& shape = source.info(kScoreHead).shape;
    if (shape != std::vector<std::int64_t>{1, config.hidden}) {
      fail(ErrorKind::unsupported, cat(source.where(), ": ", kScoreHead, " has shape ", at::IntArrayRef(shape),
                                       ", expected [1, ", config.hidden, "]: a reward is one number"));
    }
    model_->score_head_ = source.load(kScoreHead, at::kFloat).to(device_);
  }

  // A file may hold the tied head a second time; then it must be the same one.
  void check_tied(io::TensorSource& source, const nn::Params& params) {
    const auto& embed = params.at("embed");
    if (source.info("lm_head.weight").shape == embed.spec.shape &&
        source.load("lm_head.weight", dtype_).equal(embed.value.cpu())) {
      return;
    }
    fail(ErrorKind::bad_input,
         cat(source.where(), ": lm_head.weight differs from ", embed.spec.pieces.front().hf_name,
             ", but config.json says that they are one (tie_word_embeddings)"),
         "set tie_word_embeddings to false to use the head of its own, or take lm_head.weight out of the file");
  }

  // GPT-2 folders name their tensors with or without "transformer.".
  static std::string find_name(const io::TensorSource& source, const std::string& name) {
    if (source.contains(name) || !name.starts_with("transformer.")) return name;
    std::string shorter = name.substr(12);
    return source.contains(shorter) ? shorter : name;
  }

  static std::vector<std::string> ignored(const nn::ModelConfig& config) {
    std::vector<std::string> out = {"*.rotary_emb.inv_freq"};
    if (config.architecture == "gpt2") {
      out.push_back("*attn.bias");
      out.push_back("*attn.masked_bias");
    }
    return out;
  }

  void read_template(const fs::path& path) {
    fs::path own = path / "chat_template.jinja";
    if (fs::exists(own)) {
      model_->template_ = std::make_shared<text::ChatTemplate>(read_file(own), own.string());
      return;
    }
    fs::path config_path = path / "tokenizer_config.json";
    if (!fs::exists(config_path)) return;
    Json config = read_json(config_path);
    auto found = config.find("chat_template");
    if (found == config.end() || found->is_null()) return;
    std::string source;
    if (found->is_string()) {
      source = found->get<std::string>();
    } else if (found->is_array()) {
      for (const auto& entry : *found) {
        if (entry.is_object() && entry.value("name", "") == "default") source = entry.value("template", "");
      }
    }
    if (source.empty())
      fail(ErrorKind::bad_input,
           cat(config_path.string(), ": chat_template is neither a text nor a list with a 'default' entry"));
    model_->template_ = std::make_shared<text::ChatTemplate>(source, config_path.string() + ": chat_template");
  }

  void finish() {
    if (!options_.chat_template.empty()) {
      model_->template_ =
          fs::exists(options_.chat_template)
              ? std::make_shared<text::ChatTemplate>(read_file(options_.chat_template), options_.chat_template)
              : std::make_shared<text::ChatTemplate>(text::ChatTemplate::built_in(options_.chat_template));
    } else if (const auto* known = meant_built_in(model_->source_);
               known && !model_->template_ && !known->chat_template.empty()) {
      model_->template_ =
          std::make_shared<text::ChatTemplate>(text::ChatTemplate::built_in(std::string(known->chat_template)));
    }
    const auto& tokenizer = *model_->tokenizer_;
    const auto vocab = options_.weights ? model_->transformer_->config().vocab_size : INT64_MAX;
    if (static_cast<std::int64_t>(tokenizer.vocab_size()) > vocab) {
      fail(ErrorKind::bad_input,
           cat(model_->source_, ": the tokenizer has ", tokenizer.vocab_size(), " tokens, the model's embedding has ",
               vocab, " rows"),
           "tokenizer and weights do not belong together");
    }
    if (model_->template_) {
      text::check_belongs(*model_->template_, [&](std::string_view token) { return tokenizer.id(token).has_value(); });
    }
    find_stops();
  }

  void find_stops() {
    auto& stops = model_->stop_ids_;
    auto add = [&](std::optional<std::int32_t> id) {
      if (id && std::find(stops.begin(), stops.end(), *id) == stops.end()) stops.push_back(*id);
    };
    const auto& tokenizer = *model_->tokenizer_;
    add(tokenizer.eos_id());
    auto add_json = [&](const Json& config) {
      if (!config.is_object() || !config.contains("eos_token_id")) return;
      const Json& eos = config["eos_token_id"];
      for (const auto& id : eos.is_array() ? eos : Json::array({eos})) {
        if (id.is_number_integer()) add(id.get<std::int32_t>());
      }
    };
    add_json(model_->generation_config_);
    add_json(model_->config_);
    if (model_->template_) {
      auto ids = tokenizer.encode(model_->template_->end_of_turn(model_->render_options(false)));
      if (ids.size() == 1) add(ids[0]);
    }
    if (stops.empty())
      fail(ErrorKind::bad_input, cat(model_->source_, " names no end-of-turn or end-of-text token"),
           "set eos_token in tokenizer_config.json");
  }

  OpenOptions options_;
  std::unique_ptr<LocalModel> model_;
  at::Device device_ = at::kCPU;
  at::ScalarType dtype_ = at::kFloat;
};

std::shared_ptr<const text::Tokenizer> open_tokenizer(const std::string& what, const OpenOptions& options) {
  fs::path path = model_path(what);
  if (fs::is_directory(path) && fs::exists(path / "tokenizer.json")) return text::Tokenizer::from_folder(path);
  if (fs::is_regular_file(path) && io::weight_file_kind(path) == io::WeightFileKind::gguf) {
    return text::Tokenizer::from_gguf(vocab_from_gguf(io::GgufFile::open(path)->metadata()), path.string());
  }
  OpenOptions no_weights = options;
  no_weights.weights = false;
  auto model = open_model(what, no_weights);  // an adapter without a tokenizer of its own; and all errors
  return model->shared_tokenizer();
}

std::unique_ptr<LocalModel> open_model(const std::string& what, const OpenOptions& options) {
  return Opener(what, options).open();
}

}  // namespace reveille::gen
