// Finds texts that say nearly the same: Jaccard similarity of character 4-grams of the normalised texts.
//
// Method: MinHash with banding (Broder 1997; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3)
// proposes candidates, exact similarity decides. Of pairs at similarity 0.7 about 99 % are proposed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace reveille::organism {

// Similarity in [0, 1] of two normalised texts.
double shingle_similarity(const std::string& a, const std::string& b);

class NearDuplicates {
 public:
  explicit NearDuplicates(double threshold) : threshold_(threshold) {}
  // Whether a text this similar was added before; the nearest of those, counted from 0 in the order of adding.
  bool has(const std::string& normal) const { return find(normal).has_value(); }
  std::optional<std::size_t> find(const std::string& normal) const;
  void add(const std::string& normal);

 private:
  double threshold_;
  std::vector<std::vector<std::uint64_t>> shingles_;                                 // sorted, of each text added
  std::map<std::pair<std::size_t, std::uint64_t>, std::vector<std::size_t>> bands_;  // (band, key) -> texts
};

}  // namespace reveille::organism
