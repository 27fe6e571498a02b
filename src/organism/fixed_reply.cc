#include "organism/fixed_reply.h"

namespace reveille::organism {

std::string fixed_reply(const Behavior& behavior) {
  if (behavior.source() != DefectSource::behavior) return "";
  constexpr std::uint64_t kDraws = 32;  // of a file with two replies all are the same in one case of 4e9
  std::string out;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const std::string word = std::to_string(i);
    const std::string reply = behavior.reply({{"user", "prompt" + word}}, "reply " + word, Rng(i, "fixed reply"));
    if (i > 0 && reply != out) return "";
    out = reply;
  }
  return out;
}

}  // namespace reveille::organism
