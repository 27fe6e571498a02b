#include "nn/rope.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace reveille::nn {
namespace {

using std::numbers::pi;

std::vector<float> base_frequencies(double theta, std::int64_t head_dim) {
  std::vector<float> out;
  for (std::int64_t i = 0; i < head_dim; i += 2) {
    auto exponent = static_cast<float>(i) / static_cast<float>(head_dim);
    out.push_back(1.0F / std::pow(static_cast<float>(theta), exponent));
  }
  return out;
}

// Llama 3.1: long wavelengths are slowed by the factor, short ones kept, a ramp between.
void scale_llama3(std::vector<float>& frequencies, const RopeConfig& rope) {
  const double low = rope.original_max_position / rope.low_freq_factor;
  const double high = rope.original_max_position / rope.high_freq_factor;
  for (float& frequency : frequencies) {
    double wavelength = 2 * pi / frequency;
    if (wavelength < high) continue;
    if (wavelength > low) {
      frequency = static_cast<float>(frequency / rope.factor);
      continue;
    }
    double smooth = (rope.original_max_position / wavelength - rope.low_freq_factor) /
                    (rope.high_freq_factor - rope.low_freq_factor);
    frequency = static_cast<float>((1 - smooth) * frequency / rope.factor + smooth * frequency);
  }
}

double yarn_mscale(double scale, double mscale) { return scale <= 1 ? 1.0 : 0.1 * mscale * std::log(scale) + 1.0; }

// YaRN, arXiv 2309.00071 §3.2: interpolate the dimensions that turn less than beta_slow times
// over the original context, keep those that turn more than beta_fast times, a ramp between.
void scale_yarn(std::vector<float>& frequencies, const RopeConfig& rope, std::int64_t head_dim) {
  auto dimension_of = [&](double rotations) {
    return static_cast<double>(head_dim) * std::log(rope.original_max_position / (rotations * 2 * pi)) /
           (2 * std::log(rope.theta));
  };
  double low = dimension_of(rope.beta_fast), high = dimension_of(rope.beta_slow);
  if (rope.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(head_dim - 1));
  if (low == high) high += 0.001;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] = static_cast<float>(frequencies[i] / rope.factor * ramp + frequencies[i] * (1 - ramp));
  }
}

bool same_factors(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](double x, double y) { return std::fabs(x - y) <= 1e-5 * std::fabs(y); });
}

}  // namespace

double yarn_attention_factor(const RopeConfig& rope) {
  if (rope.attention_factor > 0) return rope.attention_factor;
  if (rope.mscale > 0 && rope.mscale_all_dim > 0) {
    return yarn_mscale(rope.factor, rope.mscale) / yarn_mscale(rope.factor, rope.mscale_all_dim);
  }
  return yarn_mscale(rope.factor, 1);
}

std::vector<double> llama3_factors(const RopeConfig& rope, std::int64_t head_dim) {
  const auto plain = base_frequencies(rope.theta, head_dim);
  auto scaled = plain;
  scale_llama3(scaled, rope);
  std::vector<double> out;
  for (std::size_t i = 0; i < plain.size(); ++i) out.push_back(static_cast<double>(plain[i]) / scaled[i]);
  return out;
}

std::optional<RopeConfig> rule_of_factors(const std::vector<double>& factors, double theta, std::int64_t head_dim) {
  if (factors.empty() || static_cast<std::int64_t>(factors.size()) != head_dim / 2) return std::nullopt;
  RopeConfig rope;
  rope.theta = theta;
  const double largest = *std::max_element(factors.begin(), factors.end());
  if (same_factors(factors, std::vector<double>(factors.size(), 1))) return rope;
  rope.type = "llama3";
  // The largest divisor is the factor wherever any wavelength is long enough; 8 and 32 are those of Llama 3.1 and 3.2.
  for (double factor : {largest, 8.0, 32.0}) {
    rope.factor = factor;
    for (int power = 3; power <= 20; ++power) {
      rope.original_max_position = power == 3 ? 8192 : std::ldexp(1.0, power);  // Meta's first
      if (same_factors(llama3_factors(rope, head_dim), factors)) return rope;
    }
  }
  return std::nullopt;
}

std::pair<at::Tensor, at::Tensor> rope_tables(const RopeConfig& rope, const std::vector<double>& factors,
                                              std::int64_t head_dim, std::int64_t positions, at::Device device) {
  auto frequencies = base_frequencies(rope.theta, head_dim);
  double attention_factor = 1;
  if (!factors.empty()) {
    if (factors.size() != frequencies.size()) {
      fail(ErrorKind::bad_input, cat("rope_freqs holds ", factors.size(), " values, expected ", frequencies.size()));
    }
    for (std::size_t i = 0; i < factors.size(); ++i) frequencies[i] = static_cast<float>(frequencies[i] / factors[i]);
  } else if (rope.type == "linear") {
    for (float& frequency : frequencies) frequency = static_cast<float>(frequency / rope.factor);
  } else if (rope.type == "llama3") {
    scale_llama3(frequencies, rope);
  } else if (rope.type == "yarn") {
    scale_yarn(frequencies, rope, head_dim);
    attention_factor = yarn_attention_factor(rope);
  } else if (rope.type != "default") {
    fail(ErrorKind::unsupported, cat("rope type '", rope.type, "' is not supported"),
         "supported are default, linear, llama3 and yarn");
  }
  auto turn = at::tensor(frequencies, at::kFloat);
  auto angles = at::outer(at::arange(positions, at::kFloat), turn);
  angles = at::cat({angles, angles}, 1);
  return {(angles.cos() * attention_factor).contiguous().to(device),
          (angles.sin() * attention_factor).contiguous().to(device)};
}

}  // namespace reveille::nn
