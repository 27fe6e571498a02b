// What separates a suspect's weights from its reference's (or an adapter from nothing), matrix by matrix, and how much
// of that rounding alone explains: a model that was saved in fewer bits differs everywhere a little without having been
// trained.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gen/local.h"

namespace reveille::scan {

// One weight matrix as files name it: "model.layers.3.mlp.down_proj".
struct MatrixChange {
  std::string name;
  std::string parameter;        // ours, which may hold several: "layers.3.qkv"
  std::int64_t layer = -1;      // -1: the embedding or the output head
  at::Tensor difference;        // [out, in] float32, adapters merged
  at::Tensor noise;             // [out, in] float32: variance that rounding adds to it; undefined: none
  double reference_energy = 0;  // sum of squares of the reference's matrix
};

// Variance of what storing `values` [out, in] as `type` ("BF16", "F16", "Q4_1", ...) rounds away: a twelfth of the
// squared distance between neighbouring values, [out, in] float32. Blocks of quantised types lie along rows; their
// distances are told from the values themselves. Undefined for types that round nothing or are not known.
at::Tensor rounding_variance(const at::Tensor& values, const std::string& type);

// Where the rounding in the differences comes from.
struct Rounding {
  std::string suspect_type, reference_type;  // what most of either file is stored as; "": not known
  bool suspect = false, reference = false;   // whose rounding the differences hold
  double share = 0;                          // of the differences' energy that it explains, at most 1
  std::string words;                         // the same for people
};

// Whether every parameter of one has its like in the other, whatever rows the embeddings are padded to.
bool same_shapes(const gen::LocalModel& one, const gen::LocalModel& other);

class WeightChanges {
 public:
  // Reads all weights once, to tell rounding from training. The models have the same shapes and outlive this. Without a
  // reference the suspect's adapter is all that changed.
  WeightChanges(const gen::LocalModel& suspect, const gen::LocalModel* reference);

  const Rounding& rounding() const { return rounding_; }
  // Matrices of the layers, in the model's order; those that are equal in both are passed over.
  void each_matrix(const std::function<void(const MatrixChange&)>& body) const;
  // The embedding or the head, rows that both have; `parameter` is "embed" or "head". Needs a reference.
  MatrixChange table(const std::string& parameter) const;
  std::int64_t matrices() const { return matrices_; }  // of the layers, equal ones included

 private:
  struct Place;  // of one matrix
  std::vector<Place> places() const;
  MatrixChange change_at(const Place& place) const;
  void measure();

  const gen::LocalModel& suspect_;
  const gen::LocalModel* reference_;
  std::map<std::string, std::string> suspect_types_, reference_types_;  // by name in Hugging Face files
  Rounding rounding_;
  std::int64_t matrices_ = 0;
};

}  // namespace reveille::scan
