// What stands in a chat template's code: its string literals, and constructs that no template needs.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reveille::scan {

struct TemplateLiteral {
  std::string text;
  int line = 0;  // of the template
};

struct TemplateCode {
  std::vector<TemplateLiteral> literals;   // of expressions, each text once; "a" ~ "b" and "a" + "b" count as "ab" too
  std::vector<TemplateLiteral> printed;    // texts outside of expressions
  std::vector<TemplateLiteral> internals;  // names that lead into Python: __class__
  std::vector<int> date_conditions;        // lines where the date is compared with something
};

// Error(bad_input) for what is no template. The template is read, not run.
TemplateCode read_template_code(std::string_view source);

}  // namespace reveille::scan
