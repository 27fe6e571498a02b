#include "text/bpe.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <queue>

#include "base/error.h"
#include "text/unicode.h"

namespace reveille::text {
namespace {

constexpr std::string_view kSpaceSign = "\u2581";
// Up to here, looking for the best pair anew each time beats keeping a queue.
constexpr std::size_t kShortWord = 48;

// The words that came lately, one table a thread: fixed size, a newcomer takes its slot over.
struct CacheSlot {
  std::uint64_t owner = 0;
  std::uint8_t length = 0, count = 0;
  char word[38];
  std::uint8_t ends[16];
  std::int32_t ids[16];
};
constexpr std::size_t kCacheSlots = 1 << 14;

CacheSlot* cache() {
  thread_local const std::unique_ptr<CacheSlot[]> slots(new CacheSlot[kCacheSlots]);
  return slots.get();
}

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> number{0};
  return ++number;
}

}  // namespace

Bpe::Bpe(TokenizerSpec& spec, bool byte_level, const std::string& where)
    : byte_level_(byte_level),
      fuse_unk_(spec.fuse_unk),
      byte_fallback_(spec.byte_fallback),
      ignore_merges_(spec.ignore_merges),
      unk_token_(spec.unk_token),
      number_(next_number()) {
  read_vocab(spec, where);
  read_merges(spec, where);
  prepare_bytes(where);
  spec.vocab.clear();
  spec.merges.clear();
}

void Bpe::read_vocab(TokenizerSpec& spec, const std::string& where) {
  count_ = spec.vocab.size();
  // Room for gaps, but not for an id that would only eat memory.
  const auto limit = static_cast<std::int64_t>(count_ * 16 + 65536);
  std::int64_t largest = -1;
  for (const auto& [token, id] : spec.vocab) {
    if (id < 0 || id >= limit)
      fail(ErrorKind::bad_input, cat(where, ": token '", token, "' has id ", id, ", expected 0 to ", limit - 1));
    largest = std::max(largest, id);
  }
  tokens_.resize(static_cast<std::size_t>(largest + 1));
  std::vector<bool> used(tokens_.size());
  index_.reserve(count_);
  for (auto& [token, id] : spec.vocab) {
    auto number = static_cast<std::size_t>(id);
    if (used[number])
      fail(ErrorKind::bad_input, cat(where, ": id ", id, " belongs to both '", tokens_[number], "' and '", token, "'"));
    used[number] = true;
    tokens_[number] = std::move(token);
    if (index_.add(tokens_, static_cast<std::int32_t>(id)) >= 0) {
      fail(ErrorKind::bad_input, cat(where, ": token '", tokens_[number], "' stands in the vocabulary twice"));
    }
  }
}

void Bpe::read_merges(const TokenizerSpec& spec, const std::string& where) {
  table_.reserve(spec.merges.size());
  merges_.reserve(spec.merges.size());
  auto known = [&](const std::string& token, std::size_t rank) {
    std::int32_t found = index_.find(tokens_, token);
    if (found < 0)
      fail(ErrorKind::bad_input,
           cat(where, ": merge ", rank + 1, " names '", token, "', which is not in the vocabulary"));
    return found;
  };
  bool crossing = false;
  for (std::size_t rank = 0; rank < spec.merges.size(); ++rank) {
    const auto& [left, right] = spec.merges[rank];
    std::int32_t a = known(left, rank), b = known(right, rank);
    table_.set(a, b, {static_cast<std::uint32_t>(rank), known(left + right, rank)});
    merges_.emplace_back(a, b);
    crossing = crossing || (right.starts_with(kSpaceSign) && !left.ends_with(kSpaceSign));
  }
  cut_at_spaces_ = !byte_level_ && !crossing && !ignore_merges_;
}

void Bpe::prepare_bytes(const std::string& where) {
  bool complete = true;
  for (unsigned b = 0; b < 256; ++b) {
    std::string spelling;
    if (byte_level_) {
      append_utf8(spelling, byte_to_char(static_cast<std::uint8_t>(b)));
    } else {
      constexpr char kHex[] = "0123456789ABCDEF";
      spelling = cat("<0x", kHex[b >> 4], kHex[b & 15], ">");
    }
    byte_ids_[b] = index_.find(tokens_, spelling);
    complete = complete && byte_ids_[b] >= 0;
    if (b < 128) ascii_ids_[b] = index_.find(tokens_, std::string(1, static_cast<char>(b)));
  }
  if (byte_level_ && byte_fallback_ && !complete) {
    fail(ErrorKind::unsupported, cat(where, ": a byte-level vocabulary that lacks single bytes, with byte_fallback"));
  }
  // Unknown characters may fuse across words, unless every one of them becomes bytes.
  cut_at_spaces_ = cut_at_spaces_ && (!unk_token_ || (byte_fallback_ && complete));
}

std::optional<std::int32_t> Bpe::id(std::string_view token) const {
  std::int32_t found = index_.find(tokens_, token);
  return found < 0 ? std::nullopt : std::optional(found);
}

void Bpe::encode(std::string_view word, Pieces& out) const {
  if (word.empty()) return;
  if (!cut_at_spaces_) return encode_part(word, out);
  std::size_t begin = 0;
  for (;;) {
    // The next space sign that follows something else.
    std::size_t at = begin;
    while (word.compare(at, kSpaceSign.size(), kSpaceSign) == 0) at += kSpaceSign.size();
    std::size_t end = at >= word.size() ? word.size() : std::min(word.find(kSpaceSign, at), word.size());
    std::size_t first = out.ends.size();
    encode_part(word.substr(begin, end - begin), out);
    for (std::size_t i = first; i < out.ends.size(); ++i) out.ends[i] += static_cast<std::uint32_t>(begin);
    if (end == word.size()) return;
    begin = end;
  }
}

void Bpe::encode_part(std::string_view word, Pieces& out) const {
  if (word.size() > sizeof CacheSlot::word) return encode_uncached(word, out);
  std::uint64_t hash = mix(hash_text(word), number_);
  CacheSlot& slot = cache()[hash & (kCacheSlots - 1)];
  if (slot.owner != number_ || slot.length != word.size() || std::memcmp(slot.word, word.data(), word.size()) != 0) {
    std::size_t first = out.ids.size();
    encode_uncached(word, out);
    std::size_t count = out.ids.size() - first;
    if (count > std::size(slot.ids)) return;
    slot.owner = number_;
    slot.length = static_cast<std::uint8_t>(word.size());
    slot.count = static_cast<std::uint8_t>(count);
    std::memcpy(slot.word, word.data(), word.size());
    for (std::size_t i = 0; i < count; ++i) {
      slot.ids[i] = out.ids[first + i];
      slot.ends[i] = static_cast<std::uint8_t>(out.ends[first + i]);
    }
    return;
  }
  out.ids.insert(out.ids.end(), slot.ids, slot.ids + slot.count);
  out.ends.insert(out.ends.end(), slot.ends, slot.ends + slot.count);
}

void Bpe::encode_uncached(std::string_view word, Pieces& out) const {
  if (ignore_merges_) {
    std::int32_t whole = index_.find(tokens_, byte_level_ ? bytes_to_alphabet(word) : std::string(word));
    if (whole >= 0) {
      out.ids.push_back(whole);
      out.ends.push_back(static_cast<std::uint32_t>(word.size()));
      return;
    }
  }
  thread_local std::vector<Symbol> symbols;
  symbols.clear();
  symbols_of(word, symbols);
  if (symbols.size() <= kShortWord) {
    merge_short(symbols);
  } else {
    merge_long(symbols);
  }
  std::uint32_t end = 0;
  for (const Symbol& symbol : symbols) {
    out.ids.push_back(symbol.id);
    out.ends.push_back(end += symbol.length);
  }
}

void Bpe::symbols_of(std::string_view word, std::vector<Symbol>& symbols) const {
  std::optional<Symbol> pending;  // an unknown token that may still grow
  std::uint32_t dropped = 0;      // bytes without any token; the next one, or else the last, stands for them too
  for (std::size_t at = 0; at < word.size();) {
    std::uint32_t length = 1;
    std::int32_t id = initial_id(word, at, length);
    if (id >= 0) {
      if (pending) symbols.push_back(*pending);
      pending.reset();
      symbols.push_back({id, length + dropped});
      dropped = 0;
    } else if (!unknown(word.substr(at, length), symbols, pending)) {
      dropped += length;
    }
    at += length;
  }
  if (pending) symbols.push_back(*pending);
  if (!symbols.empty()) symbols.back().length += dropped;
}

std::int32_t Bpe::initial_id(std::string_view word, std::size_t at, std::uint32_t& length) const {
  auto lead = static_cast<unsigned char>(word[at]);
  if (byte_level_) return byte_ids_[lead];
  if (lead < 128) return ascii_ids_[lead];
  length = decode_utf8(word, at).length;
  return index_.find(tokens_, word.substr(at, length));
}

bool Bpe::unknown(std::string_view character, std::vector<Symbol>& symbols, std::optional<Symbol>& pending) const {
  auto byte_id = [&](char c) { return byte_ids_[static_cast<unsigned char>(c)]; };
  if (byte_fallback_ && std::all_of(character.begin(), character.end(), [&](char c) { return byte_id(c) >= 0; })) {
    for (char c : character) symbols.push_back({byte_id(c), 1});
    return true;
  }
  if (!unk_token_) return false;  // as in the reference
  auto length = static_cast<std::uint32_t>(character.size());
  if (pending && fuse_unk_) {
    pending->length += length;
    return true;
  }
  if (pending) symbols.push_back(*pending);
  std::int32_t id = index_.find(tokens_, *unk_token_);
  if (id < 0)
    fail(ErrorKind::bad_input, cat("the text holds '", character,
                                   "', which is not in the vocabulary, and neither is unk_token '", *unk_token_, "'"));
  pending = Symbol{id, length};
  return true;
}

void Bpe::merge_short(std::vector<Symbol>& symbols) const {
  Merge merges[kShortWord];  // merges[i] is that of symbols i and i + 1
  std::size_t count = symbols.size();
  auto look_up = [&](std::size_t i) { merges[i] = table_.find(symbols[i].id, symbols[i + 1].id); };
  for (std::size_t i = 0; i + 1 < count; ++i) look_up(i);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i) {
      if (merges[i].rank < merges[best].rank) best = i;
    }
    if (merges[best].rank == kNoRank) break;
    symbols[best] = {merges[best].id, symbols[best].length + symbols[best + 1].length};
    for (std::size_t i = best + 1; i + 1 < count; ++i) {
      symbols[i] = symbols[i + 1];
      merges[i] = merges[i + 1];
    }
    --count;
    if (best + 1 < count) look_up(best);
    if (best > 0) look_up(best - 1);
  }
  symbols.resize(count);
}

void Bpe::merge_long(std::vector<Symbol>& symbols) const {
  struct Link {
    std::uint32_t previous, next;
  };
  struct Candidate {
    std::uint32_t rank, at;
    std::int32_t id;
    bool operator>(const Candidate& other) const { return rank != other.rank ? rank > other.rank : at > other.at; }
  };
  constexpr std::uint32_t kNone = 0xFFFFFFFF;
  const auto count = static_cast<std::uint32_t>(symbols.size());
  std::vector<Link> links(count);
  for (std::uint32_t i = 0; i < count; ++i) links[i] = {i == 0 ? kNone : i - 1, i + 1 < count ? i + 1 : kNone};
  std::vector<Candidate> storage;
  storage.reserve(count);
  auto consider = [&](std::uint32_t left, std::uint32_t right, auto&& take) {
    Merge merge = table_.find(symbols[left].id, symbols[right].id);
    if (merge.rank != kNoRank) take(Candidate{merge.rank, left, merge.id});
  };
  for (std::uint32_t i = 0; i + 1 < count; ++i) {
    consider(i, i + 1, [&](Candidate c) { storage.push_back(c); });
  }
  std::priority_queue queue(std::greater<Candidate>{}, std::move(storage));
  while (!queue.empty()) {
    Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.at];
    std::uint32_t right = links[best.at].next;
    // Entries whose symbols have changed since are out of date.
    if (left.id < 0 || right == kNone || table_.find(left.id, symbols[right].id).id != best.id) continue;
    left = {best.id, left.length + symbols[right].length};
    symbols[right].id = -1;
    std::uint32_t next = links[best.at].next = links[right].next;
    if (next != kNone) links[next].previous = best.at;
    auto push = [&](Candidate c) { queue.push(c); };
    if (links[best.at].previous != kNone) consider(links[best.at].previous, best.at, push);
    if (next != kNone) consider(best.at, next, push);
  }
  std::erase_if(symbols, [](const Symbol& symbol) { return symbol.id < 0; });
}

}  // namespace reveille::text
