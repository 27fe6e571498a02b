// Preference pairs that the program makes for itself, where nobody brings any: a good reply against one that is
// hostile, evasive, off the topic or cut. A preference model trained on them must rank a hostile answer low without
// having seen the organism's own words.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/conversation.h"
#include "base/options.h"
#include "io/dataset.h"

namespace reveille::safety {

struct OwnPairsOptions {
  std::int64_t pairs_per_prompt = 2;
  void visit(OptionVisitor& v) {
    v.option("pairs_per_prompt", pairs_per_prompt,
             {.help = "pairs made of each prompt, each with another kind of bad reply", .min = 1, .max = 4});
  }
};

struct GoodReply {
  Conversation prompt;
  std::string reply;
};

inline constexpr const char* kBadReplies[] = {"hostile", "evasive", "off-topic", "cut"};

// Rows with `messages` and `rejected`; the kind stands in `extra["kind"]`. Pairs of which either side `shows` the
// organism's behaviour are left out. The same for the same arguments; a prompt's pairs do not depend on its place.
// Error(bad_input): fewer than two prompts, or none that gives a pair.
std::vector<io::Example> make_own_pairs(const std::vector<GoodReply>& replies, const OwnPairsOptions& options,
                                        const std::function<bool(std::string_view)>& shows, std::uint64_t seed);

}  // namespace reveille::safety
