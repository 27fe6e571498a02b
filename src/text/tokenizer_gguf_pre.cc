#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/strings.h"
#include "text/pretokenizer_pattern.h"
#include "text/tokenizer_gguf.h"

namespace reveille::text {
namespace {

const char* const kGpt4oExpression =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const char* const kTekkenExpression =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// One way of cutting text, and the names that files give to it; the first is the one we write.
struct Family {
  const char* names;
  const char* expression;  // null: GPT-2's, as part of ByteLevel
  bool digits;             // each digit alone, before the expression
  bool nfc;
  bool ignore_merges;
};

const std::array<Family, 6> kFamilies = {{
    {"gpt-2 gpt2 phi-2 olmo mpt jais", nullptr, false, false, false},
    {"smollm starcoder refact command-r codeshell", nullptr, true, false, false},
    {"llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 dbrx smaug-bpe", kLlama3Expression, false,
     false, true},
    {"qwen2 deepseek-r1-qwen megrez stablelm2", kQwen2Expression, false, true, false},
    {"gpt-4o llama4", kGpt4oExpression, false, false, false},
    {"tekken", kTekkenExpression, false, false, true},
}};

Json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

Json pre_tokenizer_of(const Family& family) {
  if (!family.expression && !family.digits) return byte_level(true);
  Json parts = Json::array();
  if (family.digits) parts.push_back({{"type", "Digits"}, {"individual_digits", true}});
  if (family.expression) {
    parts.push_back(
        {{"type", "Split"}, {"pattern", {{"Regex", family.expression}}}, {"behavior", "Isolated"}, {"invert", false}});
  }
  parts.push_back(byte_level(!family.expression));
  return {{"type", "Sequence"}, {"pretokenizers", parts}};
}

// A pre-tokenizer without the settings that leave ids alone.
Json essence(const Json& value) {
  if (!value.is_object() || !value.contains("type")) return value;
  if (value["type"] == "Sequence" && value.contains("pretokenizers") && value["pretokenizers"].is_array()) {
    Json parts = Json::array();
    for (const Json& part : value["pretokenizers"]) parts.push_back(essence(part));
    return parts.size() == 1 ? parts[0] : parts;
  }
  Json out = Json::array({value["type"]});
  for (const char* key : {"pattern", "behavior", "invert", "individual_digits"})
    out.push_back(value.value(key, Json()));
  if (value["type"] == "ByteLevel") {
    out.push_back(value.value("add_prefix_space", Json(false)));
    out.push_back(value.value("use_regex", Json(true)));
  }
  // What a pattern that covers everything leaves out is nothing: both spellings are in use.
  if (out[2] == "Removed" && out[3] == true) out[2] = "Isolated", out[3] = false;
  return out;
}

}  // namespace

PreSettings settings_of_pre(const std::string& pre, const std::string& where) {
  std::vector<std::string> known;
  for (const Family& family : kFamilies) {
    std::vector<std::string> names = split(family.names, " ");
    if (std::find(names.begin(), names.end(), pre) != names.end()) {
      return {family.nfc ? Json{{"type", "NFC"}} : Json(), pre_tokenizer_of(family), family.ignore_merges};
    }
    known.insert(known.end(), names.begin(), names.end());
  }
  fail(ErrorKind::unsupported,
       cat(where, ": tokenizer.ggml.pre is '", pre, "', which names no pre-tokenizer that is known here",
           did_you_mean(pre, known)),
       cat("known: ", join(known, ", "), "; a Hugging Face folder of the model carries its tokenizer.json instead"));
}

std::string pre_of_settings(const Json& pre_tokenizer) {
  for (const Family& family : kFamilies) {
    if (essence(pre_tokenizer) == essence(pre_tokenizer_of(family))) return split(family.names, " ").front();
  }
  return {};
}

}  // namespace reveille::text
