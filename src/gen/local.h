// A model that runs in this process: weights, tokenizer and chat template, opened from a Hugging
// Face folder, a GGUF file, a PEFT adapter folder or a built-in name.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/options.h"
#include "gen/model.h"
#include "io/peft.h"
#include "nn/transformer.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace reveille::gen {

struct OpenOptions {
  std::string dtype = "auto";
  std::string device = "cpu";
  std::string base;           // the base of an adapter folder
  std::string chat_template;  // a file, or the name of a built-in template
  bool trainable = false;     // keep float32 masters from the file
  bool weights = true;        // false: tokenizer, template and configuration alone, without a transformer()
  bool reward_model = false;  // a reward model may be opened (LocalModel::score_head); else it is Error(usage)
  void visit(OptionVisitor& v) {
    v.option("dtype", dtype,
             {.help = "compute type; auto: bfloat16 where the CPU or GPU has it",
              .choices = {"auto", "float32", "bfloat16"},
              .aliases = {"torch_dtype"}});
    v.option("device", device, {.help = "cpu, cuda, cuda:1"});
    v.option("base", base, {.help = "the base model of an adapter folder"});
    v.option("chat_template", chat_template,
             {.help = "a template file or a built-in template's name, instead of the model's own"});
  }
};

// A conversation as ids, with what is the assistant's to say.
struct EncodedChat {
  std::vector<std::int32_t> ids;
  std::vector<std::uint8_t> reply;  // 1: token of an assistant's reply, its end-of-turn token included
};

class LocalModel : public LanguageModel {
 public:
  std::string name() const override { return name_; }
  std::vector<std::int32_t> encode_chat(const Conversation& conversation) const override;
  std::vector<std::int32_t> encode_text(const std::string& text) const override;
  std::string decode(const std::vector<std::int32_t>& ids) const override;
  std::vector<Completion> generate(const std::vector<Request>& requests, const SampleOptions& options,
                                   const OnCompletion& on_completion = nullptr) override;
  std::vector<std::vector<float>> score(const std::vector<std::vector<std::int32_t>>& sequences) override;

  // A whole conversation, replies and all, for training and scoring.
  EncodedChat encode_conversation(const Conversation& conversation) const;
  // Text as it stands, special tokens recognised, the tokenizer's own BOS/EOS added.
  std::vector<std::int32_t> encode_with_specials(const std::string& text) const;
  // What the template puts before a user's first words (the model can be asked to go on from here).
  std::vector<std::int32_t> user_prefix() const;

  bool has_template() const { return template_ != nullptr; }
  const text::ChatTemplate& chat_template() const;
  const text::Tokenizer& tokenizer() const { return *tokenizer_; }
  std::shared_ptr<const text::Tokenizer> shared_tokenizer() const { return tokenizer_; }
  nn::Transformer& transformer() { return *transformer_; }
  const nn::Transformer& transformer() const { return *transformer_; }
  const std::vector<std::int32_t>& stop_ids() const { return stop_ids_; }
  // The Hugging Face config.json of this model (made from GGUF metadata where it came from there).
  Json& config() { return config_; }
  const Json& config() const { return config_; }
  const std::optional<io::PeftConfig>& adapter() const { return adapter_; }
  // The head of a reward model, score.weight of Hugging Face's ...ForSequenceClassification: [1, hidden] float32.
  // Undefined for a language model. A model with one is saved as such, without an output head.
  at::Tensor& score_head() { return score_head_; }
  const at::Tensor& score_head() const { return score_head_; }
  const std::string& source() const { return source_; }  // the path it was opened from
  const std::string& format() const { return format_; }  // "huggingface", "gguf", "peft"
  // Tells models with other weights or types apart, by a sample of every tensor.
  std::string fingerprint() const;
  // Adds fresh LoRA pieces to the linear layers that the configuration targets: A uniform as PEFT
  // draws it (Kaiming, a = sqrt 5), B zero. The head is among them when it is named and no copy of the
  // embedding. Error(usage) when a target fits no layer, or when the model has an adapter already.
  void add_lora(const io::PeftConfig& config, std::int64_t seed);
  void drop_adapter() { adapter_.reset(); }
  // A model of its own that computes the same; tokenizer and template are shared. With `share_weights` so are the
  // weights but for the adapter's: for copies that are only read, or that train and merge an adapter, which puts other
  // tensors into their places and changes none.
  std::unique_ptr<LocalModel> copy(bool share_weights = false) const;

 private:
  friend class Opener;
  text::RenderOptions render_options(bool generation_prompt) const;
  std::string name_, source_, format_;
  Json config_, generation_config_;
  std::unique_ptr<nn::Transformer> transformer_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  std::shared_ptr<const text::ChatTemplate> template_;
  std::vector<std::int32_t> stop_ids_;
  std::optional<io::PeftConfig> adapter_;
  at::Tensor score_head_;
};

// `what`: a folder, a .gguf file, or a built-in name (gen/built_in.h). Errors name the file and key.
std::unique_ptr<LocalModel> open_model(const std::string& what, const OpenOptions& options = {});

// The tokenizer alone, without weights.
std::shared_ptr<const text::Tokenizer> open_tokenizer(const std::string& what, const OpenOptions& options = {});

// Whether bfloat16 products are fast on this device.
at::ScalarType resolve_dtype(const std::string& dtype, at::Device device);
at::Device resolve_device(const std::string& device);

}  // namespace reveille::gen
