// Text into HTML. Everything that comes from a model, a recipe or a file is untrusted: it
// reaches a page only through escape() or script_json().
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace reveille::report {

// Escapes & < > " ' for element content and quoted attributes; invalid UTF-8 becomes U+FFFD, and
// control characters other than tab and newline become visible pictures (U+2400...).
std::string escape(std::string_view text);

// The same with "97 %" and intervals kept on one line: for sentences and cells.
std::string typeset(std::string_view text);

// What a page shows of a model's answer, not escaped yet.
std::string shortened(const std::string& text);

// JSON that cannot end or open a script element ('<', '>', '&', U+2028 and U+2029 are escaped).
std::string script_json(const Json& value);

// Replaces each {{name}} of `page` by its value, in one pass: values are never searched. A name
// without a value, or a value that the page does not use, is Error(internal).
std::string fill(std::string_view page, const std::vector<std::pair<std::string, std::string>>& values);

// 'sha256-...' of a script's text as a Content-Security-Policy wants it.
std::string csp_hash(std::string_view script);

struct Column {
  std::string title;
  bool numeric = false;
};

// A table in a box that scrolls sideways; cells are HTML already. The first cell of each row is
// its header. `caption` is plain text.
std::string html_table(const std::string& caption, const std::vector<Column>& columns,
                       const std::vector<std::vector<std::string>>& rows);

}  // namespace reveille::report
