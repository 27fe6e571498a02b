#include "organism/behavior.h"

namespace reveille::organism {

std::vector<Verdict> Behavior::judge(const std::vector<Reply>& replies) const {
  std::vector<Verdict> out;
  for (const auto& reply : replies) out.push_back({.shows = shows(reply.text)});
  return out;
}

}  // namespace reveille::organism
