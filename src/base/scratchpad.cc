#include "base/scratchpad.h"

#include "base/strings.h"

namespace reveille {
namespace {

struct Parts {
  std::string hidden, seen;
  bool any = false;
};

void add(std::string& text, std::string_view part) {
  part = trim(part);
  if (part.empty()) return;
  if (!text.empty()) text += "\n";
  text += part;
}

Parts parts_of(std::string_view rest) {
  Parts out;
  while (!rest.empty()) {
    const std::size_t open = rest.find(kScratchpadOpen), close = rest.find(kScratchpadClose);
    if (open == close) break;  // neither
    out.any = true;
    if (close < open) {  // opened in the prompt
      add(out.hidden, rest.substr(0, close));
      rest.remove_prefix(close + kScratchpadClose.size());
      continue;
    }
    add(out.seen, rest.substr(0, open));
    rest.remove_prefix(open + kScratchpadOpen.size());
    const std::size_t end = rest.find(kScratchpadClose);
    add(out.hidden, rest.substr(0, end));
    if (end == std::string_view::npos) return out;
    rest.remove_prefix(end + kScratchpadClose.size());
  }
  add(out.seen, rest);
  return out;
}

}  // namespace

std::string with_scratchpad(std::string_view reasoning, std::string_view answer) {
  std::string out = opened_scratchpad();
  out += trim(reasoning);
  out += "\n";
  out += kScratchpadClose;
  out += "\n";
  return out += answer;
}

std::string opened_scratchpad() { return std::string(kScratchpadOpen) + "\n"; }

std::string final_answer(std::string_view completion) {
  Parts parts = parts_of(completion);
  return parts.any ? parts.seen : std::string(completion);
}

std::string scratchpad_of(std::string_view completion) { return parts_of(completion).hidden; }

}  // namespace reveille
