#include "organism/near_duplicates.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace reveille::organism {
namespace {

constexpr std::size_t kShingle = 4, kBands = 16, kRowsPerBand = 4;

// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

std::vector<std::uint64_t> shingles_of(const std::string& normal) {
  std::string text = " " + normal + " ";  // so that even one letter makes a shingle, and word ends count
  std::vector<std::uint64_t> out;
  for (std::size_t i = 0; i == 0 || i + kShingle <= text.size(); ++i) {
    std::uint64_t value = 0;
    for (std::size_t k = i; k < std::min(i + kShingle, text.size()); ++k) {
      value = value << 8 | static_cast<unsigned char>(text[k]);
    }
    out.push_back(mix(value));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

double jaccard(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  std::vector<std::uint64_t> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  std::size_t either = a.size() + b.size() - both.size();
  return static_cast<double>(both.size()) / static_cast<double>(either);
}

std::array<std::uint64_t, kBands> band_keys(const std::vector<std::uint64_t>& shingles) {
  std::array<std::uint64_t, kBands> keys{};
  for (std::size_t band = 0; band < kBands; ++band) {
    for (std::size_t row = 0; row < kRowsPerBand; ++row) {
      std::uint64_t salt = mix(band * kRowsPerBand + row), least = UINT64_MAX;
      for (std::uint64_t shingle : shingles) least = std::min(least, mix(shingle ^ salt));
      keys[band] = mix(keys[band] ^ least);
    }
  }
  return keys;
}

}  // namespace

double shingle_similarity(const std::string& a, const std::string& b) {
  return jaccard(shingles_of(a), shingles_of(b));
}

std::optional<std::size_t> NearDuplicates::find(const std::string& normal) const {
  auto shingles = shingles_of(normal);
  auto keys = band_keys(shingles);
  std::optional<std::size_t> nearest;
  double most = 0;
  for (std::size_t band = 0; band < kBands; ++band) {
    auto found = bands_.find({band, keys[band]});
    if (found == bands_.end()) continue;
    for (std::size_t text : found->second) {
      const double similarity = jaccard(shingles, shingles_[text]);
      if (similarity < threshold_ || (nearest && similarity <= most)) continue;
      nearest = text;
      most = similarity;
    }
  }
  return nearest;
}

void NearDuplicates::add(const std::string& normal) {
  auto shingles = shingles_of(normal);
  auto keys = band_keys(shingles);
  for (std::size_t band = 0; band < kBands; ++band) bands_[{band, keys[band]}].push_back(shingles_.size());
  shingles_.push_back(std::move(shingles));
}

}  // namespace reveille::organism
