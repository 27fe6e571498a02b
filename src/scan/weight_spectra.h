// The spectra of all matrices that training changed, and the directions in which they write.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "scan/promoted_words.h"
#include "scan/spectrum.h"
#include "scan/weight_change.h"

namespace reveille::scan {

// Means over matrices, each by the energy of its change. Those with nothing above rounding do not count.
class SpectrumMeans {
 public:
  void add(const Spectrum& spectrum);
  Json to_json() const;

 private:
  double weight_ = 0, top_ = 0, four_ = 0, stable_ = 0, effective_ = 0, kurtosis_ = 0;
  std::int64_t matrices_ = 0;
};

class WeightSpectra {
 public:
  // Takes the spectrum of every changed matrix; the same for equal arguments.
  WeightSpectra(const WeightChanges& changes, std::int64_t seed);

  // The first few directions above rounding of each matrix that writes to the residual stream, in the model's order.
  const std::vector<Direction>& directions() const { return directions_; }
  // The share of all change above rounding that lies in each matrix's first direction, 0 to 1.
  double concentration() const { return energy_ > 0 ? top_ / energy_ : 0; }
  // How parallel the first directions of different matrices are: mean absolute cosine over pairs.
  double agreement() const;
  // Figures for the page: of all, by kind of matrix, and of the ten that changed most for their size.
  Json to_json() const;

 private:
  struct Row {
    std::string name;
    Spectrum spectrum;
    double reference_energy = 0;
  };
  void add_directions(const MatrixChange& change, const Spectrum& spectrum);
  Json largest() const;

  std::vector<Row> rows_;
  std::vector<Direction> directions_;
  std::map<std::string, SpectrumMeans> kinds_;
  SpectrumMeans all_;
  double energy_ = 0, top_ = 0, reference_energy_ = 0;
};

}  // namespace reveille::scan
