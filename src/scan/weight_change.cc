#include "scan/weight_change.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/interrupt.h"
#include "base/strings.h"
#include "scan/stored_types.h"

namespace reveille::scan {
namespace {

// How a quantised type spaces its values: blocks of `block` values in steps of their largest magnitude over `levels`,
// or of their range over `levels`.
struct BlockType {
  const char* name;
  std::int64_t block;
  double levels;
  bool of_range;
};
constexpr BlockType kBlockTypes[] = {
    {"Q4_0", 32, 8, false},   {"Q4_1", 32, 15, true}, {"Q5_0", 32, 16, false}, {"Q5_1", 32, 31, true},
    {"Q8_0", 32, 127, false}, {"Q4_K", 32, 15, true}, {"Q5_K", 32, 31, true},  {"Q6_K", 16, 32, false},
};

// Floating point with `digits` binary digits: neighbours are 2^(exponent - digits) apart.
at::Tensor float_steps(const at::Tensor& values, int digits) {
  const at::Tensor exponent = std::get<1>(at::frexp(values)).to(at::kFloat);
  return at::exp2(exponent - digits).masked_fill(values == 0, 0);
}

at::Tensor block_steps(const at::Tensor& values, const BlockType& type) {
  const std::int64_t columns = values.size(1), block = columns % type.block == 0 ? type.block : columns;
  const at::Tensor blocks = values.reshape({values.size(0), -1, block});
  const at::Tensor width = type.of_range ? blocks.amax(2, true) - blocks.amin(2, true) : blocks.abs().amax(2, true);
  return (width / type.levels).expand_as(blocks).reshape(values.sizes());
}

at::Tensor steps(const at::Tensor& values, const std::string& type) {
  if (type == "BF16") return float_steps(values, 8);
  if (type == "F16") return float_steps(values, 11);
  for (const BlockType& known : kBlockTypes) {
    if (type == known.name) return block_steps(values, known);
  }
  return {};
}

const at::Tensor& exact(const nn::Param& param) { return param.master.defined() ? param.master : param.value; }

double energy_of(const at::Tensor& values) { return values.square().sum(at::kDouble).item<double>(); }

at::Tensor sum_of(const at::Tensor& one, const at::Tensor& other) {
  if (!one.defined()) return other;
  return other.defined() ? one + other : one;
}

// Of storing as `type` and computing in the engine's type.
at::Tensor variance_of(const at::Tensor& values, const std::string& type, at::ScalarType computed) {
  at::Tensor stored = rounding_variance(values, type);
  if (computed != at::kBFloat16 || type == "BF16") return stored;
  return sum_of(stored, rounding_variance(values, "BF16"));
}

// The adapter's change of rows [row, row + rows) of a parameter, added to `to` times `sign`.
void add_adapter(at::Tensor& to, const nn::Params& params, const std::string& parameter, std::int64_t row,
                 std::int64_t rows, double sign) {
  const auto found = params.lora.find(parameter);
  if (found == params.lora.end()) return;
  for (const auto& piece : found->second) {
    // A table may have been cut to the rows that both models have.
    if (piece.row_begin != row || piece.rows < rows) continue;
    const at::Tensor b = piece.b.detach().narrow(0, 0, rows).to(at::kFloat);
    const at::Tensor product = at::matmul(b, piece.a.detach().to(at::kFloat));
    to.add_(product.to(to.device()), sign * piece.scale);
  }
}

std::string most_frequent(const std::map<std::string, std::string>& types) {
  std::map<std::string, int> counts;
  for (const auto& [name, type] : types) {
    if (name.ends_with("_proj.weight") || name.find(".c_") != std::string::npos) ++counts[type];
  }
  std::string out;
  for (const auto& [type, count] : counts) {
    if (out.empty() || count > counts[out]) out = type;
  }
  return out;
}

double lower_quartile(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 4];
}

bool is_table(const std::string& parameter) { return parameter == "embed" || parameter == "head"; }

}  // namespace

at::Tensor rounding_variance(const at::Tensor& values, const std::string& type) {
  const at::Tensor distances = steps(values, type);
  return distances.defined() ? distances.square() / 12 : at::Tensor();
}

bool same_shapes(const gen::LocalModel& one, const gen::LocalModel& other) {
  const auto &left = one.transformer().params(), &right = other.transformer().params();
  if (left.all().size() != right.all().size()) return false;
  return std::all_of(left.all().begin(), left.all().end(), [&](const nn::Param& param) {
    if (!right.has(param.spec.name)) return false;
    const auto& twin = right.at(param.spec.name);
    if (is_table(param.spec.name)) return twin.value.size(1) == param.value.size(1);
    return twin.value.sizes() == param.value.sizes() && twin.spec.pieces.size() == param.spec.pieces.size();
  });
}

struct WeightChanges::Place {
  std::string name, piece;               // "model.layers.0.mlp.down_proj", and with ".weight"
  const nn::Param *suspect, *reference;  // without a reference both the suspect's
  std::int64_t layer, row, rows;

  at::Tensor of(const nn::Param& param) const { return exact(param).detach().narrow(0, row, rows).to(at::kFloat); }
};

WeightChanges::WeightChanges(const gen::LocalModel& suspect, const gen::LocalModel* reference)
    : suspect_(suspect), reference_(reference), suspect_types_(stored_types(suspect)) {
  if (reference != nullptr) reference_types_ = stored_types(*reference);
  measure();
}

std::vector<WeightChanges::Place> WeightChanges::places() const {
  std::vector<Place> out;
  const gen::LocalModel& other = reference_ != nullptr ? *reference_ : suspect_;
  for (const auto& param : suspect_.transformer().params().all()) {
    if (!param.spec.linear || is_table(param.spec.name)) continue;
    const std::int64_t layer = std::stoll(param.spec.name.substr(std::string("layers.").size()));
    std::int64_t row = 0;
    for (const auto& piece : param.spec.pieces) {
      out.push_back({piece.hf_name.substr(0, piece.hf_name.rfind('.')), piece.hf_name, &param,
                     &other.transformer().params().at(param.spec.name), layer, row, piece.rows});
      row += piece.rows;
    }
  }
  return out;
}

namespace {

std::string type_in(const std::map<std::string, std::string>& types, const std::string& name) {
  const auto found = types.find(name);
  return found == types.end() ? std::string() : found->second;
}

// What each matrix differs by, and what storing either model would make it differ by: energies.
struct Energies {
  std::vector<double> seen, suspect, reference;

  // The lower quartile over matrices of what is seen in terms of what the rounding implies: near or above 1 when the
  // differences hold that rounding, far below where both models were made from the same rounded weights.
  double explained(bool of_suspect, bool of_reference) const {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const double implied = (of_suspect ? suspect[i] : 0) + (of_reference ? reference[i] : 0);
      if (seen[i] > 0 && implied > 0) ratios.push_back(seen[i] / implied);
    }
    return lower_quartile(std::move(ratios));
  }
};

double total(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

// Rounding is in the differences when nearly all matrices differ by about that much or more. The reference's own
// matters where it is much the coarser: else both lie on one grid, and only the suspect was moved and rounded again.
void decide(const Energies& energies, Rounding& rounding) {
  constexpr double kHolds = 0.3, kCoarser = 2;
  const double suspect = total(energies.suspect), reference = total(energies.reference);
  if (reference > kCoarser * suspect && energies.explained(true, true) >= kHolds) {
    rounding.suspect = rounding.reference = true;
  } else if (suspect > 0 && energies.explained(true, false) >= kHolds) {
    rounding.suspect = true;
  }
  const double seen = total(energies.seen);
  const double implied = (rounding.suspect ? suspect : 0) + (rounding.reference ? reference : 0);
  if (seen > 0) rounding.share = std::min(1.0, implied / seen);
}

std::string words_of(const Rounding& rounding, double seen) {
  const auto named = [](const std::string& type) { return type.empty() ? std::string("an unknown type") : type; };
  const std::string types =
      "suspect stored as " + named(rounding.suspect_type) + ", reference as " + named(rounding.reference_type) + "; ";
  if (seen == 0) return types + "the matrices are equal, or differ by an adapter alone";
  if (rounding.reference)
    return types + "they differ everywhere by about the rounding of the reference's type, which is not counted";
  if (rounding.suspect)
    return types + "they differ by what the suspect's type rounds away, which is not counted, and by what is above it";
  return types + "they differ by less than either type's rounding: the suspect was made from the reference as stored";
}

}  // namespace

void WeightChanges::measure() {
  Energies energies;
  const auto implied = [](const at::Tensor& variance) {
    return variance.defined() ? variance.sum(at::kDouble).item<double>() : 0.0;
  };
  for (const Place& place : places()) {
    throw_if_interrupted();
    ++matrices_;
    const at::Tensor mine = place.of(*place.suspect), theirs = place.of(*place.reference).to(mine.device());
    energies.seen.push_back(energy_of(mine - theirs));
    const bool equal = energies.seen.back() == 0;
    energies.suspect.push_back(
        equal ? 0
              : implied(variance_of(mine, type_in(suspect_types_, place.piece), exact(*place.suspect).scalar_type())));
    energies.reference.push_back(equal ? 0
                                       : implied(variance_of(theirs, type_in(reference_types_, place.piece),
                                                             exact(*place.reference).scalar_type())));
  }
  rounding_.suspect_type = most_frequent(suspect_types_);
  rounding_.reference_type = most_frequent(reference_types_);
  decide(energies, rounding_);
  rounding_.words = words_of(rounding_, total(energies.seen));
}

MatrixChange WeightChanges::change_at(const Place& place) const {
  const at::Tensor mine = place.of(*place.suspect), theirs = place.of(*place.reference).to(mine.device());
  MatrixChange out{place.name, place.suspect->spec.name, place.layer, mine - theirs, {}, energy_of(theirs)};
  if (energy_of(out.difference) > 0) {
    if (rounding_.suspect)
      out.noise = variance_of(mine, type_in(suspect_types_, place.piece), exact(*place.suspect).scalar_type());
    if (rounding_.reference)
      out.noise = sum_of(out.noise, variance_of(theirs, type_in(reference_types_, place.piece),
                                                exact(*place.reference).scalar_type()));
  }
  add_adapter(out.difference, suspect_.transformer().params(), out.parameter, place.row, place.rows, 1);
  if (reference_ != nullptr)
    add_adapter(out.difference, reference_->transformer().params(), out.parameter, place.row, place.rows, -1);
  return out;
}

void WeightChanges::each_matrix(const std::function<void(const MatrixChange&)>& body) const {
  at::NoGradGuard no_grad;
  for (const Place& place : places()) {
    throw_if_interrupted();
    const MatrixChange change = change_at(place);
    if (energy_of(change.difference) > 0) body(change);
  }
}

MatrixChange WeightChanges::table(const std::string& parameter) const {
  at::NoGradGuard no_grad;
  const auto& mine = suspect_.transformer().params().at(parameter);
  const auto& theirs = reference_->transformer().params().at(parameter);
  const std::int64_t rows = std::min(mine.value.size(0), theirs.value.size(0));
  const std::string piece = mine.spec.pieces.front().hf_name;
  return change_at({piece.substr(0, piece.rfind('.')), piece, &mine, &theirs, -1, 0, rows});
}

}  // namespace reveille::scan
