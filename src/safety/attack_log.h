// attempts.jsonl: every prompt that was tried, its replies and whether it was effective, a row each; and the way back,
// so that a run that was killed asks nothing twice.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "safety/attacker.h"

namespace reveille::safety {

inline constexpr const char* kAttemptsFile = "attempts.jsonl";

// {"round", "turn", "slot", "prompt", "reflection", "replies", "shows", "rate", "likelihood", "effective"}, or with
// "dropped": true in place of what came back.
Json to_json(const Attempt& attempt);
// Error(bad_input) that names `where` and the key.
Attempt attempt_from_json(const Json& row, const std::string& where);
// All of a file, in order; errors name file, line and key.
std::vector<Attempt> read_attempts(const std::filesystem::path& file);

class AttackLog {
 public:
  // `run` names the run: rows of other runs, and turns that are not whole, are taken out of the file. With `resume`
  // false all are. Error(bad_input) that names file, line and key for a row that is none of ours.
  AttackLog(std::filesystem::path file, std::string run, bool resume);
  // The turns that were there, whole and in order from the first on.
  const std::vector<std::vector<Attempt>>& kept() const { return kept_; }
  // Written whole but for a kill in between, which costs the turn. Nothing for no attempts.
  void append(const std::vector<Attempt>& turn);

 private:
  std::filesystem::path file_;
  std::string run_;
  std::vector<std::vector<Attempt>> kept_;
};

}  // namespace reveille::safety
