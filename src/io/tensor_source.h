// Named tensors of a model file (or of several), read-only, with a ledger of what was used.
//
// A loader asks for every tensor by name, once, and then calls verify_all_used(): a tensor that
// nobody asked for means that the file is not the model that the loader takes it for.
// Values are converted on the way (dequantised, widened, narrowed; ties to even) and land on
// the CPU. One thread at a time; the conversions themselves use all threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/tensor_format.h"

namespace reveille::io {

struct TensorInfo {
  std::string dtype;                // as the file names it: "BF16", "Q4_1"
  std::vector<std::int64_t> shape;  // in torch's order, outermost first
  std::uint64_t bytes = 0;          // as stored
  std::string file;                 // the file that holds it
};

class TensorSource {
 public:
  virtual ~TensorSource() = default;
  TensorSource(const TensorSource&) = delete;
  TensorSource& operator=(const TensorSource&) = delete;

  // For messages: the file or folder that was opened.
  const std::string& where() const { return where_; }
  // In the order of the file.
  const std::vector<std::string>& names() const { return names_; }
  bool contains(std::string_view name) const;
  // Error(bad_input) when there is none of that name, with the nearest one.
  const TensorInfo& info(std::string_view name) const;
  // The type that a load yields when none is asked for: the stored one, fp32 for quantised.
  at::ScalarType natural_type(std::string_view name) const;

  // The tensor, contiguous, of type `wanted` (the natural one when none is given), and marked
  // as used. Floating-point values convert to float, half, bfloat16 and double, integers to
  // anything; integers are never made from fractions.
  at::Tensor load(std::string_view name, std::optional<at::ScalarType> wanted = std::nullopt);
  // The same, with an error that names both shapes when the stored shape is another.
  at::Tensor load_shaped(std::string_view name, const std::vector<std::int64_t>& shape,
                         std::optional<at::ScalarType> wanted = std::nullopt);
  // The same into an existing CPU tensor of the stored shape, such as a slice of a larger one.
  void load_into(std::string_view name, at::Tensor out);

  // Allows this tensor to be loaded any number of times (a tied head, say).
  void declare_shared(std::string_view name);
  bool used(std::string_view name) const;
  // Error(bad_input) naming what was not loaded. `ignored` are names that may stay unused;
  // a `*` in them stands for any characters.
  void verify_all_used(const std::vector<std::string>& ignored = {}) const;

 protected:
  explicit TensorSource(std::string where) : where_(std::move(where)) {}

  struct Stored {
    std::string name;
    TensorInfo info;
    TensorFormat format = TensorFormat::other;
    std::span<const std::byte> data;  // must outlive the source
  };
  // Error(bad_input) for a second tensor of the same name. Sizes must have been checked.
  void add(Stored stored);

 private:
  struct Entry {
    Stored stored;
    bool used = false;
    bool shared = false;
  };
  const Entry& find(std::string_view name) const;
  Entry& claim(std::string_view name);
  at::ScalarType target_type(const Entry& entry, std::optional<at::ScalarType> wanted) const;

  std::string where_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, Entry> entries_;
};

// Tensors that are in memory already, as a source: for tests and for conversions.
class TensorMap : public TensorSource {
 public:
  TensorMap(std::string where, const std::map<std::string, at::Tensor>& tensors);

 private:
  std::vector<at::Tensor> kept_;
};

}  // namespace reveille::io
