#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/strings.h"
#include "io/pattern.h"
#include "io/peft.h"

namespace reveille::io {
namespace {

constexpr std::int64_t kMaxRank = 1 << 20;

// Null, false, and an empty list or object all mean that a setting is not in use.
bool in_use(const Json& config, const std::string& key) {
  auto found = config.find(key);
  if (found == config.end() || found->is_null() || *found == false) return false;
  return !((found->is_structured() || found->is_string()) && found->empty());
}

void refuse_unsupported(const Json& config, const std::string& where) {
  std::string type = json_string(config, "peft_type", where);
  if (type != "LORA") {
    fail(ErrorKind::unsupported, cat(where, ": key 'peft_type' is '", type, "', expected 'LORA'"));
  }
  if (in_use(config, "modules_to_save")) {
    fail(ErrorKind::unsupported,
         cat(where, ": key 'modules_to_save' is ", config["modules_to_save"].dump(),
             ": the adapter replaces whole layers, which Reveille does not read from adapters"),
         "merge it into its base (merge_and_unload of peft) and use the merged model");
  }
  if (in_use(config, "bias") && config["bias"] != "none") {
    fail(ErrorKind::unsupported, cat(where, ": key 'bias' is ", config["bias"].dump(), ", expected \"none\""));
  }
  // Each of these changes what the adapter computes, or where.
  constexpr std::array<const char*, 13> kUnsupported = {"use_dora",
                                                        "use_qalora",
                                                        "lora_bias",
                                                        "trainable_token_indices",
                                                        "target_parameters",
                                                        "layer_replication",
                                                        "alora_invocation_tokens",
                                                        "use_bdlora",
                                                        "arrow_config",
                                                        "kasa_config",
                                                        "velora_config",
                                                        "monteclora_config",
                                                        "megatron_config"};
  for (const char* key : kUnsupported) {
    if (!in_use(config, key)) continue;
    fail(ErrorKind::unsupported,
         cat(where, ": key '", key, "' is ", config[key].dump(), ", which Reveille does not support"),
         "merge the adapter into its base (merge_and_unload of peft) and use the merged model");
  }
}

double number_at(const Json& config, const std::string& key, double otherwise, const std::string& where) {
  auto found = config.find(key);
  if (found == config.end() || found->is_null()) return otherwise;
  if (!found->is_number()) {
    fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be a number, found ", found->dump()));
  }
  return found->get<double>();
}

std::int64_t rank_from(const Json& value, const std::string& key, const std::string& where) {
  if (value.is_number_integer()) {
    auto rank = value.is_number_unsigned() ? static_cast<std::int64_t>(std::min<std::uint64_t>(
                                                 value.get<std::uint64_t>(), static_cast<std::uint64_t>(kMaxRank) + 1))
                                           : value.get<std::int64_t>();
    if (rank >= 1 && rank <= kMaxRank) return rank;
  }
  fail(ErrorKind::bad_input,
       cat(where, ": key '", key, "' should be a rank from 1 to ", kMaxRank, ", found ", value.dump()));
}

void parse_targets(PeftConfig& out, const Json& config, const std::string& where) {
  const Json& targets = json_at(config, "target_modules", where);
  if (targets.is_string()) {
    auto text = targets.get<std::string>();
    std::string lower = lower_ascii(text);
    (lower == "all-linear") ? void(out.all_linear = true) : void(out.target_pattern = text);
    if (!out.all_linear) Pattern(text, where);  // an invalid one is an error now and not later
    return;
  }
  bool good = targets.is_array() && !targets.empty();
  for (const Json& target : targets) good = good && target.is_string();
  if (!good) {
    fail(ErrorKind::bad_input,
         cat(where, ": key 'target_modules' should be a list of names, a regular expression or \"all-linear\", found ",
             targets.dump()));
  }
  for (const Json& target : targets) out.target_modules.push_back(target.get<std::string>());
}

void parse_patterns(PeftConfig& out, const Json& config, const std::string& where) {
  for (const char* key : {"rank_pattern", "alpha_pattern"}) {
    if (!in_use(config, key)) continue;
    const Json& patterns = config[key];
    if (!patterns.is_object()) fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be an object"));
    bool rank = std::string_view(key) == "rank_pattern";
    for (const auto& [pattern, value] : patterns.items()) {
      std::string name = cat(key, ".", pattern);
      [[maybe_unused]] const Pattern readable(pattern, where);
      if (rank) {
        out.rank_pattern.emplace_back(pattern, rank_from(value, name, where));
      } else {
        out.alpha_pattern.emplace_back(pattern, number_at(patterns, pattern, 0, cat(where, ": ", key)));
      }
    }
  }
}

// peft: re.match(rf"(.*\.)?({key})$", module), and the first key that fits.
template <class Value>
Value pattern_value(const std::vector<std::pair<std::string, Value>>& patterns, const std::string& module,
                    Value otherwise) {
  for (const auto& [pattern, value] : patterns) {
    if (Pattern(cat("(.*\\.)?(", pattern, ")"), "adapter_config.json").fits(module)) return value;
  }
  return otherwise;
}

}  // namespace

std::int64_t PeftConfig::rank_of(const std::string& module) const { return pattern_value(rank_pattern, module, r); }

double PeftConfig::alpha_of(const std::string& module) const {
  return pattern_value(alpha_pattern, module, lora_alpha);
}

double PeftConfig::scaling_of(const std::string& module) const {
  auto rank = static_cast<double>(rank_of(module));
  return alpha_of(module) / (use_rslora ? std::sqrt(rank) : rank);
}

bool PeftConfig::targets(const std::string& module) const {
  if (all_linear) return true;
  if (!target_pattern.empty()) return Pattern(target_pattern, "adapter_config.json").fits(module);
  return std::any_of(target_modules.begin(), target_modules.end(),
                     [&](const std::string& target) { return module == target || module.ends_with("." + target); });
}

PeftConfig parse_peft_config(const Json& config, const std::string& where) {
  if (!config.is_object()) fail(ErrorKind::bad_input, cat(where, ": expected an object, found ", config.type_name()));
  refuse_unsupported(config, where);
  PeftConfig out;
  if (in_use(config, "base_model_name_or_path")) out.base_model = json_string(config, "base_model_name_or_path", where);
  out.task_type = in_use(config, "task_type") ? json_string(config, "task_type", where) : "";
  out.r = rank_from(json_at(config, "r", where), "r", where);
  out.lora_alpha = number_at(config, "lora_alpha", out.lora_alpha, where);
  out.lora_dropout = number_at(config, "lora_dropout", 0, where);
  out.use_rslora = in_use(config, "use_rslora");
  out.fan_in_fan_out = in_use(config, "fan_in_fan_out");
  parse_targets(out, config, where);
  parse_patterns(out, config, where);
  return out;
}

Json peft_config_json(const PeftConfig& config, const Json& extra) {
  auto or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  Json ranks = Json::object(), alphas = Json::object();
  for (const auto& [pattern, rank] : config.rank_pattern) ranks[pattern] = rank;
  for (const auto& [pattern, alpha] : config.alpha_pattern) alphas[pattern] = alpha;
  Json targets = config.target_modules;
  if (!config.target_pattern.empty()) targets = config.target_pattern;
  if (config.all_linear) targets = "all-linear";
  // peft writes whole alphas as integers; so do we.
  bool whole = config.lora_alpha == std::floor(config.lora_alpha) && std::fabs(config.lora_alpha) < 1e15;
  Json json = {{"alpha_pattern", alphas},
               {"base_model_name_or_path", or_null(config.base_model)},
               {"bias", "none"},
               {"fan_in_fan_out", config.fan_in_fan_out},
               {"inference_mode", true},
               {"init_lora_weights", true},
               {"lora_alpha", whole ? Json(static_cast<std::int64_t>(config.lora_alpha)) : Json(config.lora_alpha)},
               {"lora_dropout", config.lora_dropout},
               {"modules_to_save", nullptr},
               {"peft_type", "LORA"},
               {"r", config.r},
               {"rank_pattern", ranks},
               {"target_modules", targets},
               {"task_type", or_null(config.task_type)},
               {"use_dora", false},
               {"use_rslora", config.use_rslora}};
  if (extra.is_object()) json.update(extra);
  return json;
}

}  // namespace reveille::io
