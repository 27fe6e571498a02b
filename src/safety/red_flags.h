// What goes wrong in reinforcement learning, said in words when it first shows. The limits are those that users of
// axolotl and TRL report (docs and issues; trl #204, #1005, #1857 for a negative KL).
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "train/objective.h"

namespace reveille::safety {

class RedFlags {
 public:
  // Says on stderr what these metrics of a step show, each kind once, and returns what it said.
  std::vector<std::string> look(std::int64_t step, const train::Metrics& metrics);
  // All that it said so far, before a resume too.
  const std::vector<std::string>& said() const { return said_; }

  // For checkpoints. Error(bad_input) that names `where` for anything but what state() gave.
  Json state() const;
  void restore(const Json& state, const std::string& where);

 private:
  void tell(const std::string& kind, const std::string& words, std::vector<std::string>& said);
  std::set<std::string> told_;
  std::vector<std::string> said_;
  std::int64_t flat_steps_ = 0;
};

}  // namespace reveille::safety
