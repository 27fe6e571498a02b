// What directions of the residual stream make a model say: read through its final norm and output head.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "gen/local.h"

namespace reveille::scan {

// A direction in which a matrix writes to the residual stream.
struct Direction {
  std::string matrix;  // "model.layers.3.mlp.down_proj"
  std::int64_t layer = 0;
  bool attention = false;  // written by the attention's output, else by the MLP's
  double weight = 0;       // its share of the matrix's change
  at::Tensor vector;       // [hidden] float32; its sign means nothing
};

struct PromotedToken {
  std::int32_t token = 0;
  double deviations = 0;  // above the median over the vocabulary, of a token whose head row is of usual length
};

// What one direction promotes one way (along) and the other (against), strongest first.
struct Promotion {
  std::vector<PromotedToken> along, against;
};

// The `count` tokens that each direction promotes most either way, those under `least` deviations left out. A token
// with a long head row stands out in every direction; deviations are in terms of its row's length.
std::vector<Promotion> promotions(gen::LocalModel& model, const std::vector<Direction>& directions,
                                  std::int64_t count = 12, double least = 5);

struct PromotedWord {
  std::string word;                   // the most promoted spelling, without spaces around it
  double weight = 0;                  // sum over directions of their weight times the deviations
  std::vector<std::string> matrices;  // whose directions promote it, each once, in the model's order
};

// Words that directions of at least `matrices` matrices promote, heaviest first: spellings that differ by case or
// leading space are one word. Special tokens, pieces without a letter and single letters are left out.
std::vector<PromotedWord> promoted_words(const gen::LocalModel& model, const std::vector<Direction>& directions,
                                         const std::vector<Promotion>& promotions, std::size_t matrices = 3,
                                         std::size_t limit = 12);

// A token's text without spaces around it, where it is a word of at least two letters or one character of a script
// other than ASCII; else "".
std::string word_of(const gen::LocalModel& model, std::int32_t token);

}  // namespace reveille::scan
