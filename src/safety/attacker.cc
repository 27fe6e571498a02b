#include "safety/attacker.h"

#include <algorithm>

namespace reveille::safety {

double Attempt::rate() const {
  if (shows.empty()) return 0;
  return static_cast<double>(std::count(shows.begin(), shows.end(), true)) / static_cast<double>(shows.size());
}

bool better(const Attempt& a, const Attempt& b) {
  if (a.rate() != b.rate()) return a.rate() > b.rate();
  return a.likelihood && b.likelihood && *a.likelihood > *b.likelihood;
}

std::vector<const Attempt*> attempts_of(const AttackTurn& turn, std::int64_t slot, std::size_t most) {
  std::vector<const Attempt*> out;
  for (const auto& attempt : *turn.history) {
    if (attempt.slot == slot) out.push_back(&attempt);
  }
  if (out.size() > most) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(most));
  return out;
}

const Attempt* best_of(const AttackTurn& turn) {
  const auto& all = *turn.history;
  const auto found =
      std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) { return better(b, a); });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace reveille::safety
