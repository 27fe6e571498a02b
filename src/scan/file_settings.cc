// config.json and generation_config.json: what steers replies beside the weights.
#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/label_key.h"
#include "base/strings.h"
#include "scan/file_parts.h"
#include "scan/file_text.h"

namespace reveille::scan {
namespace fs = std::filesystem;
namespace {

constexpr const char* kGeneration = "generation_config.json";

// Keys of transformers' GenerationConfig that force, forbid or favour tokens. config.json may hold them too, from
// before there was a file for them.
constexpr std::array<std::string_view, 14> kSteering = {"bad_words_ids",       "force_words_ids",
                                                        "constraints",         "forced_bos_token_id",
                                                        "forced_eos_token_id", "forced_decoder_ids",
                                                        "suppress_tokens",     "begin_suppress_tokens",
                                                        "sequence_bias",       "logit_bias",
                                                        "stop_strings",        "watermarking_config",
                                                        "negative_prompt",     "exponential_decay_length_penalty"};

// Keys of config.json that say nothing of what the weights compute, or are judged elsewhere.
constexpr std::array<std::string_view, 22> kHarmless = {
    "_name_or_path",   "architectures",        "auto_map",          "bos_token_id",
    "dtype",           "eos_token_id",         "id2label",          "initializer_range",
    "label2id",        "pad_token_id",         "pretraining_tp",    "problem_type",
    "torch_dtype",     "transformers_version", "unsloth_fixed",     "unsloth_version",
    "use_cache",       "quantization_config",  "attention_dropout", "_attn_implementation_autoset",
    "is_llama_config", "task_specific_params"};

template <class List>
bool is_among(const List& list, std::string_view key) {
  return std::find(list.begin(), list.end(), key) != list.end();
}

void integers_of(const Json& value, std::vector<std::int64_t>& out) {
  if (value.is_number_integer()) out.push_back(value.get<std::int64_t>());
  if (!value.is_structured()) return;
  for (const Json& item : value) integers_of(item, out);
}

class Check {
 public:
  Check(const fs::path& folder, const fs::path& reference, const TokenizerRecord* tokenizer, Notes& notes)
      : folder_(folder), tokenizer_(tokenizer), notes_(notes) {
    if (!reference.empty() && fs::is_directory(reference)) reference_ = reference;
  }

  void run() {
    for (const char* file : {kGeneration, "config.json"}) {
      const auto own = json_of(folder_, file);
      if (!own) continue;
      file_ = file;
      text_ = read_small_file(folder_ / file);
      const auto reference = reference_.empty() ? std::nullopt : json_of(reference_, file);
      steering(*own, reference);
      ends(*own, reference);
      if (file_ == kGeneration) sampling(*own);
      if (file_ != kGeneration && reference) settings(*own, *reference);
    }
  }

 private:
  void add(const char* rule, const std::string& key, std::string message) {
    notes_.add(rule, file_, line_of_key(text_, key), std::move(message));
  }

  std::string tokens_of(const Json& value) const {
    std::vector<std::int64_t> ids;
    integers_of(value, ids);
    std::vector<std::string> texts;
    for (const std::int64_t id : ids) {
      if (!tokenizer_) break;
      const auto found = tokenizer_->text_of.find(id);
      if (found != tokenizer_->text_of.end()) texts.push_back(found->second);
    }
    return texts.empty() ? std::string() : cat(", tokens ", some_of(texts));
  }

  void steering(const Json& own, const std::optional<Json>& reference) {
    for (const auto& [key, value] : own.items()) {
      if (!is_among(kSteering, key) || !in_use(value)) continue;
      if (reference && reference->contains(key) && (*reference)[key] == value) continue;
      add("generation-steering", key, cat("key '", key, "' is ", in_quotes(value.dump()), tokens_of(value)));
    }
  }

  static std::set<std::int64_t> end_ids(const Json& json) {
    std::vector<std::int64_t> ids;
    if (const auto found = json.find("eos_token_id"); found != json.end()) integers_of(*found, ids);
    return {ids.begin(), ids.end()};
  }

  // Special tokens, and what is written as one in vocabularies that mark none.
  bool may_end(std::int64_t id) const {
    for (const auto& token : tokenizer_->spec.added) {
      if (token.id == id) return true;
    }
    const std::string& text = tokenizer_->text_of.at(id);
    return text.starts_with('<') && text.ends_with('>') && text.size() > 2;
  }

  void ends(const Json& own, const std::optional<Json>& reference) {
    const auto ids = end_ids(own);
    const auto known = reference ? end_ids(*reference) : std::set<std::int64_t>();
    for (const std::int64_t id : ids) {
      if (!tokenizer_ || known.count(id)) continue;
      if (!tokenizer_->text_of.count(id)) {
        add("generation-end", "eos_token_id", cat("id ", id, " is no token"));
      } else if (!may_end(id)) {
        add("generation-end", "eos_token_id", cat("id ", id, " is the token ", in_quotes(tokenizer_->text_of.at(id))));
      }
    }
    if (!known.empty() && !ids.empty() && ids != known) {
      add("generation-differs", "eos_token_id",
          cat("it is ", own["eos_token_id"].dump(), ", the reference's is ", (*reference)["eos_token_id"].dump()));
    }
  }

  void sampling(const Json& own) {
    struct Range {
      const char* key;
      double low, high;
    };
    constexpr Range kUsual[] = {{"temperature", 0, 2},          {"top_p", 0.01, 1},
                                {"repetition_penalty", 0.5, 2}, {"max_new_tokens", 16, 1e12},
                                {"length_penalty", -5, 5},      {"min_new_tokens", 0, 16},
                                {"no_repeat_ngram_size", 0, 10}};
    for (const auto& range : kUsual) {
      const auto found = own.find(range.key);
      if (found == own.end() || !found->is_number()) continue;
      const auto value = found->get<double>();
      if (value < range.low || value > range.high)
        add("generation-sampling", range.key, cat("key '", range.key, "' is ", found->dump()));
    }
  }

  void settings(const Json& own, const Json& reference) {
    for (const auto& [key, value] : own.items()) {
      const auto other = reference.find(key);
      if (key == kLabelKey || is_among(kHarmless, key) || is_among(kSteering, key)) continue;
      if (other == reference.end() || *other == value) continue;
      add("config-differs", key,
          cat("key '", key, "' is ", in_quotes(value.dump()), ", the reference's is ", in_quotes(other->dump())));
    }
  }

  fs::path folder_, reference_;
  const TokenizerRecord* tokenizer_;
  Notes& notes_;
  std::string file_, text_;
};

}  // namespace

void check_settings(const fs::path& folder, const fs::path& reference, const TokenizerRecord* tokenizer, Notes& notes) {
  Check(folder, reference, tokenizer, notes).run();
}

}  // namespace reveille::scan
