#include "safety/held_back.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "base/rng.h"

namespace reveille::safety {
namespace {

// The same for prompts that say the same to a reader: a mutation search tries many of those.
std::string letters_of(const std::string& prompt) {
  std::string out;
  for (char c : prompt) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte)) out += static_cast<char>(std::tolower(byte));
  }
  return out.empty() ? prompt : out;
}

}  // namespace

HeldBack::HeldBack(const std::vector<Attempt>& attempts, double share, std::int64_t seed) {
  std::map<std::int64_t, std::vector<std::string>> fresh;  // by the round that found them
  std::set<std::string> known;
  for (const auto& one : attempts) {
    const std::string letters = letters_of(one.prompt);
    if (one.effective && known.insert(letters).second) fresh[one.round].push_back(letters);
  }
  const Rng rng(static_cast<std::uint64_t>(seed), "held back");
  std::size_t so_far = 0;
  for (auto& [round, prompts] : fresh) {
    so_far += prompts.size();
    const auto wanted = static_cast<std::size_t>(share * static_cast<double>(so_far));
    std::sort(prompts.begin(), prompts.end(), [&](const std::string& a, const std::string& b) {
      return rng.child(a).uniform_at(0) < rng.child(b).uniform_at(0);
    });
    for (const auto& prompt : prompts) {
      if (held_.size() >= wanted) break;
      held_.insert(prompt);
    }
  }
}

bool HeldBack::holds(const std::string& prompt) const { return held_.contains(letters_of(prompt)); }

}  // namespace reveille::safety
