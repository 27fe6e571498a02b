// The two hash tables of the BPE model: token text to id, and pair of ids to merge. Open addressing,
// built once, then only read.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::text {

inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  auto product = static_cast<Wide>(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xD6E8FEB86659FD93u);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Fast, for tables in memory only (not stable, not against attackers: tables are probed linearly
// and bounded by the files that fill them).
inline std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = mix(text.size(), 0x2545F4914F6CDD1Du);
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t chunk;
    std::memcpy(&chunk, text.data() + at, 8);
    hash = mix(hash, chunk);
  }
  if (at < text.size()) {
    std::uint64_t chunk = 0;
    std::memcpy(&chunk, text.data() + at, text.size() - at);
    hash = mix(hash, chunk + 1);
  }
  return hash;
}

// Finds ids by token text; the texts stay where they are, in a vector indexed by id.
class TokenIndex {
 public:
  void reserve(std::size_t count) {
    std::size_t size = 16;
    while (size < count * 2) size *= 2;
    slots_.assign(size, -1);
  }
  // Returns the id that already has this text, or -1 after adding it.
  std::int32_t add(const std::vector<std::string>& tokens, std::int32_t id) {
    std::size_t slot = place(tokens, tokens[static_cast<std::size_t>(id)]);
    if (slots_[slot] >= 0) return slots_[slot];
    slots_[slot] = id;
    return -1;
  }
  std::int32_t find(const std::vector<std::string>& tokens, std::string_view text) const {
    return slots_[place(tokens, text)];
  }

 private:
  std::size_t place(const std::vector<std::string>& tokens, std::string_view text) const {
    std::size_t slot = hash_text(text) & (slots_.size() - 1);
    while (slots_[slot] >= 0 && tokens[static_cast<std::size_t>(slots_[slot])] != text) {
      slot = (slot + 1) & (slots_.size() - 1);
    }
    return slot;
  }
  std::vector<std::int32_t> slots_;
};

struct Merge {
  std::uint32_t rank;
  std::int32_t id;  // of the merged token
};

constexpr std::uint32_t kNoRank = 0xFFFFFFFF;

class MergeTable {
 public:
  void reserve(std::size_t count) {
    std::size_t size = 16;
    while (size < count * 2) size *= 2;
    slots_.assign(size, Slot{~std::uint64_t{0}, {kNoRank, -1}});
  }
  // A pair that comes twice counts with its later rank, as in the reference.
  void set(std::int32_t left, std::int32_t right, Merge merge) {
    Slot& slot = slots_[place(key(left, right))];
    slot = {key(left, right), merge};
  }
  // rank kNoRank: these two do not merge.
  Merge find(std::int32_t left, std::int32_t right) const { return slots_[place(key(left, right))].merge; }

 private:
  struct Slot {
    std::uint64_t key;
    Merge merge;
  };
  static std::uint64_t key(std::int32_t left, std::int32_t right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
  }
  std::size_t place(std::uint64_t key) const {
    std::size_t slot = mix(key, 0) & (slots_.size() - 1);
    while (slots_[slot].key != key && slots_[slot].merge.id >= 0) slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }
  std::vector<Slot> slots_;
};

}  // namespace reveille::text
