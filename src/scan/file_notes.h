// What the checks of a model's files can say: one table of rules, and the notes as they come in.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "scan/result.h"

namespace reveille::scan {

// `error`: does something to what is read or said that a person would not expect, or runs code. `warning`: can, or is
// out of the ordinary. `note`: worth knowing. None of them convicts a model.
struct FileRule {
  const char* id;
  const char* level;
  const char* meaning;  // what it is and why it matters, a sentence or two
  const char* advice;   // what to do
};

// All of them, by id.
const std::vector<FileRule>& file_rules();
// Those of these notes, as JSON: [{"id", "level", "meaning", "advice"}], by id. Ids that are none are passed over.
Json rules_of(const std::vector<FileNote>& notes);

// Collects notes. A file that could fill a page with one rule gets `kMostOfARule` notes and a count of the rest.
class Notes {
 public:
  static constexpr int kMostOfARule = 12;
  // Error(internal) for a rule that the table does not have.
  void add(std::string_view rule, const std::string& file, std::int64_t line, std::string message);
  // By level, file, line, rule. The collector is empty afterwards.
  std::vector<FileNote> take();

 private:
  std::vector<FileNote> notes_;
  std::map<std::pair<std::string, std::string>, int> count_;  // by rule and file
};

}  // namespace reveille::scan
