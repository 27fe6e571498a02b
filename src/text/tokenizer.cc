#include "text/tokenizer.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/strings.h"
#include "text/unicode.h"

namespace reveille::text {

Tokenizer::Tokenizer(TokenizerSpec spec, const SpecialNames& names, const std::string& where)
    : normalizer_json_(std::move(spec.normalizer)),
      pre_tokenizer_json_(std::move(spec.pre_tokenizer)),
      post_processor_json_(std::move(spec.post_processor)),
      decoder_json_(std::move(spec.decoder)) {
  normalizer_ = make_normalizer(normalizer_json_, where);
  pre_tokenizer_ = make_pre_tokenizer(pre_tokenizer_json_, where);
  decoder_ = make_decoder(decoder_json_, where);
  std::vector<AddedToken> added = std::move(spec.added);
  bpe_.emplace(spec, pre_tokenizer_ && pre_tokenizer_->byte_level(), where);
  place_added(std::move(added), where);
  bos_ = named(names.bos, "bos_token", where);
  eos_ = named(names.eos, "eos_token", where);
  pad_ = named(names.pad, "pad_token", where);
  unk_ = id(!names.unk.empty() ? names.unk : bpe_->unk_token().value_or(""));
  if (!post_processor_json_.is_null()) read_processor(post_processor_json_, cat(where, ", post_processor"), 0);
}

// Added tokens take the id that their text has in the vocabulary, or the next free one; a file that
// says otherwise would be read differently by other programs.
void Tokenizer::place_added(std::vector<AddedToken> added, const std::string& where) {
  auto next = static_cast<std::int64_t>(bpe_->count());
  std::unordered_map<std::string, std::size_t> places;
  for (AddedToken& token : added) {
    if (token.content.empty()) continue;
    std::optional<std::int32_t> known = bpe_->id(token.content);
    auto place = places.find(token.content);
    std::int64_t id = known ? *known : place != places.end() ? added_[place->second].id : next++;
    bool taken = !known && id < static_cast<std::int64_t>(bpe_->tokens().size());
    if (id != token.id || taken) {
      fail(ErrorKind::bad_input,
           cat(where, ": added token '", token.content, "' says id ", token.id, ", but its place is ", id),
           "added tokens outside model.vocab must follow it without a gap");
    }
    if (place != places.end()) {
      added_[place->second] = std::move(token);
      continue;
    }
    places.emplace(token.content, added_.size());
    added_.push_back(std::move(token));
  }
  std::sort(added_.begin(), added_.end(), [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  vocab_size_ = static_cast<std::int32_t>(bpe_->tokens().size());
  if (!added_.empty()) vocab_size_ = std::max(vocab_size_, static_cast<std::int32_t>(added_.back().id + 1));
  added_of_id_.assign(static_cast<std::size_t>(vocab_size_), -1);
  std::vector<std::string> raw(added_.size()), normalized(added_.size());
  for (std::size_t i = 0; i < added_.size(); ++i) {
    added_of_id_[static_cast<std::size_t>(added_[i].id)] = static_cast<std::int32_t>(i);
    Traced text{added_[i].content, {}, 0, false};
    if (added_[i].normalized && normalizer_) normalizer_->apply(text);
    added_texts_.push_back(text.text);
    (added_[i].normalized ? normalized[i] : raw[i]) = text.text;
  }
  raw_matcher_ = AddedMatcher(added_, raw);
  normalized_matcher_ = AddedMatcher(added_, normalized);
}

std::optional<std::int32_t> Tokenizer::named(const std::string& name, const char* key, const std::string& where) const {
  if (name.empty()) return std::nullopt;
  std::optional<std::int32_t> found = id(name);
  if (!found) fail(ErrorKind::bad_input, cat(where, ": ", key, " '", name, "' is not in the vocabulary"));
  return found;
}

const std::string& Tokenizer::token(std::int32_t id) const {
  static const std::string kNone;
  if (id < 0 || id >= vocab_size_) return kNone;
  auto number = static_cast<std::size_t>(id);
  if (added_of_id_[number] >= 0) return added_[static_cast<std::size_t>(added_of_id_[number])].content;
  return number < bpe_->tokens().size() ? bpe_->tokens()[number] : kNone;
}

std::string Tokenizer::token_bytes(std::int32_t id) const {
  const std::string& text = token(id);
  std::string out;
  if (is_added(id)) return text;
  if (pre_tokenizer_ && pre_tokenizer_->byte_level()) {
    append_byte_level(out, text);
    return out;
  }
  if (bpe_->byte_fallback() && text.size() == 6 && text.starts_with("<0x")) {
    return std::string(1, static_cast<char>(std::strtoul(text.c_str() + 3, nullptr, 16)));
  }
  return replace_all(text, "\u2581", " ");
}

std::optional<std::int32_t> Tokenizer::id(std::string_view token) const {
  if (std::optional<std::int32_t> found = bpe_->id(token)) return found;
  for (const AddedToken& added : added_) {
    if (added.content == token) return static_cast<std::int32_t>(added.id);
  }
  return std::nullopt;
}

bool Tokenizer::is_added(std::int32_t id) const {
  return id >= 0 && id < vocab_size_ && added_of_id_[static_cast<std::size_t>(id)] >= 0;
}

bool Tokenizer::is_special(std::int32_t id) const {
  return is_added(id) && added_[static_cast<std::size_t>(added_of_id_[static_cast<std::size_t>(id)])].special;
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  return run(text, options, false).ids;
}

Encoding Tokenizer::encode_with_offsets(std::string_view text, const EncodeOptions& options) const {
  return run(text, options, true);
}

Encoding Tokenizer::run(std::string_view text, const EncodeOptions& options, bool offsets) const {
  std::string repaired;
  if (!is_utf8(text)) text = repaired = repair_utf8(text);
  if (text.size() >= kLongestText)
    fail(ErrorKind::bad_input, cat("a text of ", text.size(), " bytes; at most 1 GiB can be cut into tokens"));
  Encoding out;
  auto put = [&](const std::vector<std::int32_t>& ids, std::uint32_t at) {
    if (!options.add_special_tokens) return;
    out.ids.insert(out.ids.end(), ids.begin(), ids.end());
    if (offsets) out.offsets.insert(out.offsets.end(), ids.size(), Span{at, at});
  };
  put(prefix_, 0);
  std::vector<AddedMatcher::Stretch> stretches;
  raw_matcher_.cut(text, options.added, stretches);
  for (const auto& stretch : stretches) {
    if (stretch.token < 0) {
      encode_stretch(text, stretch.span, options, offsets, out);
    } else {
      out.ids.push_back(static_cast<std::int32_t>(added_[static_cast<std::size_t>(stretch.token)].id));
      if (offsets) out.offsets.push_back(stretch.span);
    }
  }
  put(suffix_, static_cast<std::uint32_t>(text.size()));
  return out;
}

void Tokenizer::encode_stretch(std::string_view text, Span span, const EncodeOptions& options, bool offsets,
                               Encoding& out) const {
  Traced traced;
  traced.text = text.substr(span.begin, span.end - span.begin);
  traced.shift = span.begin;
  traced.trace = offsets || (pre_tokenizer_ && pre_tokenizer_->needs_origins());
  if (normalizer_) normalizer_->apply(traced);
  if (normalized_matcher_.empty()) return encode_words(std::move(traced), offsets, out);
  std::vector<AddedMatcher::Stretch> stretches;
  normalized_matcher_.cut(traced.text, options.added, stretches);
  for (const auto& stretch : stretches) {
    auto [begin, end] = stretch.span;
    if (stretch.token >= 0) {
      out.ids.push_back(static_cast<std::int32_t>(added_[static_cast<std::size_t>(stretch.token)].id));
      if (offsets) out.offsets.push_back(traced.origin_of(begin, end));
      continue;
    }
    Traced part;
    part.text = traced.text.substr(begin, end - begin);
    part.shift = traced.shift + begin;
    part.trace = traced.trace;
    if (!traced.origin.empty()) part.origin.assign(traced.origin.begin() + begin, traced.origin.begin() + end);
    encode_words(std::move(part), offsets, out);
  }
}

void Tokenizer::encode_words(Traced text, bool offsets, Encoding& out) const {
  if (text.text.empty()) return;
  Words words;
  words.spans.push_back({0, static_cast<std::uint32_t>(text.text.size())});
  words.text = std::move(text);
  if (pre_tokenizer_) pre_tokenizer_->apply(words);
  const std::string_view bytes = words.text.text;
  Pieces pieces;
  out.ids.reserve(out.ids.size() + words.spans.size() * 5 / 4);
  for (Span word : words.spans) {
    pieces.ids.clear();
    pieces.ends.clear();
    bpe_->encode(bytes.substr(word.begin, word.end - word.begin), pieces);
    out.ids.insert(out.ids.end(), pieces.ids.begin(), pieces.ids.end());
    if (!offsets) continue;
    std::uint32_t begin = 0;
    for (std::uint32_t end : pieces.ends) {
      out.offsets.push_back(words.text.origin_of(word.begin + begin, word.begin + end));
      begin = end;
    }
  }
}

std::string Tokenizer::decode(const std::vector<std::int32_t>& ids, bool skip_special) const {
  std::vector<std::string> tokens;
  std::string bytes;
  bool byte_level = decoder_ && decoder_->byte_level();
  for (std::int32_t id : ids) {
    if (id < 0 || id >= vocab_size_ || (skip_special && is_special(id))) continue;
    std::int32_t added = added_of_id_[static_cast<std::size_t>(id)];
    const std::string& text = added >= 0 ? added_texts_[static_cast<std::size_t>(added)] : token(id);
    if (byte_level) {
      append_byte_level(bytes, text);
    } else {
      tokens.push_back(text);
    }
  }
  if (byte_level) return is_utf8(bytes) ? bytes : repair_utf8(bytes);
  if (!decoder_) return join(tokens, " ");
  decoder_->apply(tokens);
  return join(tokens, "");
}

std::string Tokenizer::hash() const { return sha256_hex(to_json()); }

}  // namespace reveille::text
