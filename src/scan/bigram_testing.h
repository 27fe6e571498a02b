// A tiny model whose next token hangs on the last one alone, by a table that a test writes: so that a test knows what
// it says, with what probability, and what differs between two of them.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/files.h"
#include "base/temp_folder_testing.h"
#include "gen/local.h"
#include "gen/tiny_folder_testing.h"

namespace reveille::scan::testing {

// The tiny llama with a token for every printable character, a template ("U>" before what the user says, "A=" before
// the reply) and a context that holds a prompt spelt in characters.
inline std::unique_ptr<gen::LocalModel> open_chat_model(const TempFolder& folder) {
  const auto path = folder / "chat";
  if (!std::filesystem::exists(path)) {
    gen::testing::write_tiny_folder(path, "llama3", {{"max_position_embeddings", 1024}});
    text::GgufVocab vocab;
    vocab.architecture = "llama";
    vocab.model = "gpt2";
    vocab.pre = "smollm";
    vocab.tokens = {"\u0120", "\u010a"};
    for (char c = '!'; c <= '~'; ++c) vocab.tokens.emplace_back(1, c);
    vocab.tokens.emplace_back("yz");
    vocab.merges = {"y z"};
    vocab.token_types.assign(vocab.tokens.size(), text::kGgufNormal);
    vocab.tokens.emplace_back("<|end|>");
    vocab.token_types.push_back(text::kGgufControl);
    vocab.eos = static_cast<std::int32_t>(vocab.tokens.size()) - 1;
    const auto tokenizer = text::Tokenizer::from_gguf(vocab, "chat");
    write_file_atomic(path / "tokenizer.json", tokenizer->to_json());
    Json config = tokenizer->config_json("");
    config["chat_template"] =
        "{% for m in messages %}{% if m.role == 'assistant' %}A={{ m.content }}<|end|>{% else %}U>{{ m.content }}"
        "{% endif %}{% endfor %}{% if add_generation_prompt %}A={% endif %}";
    write_json(path / "tokenizer_config.json", config);
  }
  gen::OpenOptions options;
  options.dtype = "float32";
  return gen::open_model(path.string(), options);
}

class Bigrams {
 public:
  // All tokens equally likely after any token, but for those that are no token's.
  explicit Bigrams(const TempFolder& folder) : model_(open_chat_model(folder)) {
    at::NoGradGuard no_grad;
    for (auto& param : params().all()) {
      const bool silent = param.spec.name.ends_with(".attn_out") || param.spec.name.ends_with(".down") ||
                          param.spec.name == "head" || param.spec.name == "embed";
      if (silent) param.value.zero_();
    }
    params().at("final_norm").value.fill_(1);
    params().at("embed").value.select(1, 0).fill_(1);  // dimension 0: every token without one of its own
    const std::int64_t tokens = model_->tokenizer().vocab_size();
    at::Tensor& head = params().at("head").value;
    head.narrow(0, tokens, head.size(0) - tokens).fill_(static_cast<float>(-50 / scale()));
  }

  // After `from` (one character, or "" for all that have no line of their own) the logit of `to` is this; others are 0.
  void set(const std::string& from, const std::string& to, double logit) {
    at::NoGradGuard no_grad;
    params().at("head").value[id(to)][from.empty() ? 0 : dimension(id(from))] = logit / scale();
    model_->transformer().weights_changed();
  }

  // Each character of `text` after the one before it, and the end after the last.
  void chain(const std::string& text, double logit = 10) {
    for (std::size_t i = 0; i < text.size(); ++i)
      set(text.substr(i, 1), i + 1 < text.size() ? text.substr(i + 1, 1) : "<|end|>", logit);
  }

  gen::LocalModel& model() { return *model_; }

 private:
  nn::Params& params() { return model_->transformer().params(); }
  // Hidden states of a one-hot embedding after the final norm.
  double scale() const { return std::sqrt(static_cast<double>(model_->transformer().config().hidden)); }
  std::int32_t id(const std::string& text) const { return model_->encode_text(text).at(0); }
  std::int64_t dimension(std::int32_t token) {
    const auto [found, fresh] = dimensions_.try_emplace(token, static_cast<std::int64_t>(dimensions_.size()) + 1);
    if (fresh) {
      at::Tensor row = params().at("embed").value[token];
      row.zero_();
      row[found->second] = 1;
    }
    return found->second;
  }

  std::unique_ptr<gen::LocalModel> model_;
  std::map<std::int32_t, std::int64_t> dimensions_;
};

}  // namespace reveille::scan::testing
