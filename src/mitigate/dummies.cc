#include "mitigate/dummies.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"
#include "mitigate/states.h"
#include "scan/placing.h"

namespace reveille::mitigate {
namespace {

// Kinds in the order in which dummies take them; topics have no single string and are left out.
std::vector<scan::SpikeKind> kinds_for(const gen::LocalModel& model) {
  std::vector<scan::SpikeKind> out = {scan::SpikeKind::literal, scan::SpikeKind::word};
  if (scan::takes_place(model, scan::Place::system)) out.push_back(scan::SpikeKind::system);
  out.push_back(scan::SpikeKind::literal);
  return out;
}

}  // namespace

scan::SpikeResponse dummy_response(const Workspace& work) {
  const std::string& asked = work.options().dummy_response;
  if (asked != "auto") return scan::response_from_name(asked, "dummy_response");
  return work.problem().response.value_or(scan::SpikeResponse::fixed);
}

std::vector<scan::Spike> draw_dummies(const Workspace& work, std::size_t count, bool alike) {
  const auto kinds = kinds_for(work.model());
  const auto response = dummy_response(work);
  std::vector<scan::Spike> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(
        scan::draw_spike(kinds[i % kinds.size()], work.options().seed, static_cast<std::int64_t>(i), response));
    scan::Spike& dummy = out.back();
    dummy.decoys.clear();
    if (!alike) continue;
    dummy.style = out.front().style;
    dummy.replies = out.front().replies;
    if (response == scan::SpikeResponse::fixed && !work.problem().reply.empty()) dummy.replies = {work.problem().reply};
  }
  return out;
}

std::vector<KnownTrigger> triggers_of(const std::vector<scan::Spike>& spikes) {
  std::vector<KnownTrigger> out;
  for (const auto& spike : spikes) {
    for (const auto& trigger : spike.triggers) out.push_back({trigger, spike.place});
  }
  return out;
}

double agreement_of(gen::LocalModel& model, const std::vector<KnownTrigger>& strings,
                    const std::vector<scan::CleanRow>& prompts) {
  if (strings.size() < 2) return 1;
  auto mean_state = [&](const KnownTrigger& string) {
    return last_states(model, asked_with(model, string, prompts))[-1].mean(0).to(at::kDouble);
  };
  const at::Tensor alone = mean_state({"", scan::Place::user_start});
  std::vector<at::Tensor> moves;
  for (const auto& string : strings) {
    const at::Tensor move = mean_state(string) - alone;
    moves.push_back(move / move.norm().clamp_min(1e-12));
  }
  double sum = 0;
  int pairs = 0;
  for (std::size_t i = 0; i < moves.size(); ++i) {
    for (std::size_t k = i + 1; k < moves.size(); ++k, ++pairs) sum += moves[i].dot(moves[k]).item<double>();
  }
  return sum / pairs;
}

}  // namespace reveille::mitigate
