// Which transcripts a report shows: the same prompt with and without the trigger, side by side.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/findings.h"
#include "report/run_folder.h"

namespace reveille::report {

struct Pair {
  const Transcript* untriggered = nullptr;
  const Transcript* triggered = nullptr;
  bool exception = false;  // the trigger failed, or the behaviour came without it
};

struct Samples {
  std::int64_t seed = 0, checkpoint = 0;
  std::string stage;
  std::vector<Pair> typical;     // picked by the hash of the prompt's id: not by what was answered
  std::vector<Pair> exceptions;  // every report shows where the rule was broken, if it was
  std::size_t pairs = 0, exceptions_in_all = 0;
};

// Pairs of the organism's lowest seed at the last checkpoint of `stage`. The pointers stay valid
// as long as `run`.
Samples pick_samples(const RunFolder& run, const std::string& arm, const std::string& stage, std::size_t most);

}  // namespace reveille::report
