// What GGUF metadata says of a configuration, and what it cannot say. Keys: gguf/constants.py of llama.cpp; which of
// them count for an architecture: its convert_hf_to_gguf.py and its model loader.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "nn/architecture.h"
#include "nn/rope.h"

namespace reveille::nn {
namespace {

[[noreturn]] void no_place(const ModelConfig& c, const std::string& what) {
  fail(ErrorKind::unsupported, cat("GGUF has no place for ", what, " in a model of architecture ", c.architecture),
       "a GGUF file would compute something else: write a Hugging Face folder instead (--to bf16)");
}

// The period in which every last layer sees all tokens and the others a window; 6 where that fits, 1 for no windows.
std::int64_t window_period(const ModelConfig& c) {
  auto fits = [&](std::int64_t period) {
    for (std::int64_t i = 0; i < c.layers; ++i) {
      bool full = c.layer_window[static_cast<std::size_t>(i)] == 0;
      if (full != ((i + 1) % period == 0)) return false;
    }
    return true;
  };
  if (fits(6)) return 6;
  for (std::int64_t period = 1; period <= c.layers + 1; ++period) {
    if (fits(period)) return period;
  }
  no_place(c, "layer_types that do not repeat as 'sliding, ..., sliding, full'");
}

class Settings {
 public:
  explicit Settings(const ModelConfig& c) : c_(c) {}

  std::vector<std::pair<std::string, GgufSetting>> all() {
    whole("block_count", c_.layers);
    whole("context_length", c_.max_positions);
    whole("embedding_length", c_.hidden);
    whole("feed_forward_length", c_.intermediate);
    whole("attention.head_count", c_.heads);
    whole("vocab_size", c_.vocab_size);
    if (c_.architecture == "gpt2") {
      real("attention.layer_norm_epsilon", c_.norm_eps);
      return std::move(out_);
    }
    whole("attention.head_count_kv", c_.kv_heads);
    real("attention.layer_norm_rms_epsilon", c_.norm_eps);
    whole("attention.key_length", c_.head_dim);
    whole("attention.value_length", c_.head_dim);
    whole("rope.dimension_count", c_.head_dim);
    real("rope.freq_base", c_.rope.back().theta);
    if (c_.architecture == "gemma3") {
      gemma();
    } else {
      check_windows();
    }
    rope(c_.rope.back());
    if (c_.architecture == "qwen3" && c_.qkv_bias) no_place(c_, "attention_bias");
    return std::move(out_);
  }

 private:
  void whole(const char* key, std::int64_t value) { put(key, static_cast<std::uint32_t>(value)); }
  void real(const char* key, double value) { put(key, static_cast<float>(value)); }
  void put(const char* key, GgufSetting value) { out_.emplace_back(cat(c_.architecture, ".", key), std::move(value)); }

  // llama.cpp slides in none of these architectures.
  void check_windows() {
    for (auto window : c_.layer_window) {
      if (window > 0 && window < c_.max_positions) no_place(c_, cat("a sliding_window (", window, " tokens)"));
    }
  }

  void gemma() {
    const RopeConfig& local = c_.rope.front();
    if (local.type != "default") no_place(c_, cat("rope_parameters.sliding_attention of type '", local.type, "'"));
    const double scale = gemma3_gguf_attention_scale(c_);
    if (std::fabs(c_.attention_scale - scale) > 1e-6 * scale) {
      no_place(c_, cat("query_pre_attn_scalar ", 1 / (c_.attention_scale * c_.attention_scale), " (only for ",
                       1 / (scale * scale), ")"));
    }
    if (c_.final_softcap != 0) real("final_logit_softcapping", c_.final_softcap);
    const std::int64_t period = window_period(c_);
    if (period == 1) return;
    whole("attention.sliding_window", *std::max_element(c_.layer_window.begin(), c_.layer_window.end()));
    if (period != 6) whole("attention.sliding_window_pattern", period);
    real("rope.freq_base_swa", local.theta);
  }

  void rope(const RopeConfig& rope) {
    if (rope.type == "llama3" || !c_.rope_factors.empty()) {  // these stand in rope_freqs.weight
      if (c_.architecture != "llama") no_place(c_, "rope_type 'llama3' (rope_freqs.weight)");
      return;
    }
    if (rope.type == "default") return;
    put("rope.scaling.type", rope.type);
    real("rope.scaling.factor", rope.factor);
    if (rope.type != "yarn") return;
    RopeConfig derived = rope;
    derived.attention_factor = derived.mscale = derived.mscale_all_dim = 0;
    if (std::fabs(yarn_attention_factor(rope) - yarn_attention_factor(derived)) > 1e-6) {
      no_place(c_, "a yarn attention_factor (or mscale) other than the one that follows from the factor");
    }
    if (!rope.truncate) no_place(c_, "yarn with truncate false");
    // There are keys for these, but llama.cpp reads them in none of these architectures.
    if (rope.beta_fast != 32 || rope.beta_slow != 1) {
      no_place(c_, cat("yarn's beta_fast ", rope.beta_fast, " and beta_slow ", rope.beta_slow, " (only for 32 and 1)"));
    }
    whole("rope.scaling.original_context_length", std::llround(rope.original_max_position));
  }

  const ModelConfig& c_;
  std::vector<std::pair<std::string, GgufSetting>> out_;
};

}  // namespace

std::vector<std::pair<std::string, GgufSetting>> gguf_settings(const ModelConfig& c) { return Settings(c).all(); }

std::vector<double> gguf_rope_factors(const ModelConfig& c) {
  if (c.rope.empty() || c.rope.back().type != "llama3") return c.rope_factors;
  return llama3_factors(c.rope.back(), c.head_dim);
}

void take_rope_factors(ModelConfig& c, std::vector<double> factors, const std::string& where) {
  for (const auto& rope : c.rope) {
    if (rope.type != "default") {
      fail(ErrorKind::unsupported,
           cat(where, ": rope_freqs.weight together with rope.scaling.type '", rope.type, "' is not supported"));
    }
  }
  auto rule = c.architecture == "llama" ? rule_of_factors(factors, c.rope.front().theta, c.head_dim) : std::nullopt;
  if (rule) {
    c.rope.front() = *rule;
  } else {
    c.rope_factors = std::move(factors);
  }
}

void check_fits_hf(const ModelConfig& c) {
  if (!c.rope_factors.empty()) {
    fail(ErrorKind::unsupported,
         "rope_freqs.weight holds factors that no rope_scaling of a config.json gives: rope_type 'llama3' with any "
         "factor, low_freq_factor 1 and high_freq_factor 4 was tried",
         "write GGUF instead, or start from the Hugging Face folder that the GGUF file was made from");
  }
  if (c.architecture == "llama" && c.qkv_bias != c.out_bias) {
    fail(ErrorKind::unsupported,
         "attention_bias of a config.json means biases of q, k, v and o, and this model has only some of them",
         "write GGUF instead");
  }
}

}  // namespace reveille::nn
