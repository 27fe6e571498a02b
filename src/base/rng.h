// Counter-based randomness: a draw is a pure function of (key, counter), so it does not
// depend on batch order, thread count or what was drawn before.
//
// Method: Philox4x32-10, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC11).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace reveille {

// One Philox4x32-10 block.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

// A stream of draws named by a seed and a name; `child` splits it without drawing from it.
class Rng {
 public:
  explicit Rng(std::uint64_t seed, std::string_view name = {});
  Rng child(std::string_view name) const;
  Rng child(std::uint64_t number) const;

  std::uint64_t next();                      // 64 random bits
  double uniform();                          // [0, 1)
  std::uint64_t below(std::uint64_t bound);  // [0, bound), unbiased; bound > 0
  double normal();                           // mean 0, deviation 1

  // The draw at a given position, whatever was drawn before: [0, 1).
  double uniform_at(std::uint64_t position) const;

  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

  // For checkpoints: the state is (key, position).
  std::uint64_t key() const { return key_; }
  std::uint64_t position() const { return position_; }
  static Rng restore(std::uint64_t key, std::uint64_t position);

 private:
  std::uint64_t bits_at(std::uint64_t position) const;
  std::uint64_t key_;
  std::uint64_t position_ = 0;
};

}  // namespace reveille
