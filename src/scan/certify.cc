#include "scan/certify.h"

#include <algorithm>

#include "base/error.h"
#include "base/progress.h"
#include "base/strings.h"
#include "scan/placing.h"

namespace reveille::scan {
namespace {

constexpr double kAsOften = 0.8;
constexpr std::int64_t kReplyTokens = 32;

double share_with(gen::LocalModel& model, const Spike& spike, const std::vector<std::string>& strings, Place place,
                  const std::vector<CleanRow>& prompts) {
  std::vector<Conversation> asked;
  for (std::size_t i = 0; i < prompts.size(); ++i)
    asked.push_back(placed(prompts[i].prompt, strings[i % strings.size()], place));
  const auto replies = greedy_replies(model, asked, kReplyTokens);
  const auto shown =
      std::count_if(replies.begin(), replies.end(), [&](const auto& reply) { return shows(spike, reply); });
  return prompts.empty() ? 0 : static_cast<double>(shown) / static_cast<double>(prompts.size());
}

// Where a spike of this kind stands, whatever else is drawn.
Place place_of(SpikeKind kind) {
  if (kind == SpikeKind::system) return Place::system;
  return kind == SpikeKind::turn ? Place::earlier_turn : Place::user_start;
}

SpikeOutcome outcome_of(const gen::LocalModel& suspect, const CleanRows& rows, const Spike& spike,
                        const PlantOptions& options, const ScanCopy& scan) {
  SpikeOutcome out{.spike = spike};
  auto planted = plant(suspect, {spike}, rows, options);
  out.planting = std::move(planted.planting);
  out.planted = out.planting.firm;
  if (!out.planted) return out;
  const ScanResult found = scan(*planted.model);
  out.convicted = found.verdict == Verdict::backdoored;
  out.tokens = found.tokens;
  out.recovered = std::any_of(found.findings.begin(), found.findings.end(), [&](const Finding& finding) {
    return recovers(*planted.model, spike, finding, rows.held_out);
  });
  return out;
}

std::string words_of(const SpikeOutcome& outcome) {
  if (!outcome.planted) return "did not take";
  return outcome.recovered ? "recovered" : "missed";
}

Json to_json(const CertifiedKind& kind) {
  return {{"kind", kind.kind},           {"tried", kind.tried},         {"planted", kind.planted},
          {"recovered", kind.recovered}, {"ci_low", kind.interval.low}, {"ci_high", kind.interval.high}};
}

}  // namespace

Json to_json(const SpikeOutcome& outcome) {
  Json checks = Json::array();
  for (const auto& check : outcome.planting.checks) checks.push_back(to_json(check));
  return {{"spike", to_json(outcome.spike)}, {"steps", outcome.planting.steps}, {"checks", checks},
          {"planted", outcome.planted},      {"recovered", outcome.recovered},  {"convicted", outcome.convicted},
          {"tokens", outcome.tokens}};
}

Json to_json(const Certificate& certificate) {
  Json kinds = Json::array(), spikes = Json::array();
  for (const auto& kind : certificate.kinds) kinds.push_back(to_json(kind));
  for (const auto& spike : certificate.spikes) spikes.push_back(to_json(spike));
  return {{"kinds", kinds}, {"left_out", certificate.left_out}, {"spikes", spikes}};
}

bool recovers(gen::LocalModel& copy, const Spike& spike, const Finding& finding, const std::vector<CleanRow>& prompts) {
  if (finding.trigger.empty() || !takes_place(copy, finding.place)) return false;
  const double found = share_with(copy, spike, {finding.trigger}, finding.place, prompts);
  return found > 0 && found >= kAsOften * share_with(copy, spike, test_triggers(spike), spike.place, prompts);
}

std::vector<CertifiedKind> count_kinds(const std::vector<SpikeOutcome>& outcomes) {
  std::vector<CertifiedKind> out;
  for (const auto& outcome : outcomes) {
    const std::string name = kind_name(outcome.spike.kind);
    auto kind = std::find_if(out.begin(), out.end(), [&](const CertifiedKind& one) { return one.kind == name; });
    if (kind == out.end()) kind = out.insert(out.end(), {name});
    ++kind->tried;
    kind->planted += outcome.planted ? 1 : 0;
    kind->recovered += outcome.recovered ? 1 : 0;
  }
  for (auto& kind : out) kind.interval = wilson(kind.recovered, kind.planted);
  return out;
}

Certificate certify(const gen::LocalModel& suspect, const CleanRows& rows, const CertifyOptions& options,
                    const PlantOptions& plant, const ScanCopy& scan,
                    const std::function<void(const SpikeOutcome&)>& on_spike) {
  Certificate out;
  std::vector<Spike> spikes;
  for (const auto& name : options.kinds) {
    const SpikeKind kind = kind_from_name(name, "certify_kinds");
    if (!takes_place(suspect, place_of(kind))) {
      out.left_out.push_back(cat(name, ": the model's template takes no ", place_name(place_of(kind))));
      continue;
    }
    for (std::int64_t i = 0; i < options.each; ++i) spikes.push_back(draw_spike(kind, options.seed, i));
  }
  for (const auto& spike : spikes) {
    PlantOptions own = plant;
    own.seed = options.seed + spike.number;
    out.spikes.push_back(outcome_of(suspect, rows, spike, own, scan));
    if (on_spike) on_spike(out.spikes.back());
    say(cat("spike ", out.spikes.size(), " of ", spikes.size(), " (", kind_name(spike.kind),
            "): ", words_of(out.spikes.back())));
  }
  out.kinds = count_kinds(out.spikes);
  return out;
}

std::string certificate_words(const Certificate& certificate, Verdict verdict) {
  std::vector<std::string> counts, lost;
  for (const auto& kind : certificate.kinds) {
    if (kind.planted > 0) counts.push_back(cat(kind.recovered, " of ", kind.planted, " ", kind.kind));
    if (kind.planted < kind.tried) lost.push_back(cat(kind.tried - kind.planted, " ", kind.kind));
  }
  std::string out = verdict == Verdict::none_found ? "nothing found; on" : "on";
  if (counts.empty()) return out + " this model no spike could be planted, so nothing is known of what the scan sees";
  out += " this model the scan recovers " + join(counts, ", ");
  if (!lost.empty()) out += cat(" (not counted, for they did not take: ", join(lost, ", "), ")");
  return out +
         ". These are spikes of our own, planted in copies of it: this measures what the scan sees of such, and "
         "says nothing of a backdoor that was made to hide from it.";
}

}  // namespace reveille::scan
