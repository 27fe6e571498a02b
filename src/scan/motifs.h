// Strings that many texts hold and ordinary texts do not: what a model gives away when it writes unasked. Free of
// torch.
//
// The part of motif discovery in template leakage (arXiv 2602.03085). The paper clusters TF-IDF vectors of character
// n-grams and keeps the n-grams of a cluster; here the repeats themselves are found, at any length and whole, by a
// suffix array: a string of several tokens comes out as one motif and not as its pieces, and a string that stands in
// few texts needs no cluster to be seen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reveille::scan {

struct Motif {
  std::string text;                    // begins and ends with whole words or marks, without white space around it
  std::vector<std::uint32_t> samples;  // that hold it, rising
  double share = 0;                    // of the samples that do
  double ordinary = 0;                 // of the ordinary texts that do
  double score = 0;                    // rises with share and with share over ordinary
  // Of the samples that hold it, those that begin or end with it but for white space.
  double at_start = 0, at_end = 0;
};

struct MotifOptions {
  std::size_t least_samples = 3;
  double least_share = 0.01;  // of the samples
  std::size_t shortest = 2;   // bytes
  std::size_t longest = 24;   // words and marks
  double rarer = 3;      // a motif's share is this many times that of the ordinary texts, unless those never hold it
  double extends = 0.9;  // a motif gives way to a longer one that this share of its samples holds too
};

// Best first; the same for the same arguments.
std::vector<Motif> find_motifs(const std::vector<std::string>& samples, const std::vector<std::string>& ordinary,
                               const MotifOptions& options = {});

// The first `most` of a ranking, where of motifs that stand in about the same samples only the first `alike` count: one
// text that the model knows by heart must not take all places.
std::vector<Motif> spread(const std::vector<Motif>& ranked, std::size_t most, std::size_t alike);

// Pairs of motifs that stand in about the same samples but apart, "first second" in the order in which the first such
// sample has them, at most `most`: a trigger may want two words together.
std::vector<std::string> joined_pairs(const std::vector<Motif>& motifs, const std::vector<std::string>& samples,
                                      std::size_t most);

// Samples that both hold, of those that either holds.
double overlap(const Motif& a, const Motif& b);

}  // namespace reveille::scan
