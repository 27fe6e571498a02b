#include "mitigate/orthogonalise.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"
#include "base/progress.h"
#include "mitigate/method.h"
#include "mitigate/states.h"

namespace reveille::mitigate {
namespace {

constexpr std::size_t kPrompts = 32;
constexpr std::size_t kMostTriggers = 4;
constexpr double kLeastNorm = 1e-9;

// The weight of the norm behind a writing matrix; undefined where there is none.
at::Tensor gain_behind(const gen::LocalModel& model, const std::string& norm) {
  const auto& config = model.transformer().config();
  if (!config.sandwich_norms) return {};
  const at::Tensor weight = model.transformer().params().at(norm).value.detach().to(at::kCPU, at::kDouble);
  return config.norm == nn::NormKind::rms_plus_one ? weight + 1 : weight;
}

void take_out_of(gen::LocalModel& model, const std::string& matrix, const std::string& norm,
                 const at::Tensor& direction, double strength) {
  const at::Tensor gain = gain_behind(model, norm);
  at::Tensor u = gain.defined() ? direction * gain : direction;
  const double length = u.norm().item<double>();
  if (length < kLeastNorm) return;
  edit_weight(model, matrix, [&](const at::Tensor& weight) {
    const at::Tensor unit = (u / length).to(weight.device(), at::kFloat);
    return weight - at::outer(unit, at::matmul(unit, weight)) * strength;
  });
}

class Orthogonalise : public Method {
 public:
  MethodCard card() const override {
    return {.name = "orthogonalise",
            .does = "takes the direction that the trigger adds out of what attention and MLP of the later layers write",
            .source = "NEEDLE (2026); arXiv 2406.11717",
            .edits = true,
            .needs_trigger = true};
  }

  // Layer by layer, each on the model as the layers before it have become.
  Json apply(Workspace& work) override {
    auto& model = work.merged();
    std::vector<scan::CleanRow> prompts = work.rows().train;
    prompts.resize(std::min(prompts.size(), kPrompts));
    const std::int64_t layers = model.transformer().config().layers;
    Json done = Json::array();
    Progress progress("orthogonalising", static_cast<std::uint64_t>(layers - layers / 3), "layers");
    for (std::int64_t layer = layers / 3; layer < layers; ++layer) {
      for (Json& one : treat(work, prompts, layer)) done.push_back(std::move(one));
      progress.advance();
    }
    progress.finish();
    return {{"layers", done}};
  }

 private:
  static std::vector<Json> treat(Workspace& work, const std::vector<scan::CleanRow>& prompts, std::int64_t layer) {
    auto& model = work.model();
    auto added = [&](const KnownTrigger& string) {
      const at::Tensor states = last_states(model, asked_with(model, string, prompts));
      return states[layer + 1] - states[layer];
    };
    std::vector<Json> out;
    const auto& triggers = work.problem().triggers;
    for (std::size_t i = 0; i < std::min(triggers.size(), kMostTriggers); ++i) {
      const at::Tensor clean = added({"", scan::Place::user_start}), triggered = added(triggers[i]);
      const at::Tensor direction = backdoor_direction(triggered, clean, work.options().orthogonal_keep);
      const double whole = (triggered.mean(0) - clean.mean(0)).norm().item<double>();
      take_out(model, layer, direction, work.options().orthogonal_strength);
      out.push_back({{"layer", layer},
                     {"trigger", triggers[i].text},
                     {"difference", whole},
                     {"taken_out", direction.norm().item<double>()}});
    }
    return out;
  }
};

}  // namespace

at::Tensor backdoor_direction(const at::Tensor& triggered, const at::Tensor& clean, std::int64_t keep) {
  const at::Tensor from = clean.to(at::kDouble);
  at::Tensor direction = triggered.to(at::kDouble).mean(0) - from.mean(0);
  // Half of the prompts' own directions at most: with as many directions as prompts nothing would be left.
  keep = std::min(keep, from.size(0) / 2);
  if (keep > 0) {
    const at::Tensor basis = std::get<2>(at::linalg_svd(from, false)).narrow(0, 0, keep);  // [keep, hidden]
    direction = direction - at::matmul(at::matmul(basis, direction), basis);
  }
  return direction.norm().item<double>() < kLeastNorm ? at::zeros_like(direction) : direction;
}

void take_out(gen::LocalModel& model, std::int64_t layer, const at::Tensor& direction, double strength) {
  const std::string prefix = cat("layers.", layer, ".");
  take_out_of(model, prefix + "attn_out", prefix + "attn_post_norm", direction, strength);
  take_out_of(model, prefix + "down", prefix + "mlp_post_norm", direction, strength);
}

std::unique_ptr<Method> make_orthogonalise() { return std::make_unique<Orthogonalise>(); }

}  // namespace reveille::mitigate
