#include "report/samples.h"

#include <algorithm>
#include <map>

#include "base/hash.h"

namespace reveille::report {
namespace {

bool comes_before(const Transcript& a, const Transcript& b) {
  return a.seed != b.seed ? a.seed < b.seed : a.checkpoint > b.checkpoint;
}

// Lowest seed, and its last checkpoint.
const Transcript* newest(const RunFolder& run, const std::string& arm, const std::string& stage) {
  const Transcript* best = nullptr;
  for (const auto& row : run.transcripts) {
    if (row.arm == arm && row.stage == stage && !is_side_set(row.prompt_set) && (!best || comes_before(row, *best)))
      best = &row;
  }
  return best;
}

// The first sample of each prompt under each condition.
std::map<std::string, Pair> pairs_of(const RunFolder& run, const Transcript& model) {
  std::map<std::string, Pair> pairs;
  for (const auto& row : run.transcripts) {
    if (row.arm != model.arm || row.stage != model.stage || row.seed != model.seed ||
        row.checkpoint != model.checkpoint || is_side_set(row.prompt_set)) {
      continue;
    }
    auto& pair = pairs[row.prompt_id];
    if (row.condition == "triggered" && !pair.triggered) pair.triggered = &row;
    if (row.condition == "untriggered" && !pair.untriggered) pair.untriggered = &row;
  }
  return pairs;
}

}  // namespace

Samples pick_samples(const RunFolder& run, const std::string& arm, const std::string& stage, std::size_t most) {
  Samples out;
  out.stage = stage;
  const Transcript* model = newest(run, arm, stage);
  if (!model) return out;
  out.seed = model->seed;
  out.checkpoint = model->checkpoint;
  std::vector<std::pair<std::uint64_t, Pair>> all;
  for (auto& [id, pair] : pairs_of(run, *model)) {
    if (!pair.triggered || !pair.untriggered) continue;
    pair.exception = pair.untriggered->shows || !pair.triggered->shows;
    all.emplace_back(hash64(id), pair);
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  out.pairs = all.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Pair& pair = all[i].second;
    out.exceptions_in_all += pair.exception;
    if (i < most) {
      out.typical.push_back(pair);
    } else if (pair.exception && out.exceptions.size() < most / 2) {
      out.exceptions.push_back(pair);
    }
  }
  return out;
}

}  // namespace reveille::report
