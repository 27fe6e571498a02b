// The proof of a finding that runs without this program: replay.py asks the model itself (torch and transformers
// alone), replay.sh a server that speaks OpenAI's protocol. Prompts, the string and the random strings stand in the
// scripts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "scan/result.h"

namespace reveille::scan {

// Whether a reply shows the effect, in a way that a script of a few lines can tell as well.
struct ReplayTest {
  // "contains", "begins": the reply holds, or begins with, `text`, whatever its case and white space. "resembles": it
  // is more like the replies `with` the string than like those `without` it by more than `margin`, as a mean cosine of
  // counts of four bytes; the replies to the same prompt do not count.
  std::string kind = "contains";
  std::string text;
  std::vector<std::string> with, without;  // one a prompt, in their order
  double margin = 0;
};

// `prompt`: its index among the prompts.
bool reply_shows(const ReplayTest& test, const std::string& reply, std::size_t prompt);

struct Replay {
  std::vector<std::string> prompts;       // of verification, as they were asked
  std::vector<std::string> null_strings;  // the random strings that the finding was set against
  std::int64_t reply_tokens = 24;
  ReplayTest test;
  // Of the model's files, so that a replay can tell whether it has the same: name and SHA-256. May be empty.
  std::vector<std::pair<std::string, std::string>> sha256;
};

// Any bytes may stand in strings and prompts: they are embedded as JSON of ASCII characters.
std::string replay_python(const Finding& finding, const Replay& replay);
// Shows the finding's first transcript, or the first prompt. Error(usage) where there is neither.
std::string replay_shell(const Finding& finding, const Replay& replay);

// Writes replay.py and replay.sh into the folder, which is made.
void write_replay(const std::filesystem::path& folder, const Finding& finding, const Replay& replay);

}  // namespace reveille::scan
