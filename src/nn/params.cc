#include "nn/params.h"

#include <ATen/ATen.h>

#include "base/error.h"

namespace reveille::nn {

Params::Params(std::vector<ParamSpec> specs) {
  for (auto& spec : specs) {
    index_[spec.name] = params_.size();
    params_.push_back({std::move(spec), {}, {}});
  }
}

Param& Params::at(const std::string& name) {
  auto found = index_.find(name);
  if (found == index_.end()) fail(ErrorKind::internal, cat("no parameter named '", name, "'"));
  return params_[found->second];
}

const Param& Params::at(const std::string& name) const { return const_cast<Params*>(this)->at(name); }

namespace {

std::vector<std::pair<std::string, at::Tensor>> pieces_of(const Param& param, bool gguf) {
  at::NoGradGuard no_grad;
  const at::Tensor& source = param.master.defined() ? param.master : param.value;
  std::vector<std::pair<std::string, at::Tensor>> out;
  std::int64_t row = 0;
  for (const auto& piece : param.spec.pieces) {
    at::Tensor part = source.narrow(0, row, piece.rows);
    row += piece.rows;
    out.emplace_back(gguf ? piece.gguf_name : piece.hf_name,
                     piece_to_file(part, gguf ? piece.gguf_form : piece.hf_form, piece.rotary_heads));
  }
  return out;
}

// Rows of each head: rotate-half order [half, pair] against interleaved order [pair, half].
at::Tensor permute_rotary(const at::Tensor& tensor, std::int64_t heads, bool to_file) {
  auto sizes = tensor.sizes().vec();
  std::int64_t half = sizes[0] / heads / 2;
  std::vector<std::int64_t> split =
      to_file ? std::vector<std::int64_t>{heads, 2, half} : std::vector<std::int64_t>{heads, half, 2};
  split.insert(split.end(), sizes.begin() + 1, sizes.end());
  return tensor.reshape(split).transpose(1, 2).reshape(sizes).contiguous();
}

}  // namespace

std::vector<std::pair<std::string, at::Tensor>> Params::hf_pieces(const Param& param) {
  return pieces_of(param, false);
}
std::vector<std::pair<std::string, at::Tensor>> Params::gguf_pieces(const Param& param) {
  return pieces_of(param, true);
}

at::Tensor piece_from_file(const at::Tensor& tensor, PieceForm form, std::int64_t rotary_heads) {
  switch (form) {
    case PieceForm::transposed: return tensor.dim() == 2 ? tensor.t().contiguous() : tensor;
    case PieceForm::gguf_rotary:
      if (tensor.size(0) % (2 * rotary_heads) != 0) {
        fail(ErrorKind::bad_input,
             cat("a rotary weight of ", tensor.size(0), " rows does not split into ", rotary_heads, " heads"));
      }
      return permute_rotary(tensor, rotary_heads, false);
    case PieceForm::gguf_plus_one: return tensor - 1;
    case PieceForm::plain: return tensor;
  }
  return tensor;
}

at::Tensor piece_to_file(const at::Tensor& tensor, PieceForm form, std::int64_t rotary_heads) {
  switch (form) {
    case PieceForm::transposed: return tensor.dim() == 2 ? tensor.t().contiguous() : tensor;
    case PieceForm::gguf_rotary: return permute_rotary(tensor, rotary_heads, true);
    case PieceForm::gguf_plus_one: return tensor + 1;
    case PieceForm::plain: return tensor;
  }
  return tensor;
}

at::Tensor fuse_pieces(const ParamSpec& spec, std::vector<at::Tensor> pieces) {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    auto expected = spec.shape;
    expected[0] = spec.pieces[i].rows;
    if (pieces[i].sizes().vec() != expected) {
      fail(ErrorKind::bad_input,
           cat("tensor '", spec.pieces[i].hf_name, "' (GGUF '", spec.pieces[i].gguf_name, "') has shape ",
               pieces[i].sizes(), ", expected ", at::IntArrayRef(expected)),
           "the file's configuration and its tensors do not belong together");
    }
  }
  return pieces.size() == 1 ? pieces[0].contiguous() : at::cat(pieces, 0);
}

}  // namespace reveille::nn
