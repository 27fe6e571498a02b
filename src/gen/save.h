// Writing a model so that transformers, peft and llama.cpp load it as it is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "gen/local.h"

namespace reveille::gen {

struct SaveOptions {
  at::ScalarType dtype = at::kBFloat16;
  // Keys added to config.json or adapter_config.json. A label that the model came with is kept without being named.
  Json extra = Json::object();
  std::string model_card;    // README.md; empty: a labelled model gets the card of gen/card.h, others none
  bool allow_empty = false;  // save_adapter: an adapter that changes nothing is no error
};

// A Hugging Face folder: config.json, generation_config.json, model*.safetensors, tokenizer.json,
// tokenizer_config.json, chat_template.jinja. An adapter is merged in (merge_lora first
// to keep the merged weights in memory).
void save_hf_folder(LocalModel& model, const std::filesystem::path& folder, const SaveOptions& options = {});

// Bytes that save_hf_folder and save_adapter write, roughly and not too few.
std::uintmax_t saved_bytes(const LocalModel& model, const SaveOptions& options);
std::uintmax_t saved_adapter_bytes(const LocalModel& model);

// The adapter alone, with the tokenizer and the template. Error(usage) when the model has none.
void save_adapter(LocalModel& model, const std::filesystem::path& folder, const SaveOptions& options = {});

// All that save_adapter, for a model with an adapter, or save_hf_folder writes but the weights: for checkpoints of
// a training, which hold them already. `options.dtype` is those weights' type.
void save_beside_weights(const LocalModel& model, const std::filesystem::path& folder, const SaveOptions& options = {});

// One GGUF file; `format` is f32, f16, bf16 or q8_0 (what q8_0 cannot hold stays f32 or f16).
void save_gguf(LocalModel& model, const std::filesystem::path& file, io::TensorFormat format,
               const SaveOptions& options = {});

// Adds the adapter's change to the weights, in float32, and drops the adapter.
void merge_lora(LocalModel& model);

}  // namespace reveille::gen
