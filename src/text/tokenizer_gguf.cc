// Tokenizers from and to GGUF metadata.
#include "text/tokenizer_gguf.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/strings.h"
#include "text/spm.h"
#include "text/tokenizer.h"

namespace reveille::text {
namespace {

void check_vocab(const GgufVocab& vocab, const std::string& where) {
  const std::size_t count = vocab.tokens.size();
  if (count == 0) fail(ErrorKind::bad_input, cat(where, ": tokenizer.ggml.tokens is missing or empty"));
  auto same = [&](std::size_t size, const char* key) {
    if (size != 0 && size != count) {
      fail(ErrorKind::bad_input, cat(where, ": ", key, " has ", size, " entries, tokenizer.ggml.tokens has ", count));
    }
  };
  same(vocab.scores.size(), "tokenizer.ggml.scores");
  same(vocab.token_types.size(), "tokenizer.ggml.token_type");
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_utf8(vocab.tokens[i])) fail(ErrorKind::bad_input, cat(where, ": token ", i, " is not valid UTF-8"));
  }
  auto in_range = [&](std::optional<std::int32_t> id, const char* key) {
    if (id && (*id < 0 || static_cast<std::size_t>(*id) >= count)) {
      fail(ErrorKind::bad_input, cat(where, ": ", key, " is ", *id, ", expected 0 to ", count - 1));
    }
  };
  in_range(vocab.bos, "tokenizer.ggml.bos_token_id");
  in_range(vocab.eos, "tokenizer.ggml.eos_token_id");
  in_range(vocab.pad, "tokenizer.ggml.padding_token_id");
  in_range(vocab.unk, "tokenizer.ggml.unknown_token_id");
}

void read_merges(const GgufVocab& vocab, TokenizerSpec& spec, const std::string& where) {
  spec.merges.reserve(vocab.merges.size());
  for (const std::string& merge : vocab.merges) {
    std::size_t space = merge.find(' ', 1);
    if (space == std::string::npos || !is_utf8(merge)) {
      fail(ErrorKind::bad_input, cat(where, ": tokenizer.ggml.merges[", spec.merges.size(), "] is '",
                                     repair_utf8(merge), "', expected two parts with a space between"));
    }
    spec.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
}

std::int32_t type_of(const GgufVocab& vocab, std::size_t id) {
  if (!vocab.token_types.empty()) return vocab.token_types[id];
  // Without types, at least the tokens that have a part to play are control tokens.
  auto number = static_cast<std::int32_t>(id);
  return vocab.bos == number || vocab.eos == number || vocab.pad == number ? kGgufControl : kGgufNormal;
}

// Converters fill the list up to the rows of the embedding with unused tokens [PADn]; no text becomes one of those.
std::size_t tokens_without_padding(const GgufVocab& vocab) {
  std::size_t count = vocab.tokens.size();
  auto pads = [&](std::size_t id) {
    auto number = static_cast<std::int32_t>(id);
    return vocab.tokens[id].starts_with("[PAD") && type_of(vocab, id) == kGgufUnused && vocab.bos != number &&
           vocab.eos != number && vocab.pad != number && vocab.unk != number;
  };
  while (count > 1 && pads(count - 1)) --count;
  return count;
}

void read_added(const GgufVocab& vocab, TokenizerSpec& spec) {
  for (const auto& [text, id] : spec.vocab) {
    std::int32_t type = type_of(vocab, static_cast<std::size_t>(id));
    bool special = type == kGgufControl || type == kGgufUnknown;
    if (!special && type != kGgufUserDefined) continue;
    AddedToken token;
    token.id = id;
    token.content = text;
    token.special = special;
    if (!text.empty()) spec.added.push_back(token);
  }
}

Json replace_spaces() { return {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}}; }

// SentencePiece as Llama 2 and Gemma have it in their tokenizer.json.
void sentencepiece_parts(bool prefix_space, TokenizerSpec& spec) {
  if (prefix_space) {
    spec.normalizer = {
        {"type", "Sequence"},
        {"normalizers", Json::array({Json{{"type", "Prepend"}, {"prepend", "\u2581"}}, replace_spaces()})}};
  } else {
    spec.normalizer = replace_spaces();
  }
  Json parts = Json::array({Json{{"type", "Replace"}, {"pattern", {{"String", "\u2581"}}}, {"content", " "}},
                            Json{{"type", "ByteFallback"}}, Json{{"type", "Fuse"}}});
  if (prefix_space) parts.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  spec.decoder = {{"type", "Sequence"}, {"decoders", parts}};
}

void read_sentencepiece(const GgufVocab& vocab, TokenizerSpec& spec, const std::string& where) {
  bool gemma = vocab.architecture.starts_with("gemma") || vocab.model == "gemma4";
  // Runs of spaces are stored as such, but the vocabulary knows them as signs.
  for (auto& [token, id] : spec.vocab) {
    if (token.find(' ') != std::string::npos && trim(token).empty()) token = replace_all(token, " ", "\u2581");
  }
  sentencepiece_parts(vocab.add_space_prefix.value_or(!gemma), spec);
  spec.byte_fallback =
      std::any_of(spec.vocab.begin(), spec.vocab.end(), [](const auto& entry) { return entry.first == "<0x00>"; });
  spec.fuse_unk = true;
  if (vocab.unk) spec.unk_token = spec.vocab[static_cast<std::size_t>(*vocab.unk)].first;
  if (!vocab.merges.empty()) return read_merges(vocab, spec, where);
  if (vocab.scores.empty() && !gemma)
    fail(ErrorKind::bad_input, cat(where, ": neither tokenizer.ggml.merges nor tokenizer.ggml.scores"));
  std::vector<SpmPiece> pieces;
  for (const auto& [token, id] : spec.vocab) {
    auto number = static_cast<std::size_t>(id);
    std::int32_t type = type_of(vocab, number);
    bool mergeable = type == kGgufNormal || type == kGgufUserDefined;
    // Gemma's scores do not follow the order of its merges. Its user-defined tokens come first, the
    // others in the order of their ids.
    double order = type == kGgufUserDefined ? 1 : -static_cast<double>(id);
    pieces.push_back({token, gemma ? order : vocab.scores[number], mergeable});
  }
  spec.merges = spm_merges(pieces);
}

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::from_gguf(const GgufVocab& vocab, const std::string& where) {
  check_vocab(vocab, where);
  TokenizerSpec spec;
  for (std::size_t i = 0; i < tokens_without_padding(vocab); ++i)
    spec.vocab.emplace_back(vocab.tokens[i], static_cast<std::int64_t>(i));
  bool sentencepiece = vocab.model == "llama" || vocab.model == "gemma4";
  if (vocab.model == "gpt2") {
    // Files from before pre-tokenizers had names are trusted only where there is no choice.
    std::string pre = vocab.pre.empty() && vocab.architecture == "gpt2" ? "gpt-2" : vocab.pre;
    PreSettings settings = settings_of_pre(pre, where);
    spec.normalizer = settings.normalizer;
    spec.pre_tokenizer = settings.pre_tokenizer;
    spec.ignore_merges = settings.ignore_merges;
    spec.decoder = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
    read_merges(vocab, spec, where);
  } else if (sentencepiece) {
    read_sentencepiece(vocab, spec, where);
  } else {
    fail(ErrorKind::unsupported,
         cat(where, ": tokenizer.ggml.model is '", vocab.model, "'; gpt2, llama and gemma4 are supported"));
  }
  read_added(vocab, spec);
  auto name = [&](std::optional<std::int32_t> id) {
    return id ? spec.vocab[static_cast<std::size_t>(*id)].first : std::string();
  };
  SpecialNames names{name(vocab.bos), name(vocab.eos), name(vocab.pad), name(vocab.unk)};
  // llama.cpp's defaults: SentencePiece vocabularies begin with <bos> unless they say otherwise.
  bool add_bos = vocab.add_bos.value_or(vocab.model == "llama");
  spec.post_processor =
      template_processor(add_bos ? names.bos : "", vocab.add_eos.value_or(false) ? names.eos : "", spec, where);
  return std::make_shared<const Tokenizer>(std::move(spec), names, where);
}

namespace {

void put_special_ids(const Tokenizer& tokenizer, GgufVocab& out) {
  out.bos = tokenizer.bos_id();
  out.eos = tokenizer.eos_id();
  out.pad = tokenizer.pad_id();
  out.unk = tokenizer.unk_id();
  out.add_bos = tokenizer.adds_bos();
  out.add_eos = tokenizer.adds_eos();
}

// Whether the first thing that happens to a text is a space sign in front of it.
bool prefixes_space(const Json& normalizer, const Json& pre_tokenizer) {
  auto prepends = [](const Json& part) { return part.is_object() && part.value("type", "") == "Prepend"; };
  if (prepends(normalizer)) return true;
  if (normalizer.is_object() && normalizer.contains("normalizers")) {
    const Json& parts = normalizer["normalizers"];
    if (std::any_of(parts.begin(), parts.end(), prepends)) return true;
  }
  return pre_tokenizer.is_object() && pre_tokenizer.value("type", "") == "Metaspace" &&
         pre_tokenizer.value("prepend_scheme", "always") != "never";
}

}  // namespace

GgufVocab Tokenizer::to_gguf_vocab() const {
  GgufVocab out;
  bool bytes = pre_tokenizer_ && pre_tokenizer_->byte_level();
  out.model = bytes ? "gpt2" : "llama";
  if (bytes) out.pre = pre_of_settings(pre_tokenizer_json_);
  if (bytes && out.pre.empty()) {
    fail(ErrorKind::unsupported,
         "GGUF has no name for this tokenizer's pre-tokenizer, so it cannot be written to GGUF");
  }
  for (std::int32_t id = 0; id < vocab_size_; ++id) {
    const std::string& text = token(id);
    bool byte = !bytes && bpe_->byte_fallback() && text.size() == 6 && text.starts_with("<0x");
    std::int32_t type = id == unk_ && is_special(id) ? kGgufUnknown
                        : is_special(id)             ? kGgufControl
                        : is_added(id)               ? kGgufUserDefined
                        : text.empty()               ? kGgufUnused
                        : byte                       ? kGgufByte
                                                     : kGgufNormal;
    out.tokens.push_back(type == kGgufUnused ? cat("[PAD", id, "]") : text);
    out.token_types.push_back(type);
  }
  // Byte-level vocabularies have no unknown characters; the token that is named so is a control token.
  if (bytes && unk_ && is_special(*unk_)) out.token_types[static_cast<std::size_t>(*unk_)] = kGgufControl;
  const auto& tokens = bpe_->tokens();
  if (bytes) {
    for (auto [left, right] : bpe_->merges()) {
      out.merges.push_back(tokens[static_cast<std::size_t>(left)] + " " + tokens[static_cast<std::size_t>(right)]);
    }
  } else {
    // Scores that put merged tokens in the order of their first merge.
    out.scores.assign(out.tokens.size(), 0);
    float next = 0;
    for (auto [left, right] : bpe_->merges()) {
      auto merged = bpe_->id(tokens[static_cast<std::size_t>(left)] + tokens[static_cast<std::size_t>(right)]);
      float& score = out.scores[static_cast<std::size_t>(*merged)];
      if (score == 0) score = --next;
    }
    for (float& score : out.scores) score = score == 0 ? next - 1 : score;
    out.add_space_prefix = prefixes_space(normalizer_json_, pre_tokenizer_json_);
  }
  put_special_ids(*this, out);
  return out;
}

}  // namespace reveille::text
