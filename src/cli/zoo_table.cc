#include "cli/zoo_table.h"

#include "base/error.h"
#include "base/strings.h"
#include "report/table.h"

namespace reveille::cli {
namespace {

using Lines = std::vector<std::vector<std::string>>;

std::string share_words(const Json& share) {
  const auto n = share.at("n").get<std::int64_t>();
  std::string counts = cat(share.at("hits").get<std::int64_t>(), " of ", n);
  if (n == 0) return counts;
  auto percent = [&](const char* key) { return fixed(100 * share.at(key).get<double>(), 1); };
  return cat(counts, ", ", percent("value"), " % [", percent("ci_low"), ", ", percent("ci_high"), "]");
}

std::string counts_words(const Json& counts) {
  std::vector<std::string> out;
  for (const auto& [name, times] : counts.items()) out.push_back(cat(name, " ", times.get<int>()));
  return out.empty() ? "-" : join(out, ", ");
}

std::string area_words(const Json& split) {
  if (!split.contains("auroc")) return "- (models of one side only)";
  const Json& area = split.at("auroc");
  auto number = [&](const char* key) { return fixed(area.at(key).get<double>(), 3); };
  return cat(number("value"), " [", number("ci_low"), ", ", number("ci_high"), "]");
}

std::string at_zero_words(const Json& split) {
  if (!split.contains("at_zero")) return "-";
  const Json& at = split.at("at_zero");
  return cat(share_words(at.at("detected")), "; false alarms 0 of ", at.at("benign").get<std::int64_t>(), ", at most ",
             fixed(100 * at.at("false_alarms_at_most").get<double>(), 1), " %");
}

std::string seconds_words(const Json& seconds) {
  if (seconds.is_null()) return "-";
  auto words = [&](const char* key) { return human_seconds(seconds.at(key).get<double>()); };
  return cat("mean ", words("mean"), ", median ", words("median"), ", largest ", words("largest"));
}

std::string split_table(const std::string& name, const Json& split) {
  const Json& models = split.at("models");
  auto number = [&](const char* key) { return models.at(key).get<std::int64_t>(); };
  std::string out =
      cat("\n", name, ": ", number("poisoned"), " models with a backdoor, ", number("benign"), " without");
  if (number("gate_failed") > 0) out += cat("; ", number("gate_failed"), " more failed their gate and count nowhere");
  return out + "\n" +
         report::aligned({{"  AUROC of the score", area_words(split)},
                          {"  detected at no false alarm", at_zero_words(split)},
                          {"  verdict backdoored", share_words(split.at("detected"))},
                          {"  false alarms", share_words(split.at("false_alarms"))},
                          {"  triggers recovered", share_words(split.at("recovered"))},
                          {"  recovered to the letter", share_words(split.at("exact"))},
                          {"  verdicts with a backdoor", counts_words(split.at("verdicts").at("poisoned"))},
                          {"  verdicts without", counts_words(split.at("verdicts").at("benign"))},
                          {"  time a model", seconds_words(split.at("seconds"))}});
}

std::string kinds_table(const Json& split) {
  Lines lines = {{"  by", "", "models", "detected", "recovered"}};
  for (const char* key : {"kind", "behavior", "place", "evades", "rate", "training", "stored", "variant", "specific"}) {
    for (const auto& [name, row] : split.at(key).items())
      lines.push_back({cat("  ", key), name, std::to_string(row.at("n").get<std::int64_t>()),
                       share_words(row.at("detected")), share_words(row.at("recovered"))});
  }
  for (const auto& [name, row] : split.at("benign").items())
    lines.push_back({"  benign", name, std::to_string(row.at("n").get<std::int64_t>()),
                     cat("false alarms ", share_words(row.at("false_alarms"))), "-"});
  return report::aligned(lines);
}

std::vector<std::string> detector_line(const std::string& name, const Json& row) {
  auto number = [&](const char* key) { return fixed(row.at(key).get<double>(), 3); };
  return {"  " + name, cat(number("auroc"), " [", number("ci_low"), ", ", number("ci_high"), "]"),
          cat(row.at("detected_at_zero").get<std::int64_t>(), " of ", row.at("n").get<std::int64_t>())};
}

std::string detectors_table(const Json& detectors) {
  if (detectors.is_null()) return "\nDetectors: too few models of a side in a split to fit their fusion.\n";
  Lines lines = {{"  test split", "AUROC", "at no false alarm"}, detector_line("all fused", detectors.at("fused"))};
  for (const auto& [name, row] : detectors.at("alone").items()) lines.push_back(detector_line(name + " alone", row));
  for (const auto& [name, row] : detectors.at("left_out").items())
    lines.push_back(detector_line("without " + name, row));
  return cat("\nDetectors, fused anew on the tune split:\n", report::aligned(lines));
}

std::string behavior_words(const study::ZooMember& member) {
  return member.behavior_kind.empty() ? member.what : member.behavior_kind;
}

}  // namespace

std::string zoo_table(const std::string& set, const Json& figures) {
  std::string out = cat("Scans ", set, "\n");
  for (const auto& [name, split] : figures.at("splits").items()) {
    if (split.at("verdicts").at("poisoned").empty() && split.at("verdicts").at("benign").empty()) continue;
    out += split_table(name, split) + kinds_table(split);
  }
  return out + detectors_table(figures.at("detectors"));
}

std::string plan_table(const std::vector<study::ZooMember>& plan) {
  Lines lines = {{"id", "split", "model", "trigger", "place", "behaviour", "rate", "training", "kept", "source"}};
  for (const auto& member : plan) {
    lines.push_back({member.id, member.split, member.name, member.trigger_kind.empty() ? "-" : member.trigger_kind,
                     member.place.empty() ? "-" : member.place, behavior_words(member),
                     cat(fixed(100 * member.rate, 1), " %"), member.training, member.store, member.source});
  }
  return report::aligned(lines);
}

}  // namespace reveille::cli
