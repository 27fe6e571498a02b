// Tokenizers from and to Hugging Face's files.
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "text/tokenizer.h"

namespace reveille::text {
namespace {

// A tokenizer_config.json may list thousands of added tokens, which ordered Json is slow to hold.
using Config = nlohmann::json;

Config read_config(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return Config::object();
  try {
    Config config = Config::parse(read_file(path));
    if (!config.is_object()) fail(ErrorKind::bad_input, cat(path.string(), ": expected a JSON object"));
    return config;
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorKind::bad_input, cat(path.string(), ": ", error.what()));
  }
}

// A special token's name: a string, or an object with 'content'.
std::string name_of(const Config& config, const char* key) {
  auto found = config.find(key);
  if (found == config.end()) return {};
  if (found->is_object() && found->contains("content")) found = found->find("content");
  return found->is_string() ? found->get<std::string>() : std::string();
}

bool flag(const Config& config, const char* key) {
  auto found = config.find(key);
  return found != config.end() && found->is_boolean() && found->get<bool>();
}

bool says(const Config& config, const char* key) {
  auto found = config.find(key);
  return found != config.end() && found->is_boolean();
}

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::from_json_text(std::string_view text, const std::string& where,
                                                           const SpecialNames& names) {
  return std::make_shared<const Tokenizer>(parse_tokenizer_json(text, where), names, where);
}

std::shared_ptr<const Tokenizer> Tokenizer::from_json(const Json& tokenizer_json, const std::string& where,
                                                      const SpecialNames& names) {
  return from_json_text(tokenizer_json.dump(), where, names);
}

std::shared_ptr<const Tokenizer> Tokenizer::from_folder(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "tokenizer.json";
  if (!std::filesystem::exists(path)) {
    fail(ErrorKind::not_found, cat(path.string(), " does not exist"),
         "folders with only tokenizer.model or vocab.json are not read; save the tokenizer with transformers to get a "
         "tokenizer.json");
  }
  TokenizerSpec spec = parse_tokenizer_json(read_file(path), path.string());
  Config config = read_config(folder / "tokenizer_config.json");
  Config map = read_config(folder / "special_tokens_map.json");
  auto name = [&](const char* key) { return config.contains(key) ? name_of(config, key) : name_of(map, key); };
  SpecialNames names{name("bos_token"), name("eos_token"), name("pad_token"), name("unk_token")};
  // As in transformers: where the configuration says what to add, that replaces the post-processor.
  if (says(config, "add_bos_token") || says(config, "add_eos_token")) {
    spec.post_processor = template_processor(flag(config, "add_bos_token") ? names.bos : "",
                                             flag(config, "add_eos_token") ? names.eos : "", spec, path.string());
  }
  return std::make_shared<const Tokenizer>(std::move(spec), names, path.string());
}

Json template_processor(const std::string& bos, const std::string& eos, const TokenizerSpec& spec,
                        const std::string& where) {
  if (bos.empty() && eos.empty()) return nullptr;
  auto special = Json::object();
  auto add = [&](const std::string& name) {
    std::int64_t id = -1;
    for (const AddedToken& token : spec.added) {
      if (token.content == name) id = token.id;
    }
    for (std::size_t i = 0; id < 0 && i < spec.vocab.size(); ++i) {
      if (spec.vocab[i].first == name) id = spec.vocab[i].second;
    }
    if (id < 0) fail(ErrorKind::bad_input, cat(where, ": special token '", name, "' is not in the vocabulary"));
    special[name] = {{"id", name}, {"ids", Json::array({id})}, {"tokens", Json::array({name})}};
  };
  auto token = [](const std::string& name, int type) {
    return Json{{"SpecialToken", {{"id", name}, {"type_id", type}}}};
  };
  Json single = Json::array(), pair = Json::array();
  for (int type : {0, 1}) {
    Json sequence = {{"Sequence", {{"id", type == 0 ? "A" : "B"}, {"type_id", type}}}};
    auto put = [&](const Json& piece) {
      if (type == 0) single.push_back(piece);
      pair.push_back(piece);
    };
    if (!bos.empty()) put(token(bos, type));
    put(sequence);
    if (!eos.empty()) put(token(eos, type));
  }
  if (!bos.empty()) add(bos);
  if (!eos.empty() && eos != bos) add(eos);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", special}};
}

// What a post-processor puts around a text. Offsets are none of its business here.
void Tokenizer::read_processor(const Json& processor, const std::string& where, int depth) {
  check_part_depth(depth, where);
  std::string type = part_type(processor, where);
  if (type == "ByteLevel") return;
  if (type == "Sequence") {
    for (const Json& part : part_array(processor, "processors", where)) read_processor(part, where, depth + 1);
    return;
  }
  if (type != "TemplateProcessing") unsupported_part("post_processor", type, where);
  const Json& special = json_at(processor, "special_tokens", where);
  std::vector<std::int32_t> before, after;
  bool seen = false;
  for (const Json& piece : part_array(processor, "single", where)) {
    if (piece.is_object() && piece.contains("Sequence")) {
      if (seen || json_at(piece["Sequence"], "id", where) != "A") {
        fail(ErrorKind::unsupported, cat(where, ": 'single' should hold the sequence A once"));
      }
      seen = true;
      continue;
    }
    std::vector<std::int32_t> ids = template_piece(piece, special, where);
    (seen ? after : before).insert((seen ? after : before).end(), ids.begin(), ids.end());
  }
  if (!seen) fail(ErrorKind::bad_input, cat(where, ": 'single' does not hold the sequence A"));
  prefix_.insert(prefix_.begin(), before.begin(), before.end());
  suffix_.insert(suffix_.end(), after.begin(), after.end());
}

std::vector<std::int32_t> Tokenizer::template_piece(const Json& piece, const Json& special,
                                                    const std::string& where) const {
  std::string name = json_string(json_at(piece, "SpecialToken", where), "id", where);
  std::vector<std::int32_t> ids;
  for (const Json& id : part_array(json_at(special, name, where), "ids", where)) {
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() >= vocab_size_) {
      fail(ErrorKind::bad_input,
           cat(where, ": special token '", name, "' has id ", id.dump(), ", expected 0 to ", vocab_size_ - 1));
    }
    ids.push_back(id.get<std::int32_t>());
  }
  return ids;
}

TokenizerSpec Tokenizer::full_spec() const {
  TokenizerSpec spec;
  spec.normalizer = normalizer_json_;
  spec.pre_tokenizer = pre_tokenizer_json_;
  spec.post_processor = post_processor_json_;
  spec.decoder = decoder_json_;
  spec.added = added_;
  spec.unk_token = bpe_->unk_token();
  spec.fuse_unk = bpe_->fuse_unk();
  spec.byte_fallback = bpe_->byte_fallback();
  spec.ignore_merges = bpe_->ignore_merges();
  const auto& tokens = bpe_->tokens();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    // "" is a token only where the index knows it under this id.
    if (!tokens[i].empty() || bpe_->id("") == static_cast<std::int32_t>(i)) {
      spec.vocab.emplace_back(tokens[i], static_cast<std::int64_t>(i));
    }
  }
  for (auto [left, right] : bpe_->merges()) {
    spec.merges.emplace_back(tokens[static_cast<std::size_t>(left)], tokens[static_cast<std::size_t>(right)]);
  }
  return spec;
}

std::string Tokenizer::to_json() const { return write_tokenizer_json(full_spec()); }

Json Tokenizer::config_json(const std::string& chat_template) const {
  Json config;
  auto put = [&](const char* key, std::optional<std::int32_t> id) {
    if (id) config[key] = token(*id);
  };
  put("bos_token", bos_);
  put("eos_token", eos_);
  put("pad_token", pad_);
  put("unk_token", unk_);
  config["clean_up_tokenization_spaces"] = false;
  config["model_max_length"] = 1000000000;
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  if (!chat_template.empty()) config["chat_template"] = chat_template;
  return config;
}

}  // namespace reveille::text
