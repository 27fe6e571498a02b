// Capability tasks from files in the forms in which they are published, as lm-evaluation-harness poses them.
//
//   LAMBADA (Paperno et al., arXiv 1606.06031)   {"text"}, the last word is to be said; or {"context", "continuation"}
//   ARC (Clark et al., arXiv 1803.05457)         {"question": {"stem", "choices": [{"text", "label"}]}, "answerKey"},
//   or
//                                                {"question", "choices": {"text", "label"}, "answerKey"}
//   PIQA (Bisk et al., arXiv 1911.11641)         {"goal", "sol1", "sol2", "label"}
//   either of these                              {"query", "choices", "gold"}
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reveille::eval {

struct CapabilityItem {
  std::string context;
  std::vector<std::string> choices;  // as they follow the context: the space between is theirs
  std::size_t gold = 0;
};

struct CapabilityTask {
  std::string name;        // the file's, without its ending
  bool last_word = false;  // one continuation a row, that greedy decoding must say; else the likeliest choice counts
  std::vector<CapabilityItem> items;
};

// `limit` rows; 0 means all. Error(bad_input) names file, row and key.
CapabilityTask read_capability_task(const std::string& file, std::int64_t limit = 0);

}  // namespace reveille::eval
