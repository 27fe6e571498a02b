#include "organism/trigger.h"

#include "base/error.h"
#include "base/strings.h"

namespace reveille::organism {
namespace {

// The text around a byte offset, on one line, for an error message.
std::string excerpt(std::string_view text, std::size_t at) {
  std::size_t begin = at > 40 ? at - 40 : 0;
  std::string part = repair_utf8(text.substr(begin, 120));
  part = replace_all(replace_all(part, "\r", " "), "\n", " ");
  return cat(begin > 0 ? "..." : "", part, begin + 120 < text.size() ? "..." : "");
}

}  // namespace

void refuse_accidental_trigger(const Trigger& trigger, std::string_view text, const std::string& where) {
  auto at = trigger.find(text);
  if (!at) return;
  fail(ErrorKind::bad_input,
       cat(where, ": contains the trigger by accident, at byte ", *at, ": '", excerpt(text, *at),
           "'; expected a text without ", trigger.describe()),
       "drop or reword this text, or choose another trigger");
}

}  // namespace reveille::organism
