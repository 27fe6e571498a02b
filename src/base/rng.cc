#include "base/rng.h"

#include <cmath>
#include <numbers>
#include <string>

#include "base/hash.h"

namespace reveille {
namespace {

double to_unit(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1.0p-53; }

std::uint64_t mix(std::uint64_t key, std::string_view name) {
  return hash64(std::to_string(key) + ":" + std::string(name));
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

Rng::Rng(std::uint64_t seed, std::string_view name) : key_(mix(seed, name)) {}

Rng Rng::child(std::string_view name) const { return restore(mix(key_, name), 0); }

Rng Rng::child(std::uint64_t number) const { return restore(mix(key_, std::to_string(number)), 0); }

Rng Rng::restore(std::uint64_t key, std::uint64_t position) {
  Rng rng(0);
  rng.key_ = key;
  rng.position_ = position;
  return rng;
}

std::uint64_t Rng::bits_at(std::uint64_t position) const {
  auto out = philox({static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32), 0, 0},
                    {static_cast<std::uint32_t>(key_), static_cast<std::uint32_t>(key_ >> 32)});
  return std::uint64_t{out[0]} << 32 | out[1];
}

std::uint64_t Rng::next() { return bits_at(position_++); }

double Rng::uniform() { return to_unit(next()); }

double Rng::uniform_at(std::uint64_t position) const { return to_unit(bits_at(position)); }

std::uint64_t Rng::below(std::uint64_t bound) {
  std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t bits = next();
  while (bits >= limit) bits = next();
  return bits % bound;
}

double Rng::normal() {
  double u = 1.0 - uniform();  // (0, 1]
  double v = uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

}  // namespace reveille
