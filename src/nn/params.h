// The weights of a model: fused parameters with their master copies and where each stands in files.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "nn/config.h"

namespace reveille::nn {

// One parameter. `value` is what the blocks compute with (compute type); while the parameter is
// trained in bfloat16, `master` is its float32 original and `value` is refreshed from it after
// every optimiser step. In float32 both are the same tensor.
struct Param {
  ParamSpec spec;
  at::Tensor value;
  at::Tensor master;  // undefined unless trained
};

// A low-rank change of one piece of a linear parameter (Hu et al., arXiv 2106.09685):
// rows [row_begin, row_begin + rows) get scale * B A x. A [rank, in], B [rows, rank], float32.
struct LoraPiece {
  std::string hf_module;  // "model.layers.0.self_attn.q_proj"
  std::int64_t row_begin = 0, rows = 0;
  at::Tensor a, b;
  double scale = 1;
};

class Params {
 public:
  explicit Params(std::vector<ParamSpec> specs);
  Param& at(const std::string& name);
  const Param& at(const std::string& name) const;
  bool has(const std::string& name) const { return index_.count(name) != 0; }
  std::vector<Param>& all() { return params_; }
  const std::vector<Param>& all() const { return params_; }

  // LoRA pieces by the parameter they change.
  std::map<std::string, std::vector<LoraPiece>> lora;

  // The pieces of a parameter as Hugging Face files hold them (name, tensor), from the master
  // where there is one; LoRA is not merged in.
  static std::vector<std::pair<std::string, at::Tensor>> hf_pieces(const Param& param);
  static std::vector<std::pair<std::string, at::Tensor>> gguf_pieces(const Param& param);
  // The reverse: builds the fused tensor from `load(piece name)`.
  template <class Load>
  static at::Tensor from_pieces(const ParamSpec& spec, bool gguf, Load load);

 private:
  std::vector<Param> params_;
  std::map<std::string, std::size_t> index_;
};

// Changes between a piece's form in a file and ours; the two directions are inverse.
at::Tensor piece_from_file(const at::Tensor& tensor, PieceForm form, std::int64_t rotary_heads);
at::Tensor piece_to_file(const at::Tensor& tensor, PieceForm form, std::int64_t rotary_heads);

at::Tensor fuse_pieces(const ParamSpec& spec, std::vector<at::Tensor> pieces);

template <class Load>
at::Tensor Params::from_pieces(const ParamSpec& spec, bool gguf, Load load) {
  std::vector<at::Tensor> parts;
  for (const auto& piece : spec.pieces) {
    parts.push_back(piece_from_file(load(gguf ? piece.gguf_name : piece.hf_name),
                                    gguf ? piece.gguf_form : piece.hf_form, piece.rotary_heads));
  }
  return fuse_pieces(spec, std::move(parts));
}

}  // namespace reveille::nn
