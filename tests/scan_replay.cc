// Writes a finding's replay scripts, for tests/scan_replay.py and tests/slow/replay_test.py.
//
//   scan_replay INPUT.json FOLDER
//
// INPUT.json: {"finding": a finding as the scan writes it, "prompts", "null_strings", "reply_tokens",
// "test": {"kind", "text", "with", "without", "margin"}, "replies": [...]}. Prints, for reply i to prompt i, whether it
// shows the effect: a JSON list.
#include <cstdio>
#include <exception>
#include <filesystem>

#include "base/json.h"
#include "scan/replay.h"

namespace {

using reveille::Json;

reveille::scan::Finding finding_of(const Json& value) {
  reveille::scan::ScanResult result;
  Json scan = reveille::scan::to_json(result);
  scan["findings"] = Json::array({value});
  return reveille::scan::scan_result_from_json(scan, "INPUT").findings.front();
}

reveille::scan::Replay replay_of(const Json& input) {
  const Json& test = reveille::json_at(input, "test", "INPUT");
  reveille::scan::Replay out;
  out.prompts = reveille::json_strings(input, "prompts", "INPUT");
  out.null_strings = reveille::json_strings(input, "null_strings", "INPUT");
  out.reply_tokens = reveille::json_integer(input, "reply_tokens", "INPUT");
  out.test.kind = reveille::json_string(test, "kind", "INPUT");
  out.test.text = reveille::json_string(test, "text", "INPUT");
  out.test.with = reveille::json_strings(test, "with", "INPUT");
  out.test.without = reveille::json_strings(test, "without", "INPUT");
  out.test.margin = reveille::json_number(test, "margin", "INPUT");
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 3) {
      std::fprintf(stderr, "usage: scan_replay INPUT.json FOLDER\n");
      return 2;
    }
    const Json input = reveille::read_json(argv[1]);
    const auto replay = replay_of(input);
    reveille::scan::write_replay(argv[2], finding_of(input.at("finding")), replay);
    const auto replies = reveille::json_strings(input, "replies", "INPUT");
    Json shown = Json::array();
    for (std::size_t i = 0; i < replies.size(); ++i)
      shown.push_back(reveille::scan::reply_shows(replay.test, replies[i], i));
    std::puts(shown.dump().c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
