// A compiled Jinja template, in the dialect of chat templates.
//
// It prints the same bytes as Python's jinja2 set up as Hugging Face transformers does: immutable
// sandbox, trim_blocks, lstrip_blocks, loop controls, {% generation %}, its own tojson,
// raise_exception and strftime_now. Not supported, and named in the Error: recursive loops,
// inheritance and imports, and the filters that make web pages.
//
// Known differences: integers are of 64 bits (an Error beyond); generators and functions cannot be
// printed (Python prints an address); unknown filters and tests are refused when they are reached;
// a variable that is set at a block's level hides one of the same name given to the template only
// from there on (jinja2 hides it from earlier inner blocks, too).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/limits.h"
#include "text/jinja/value.h"

namespace reveille::text::jinja {

class Template {
 public:
  // Parses. `name` (a file) stands in the Errors, with the line.
  Template(std::string source, std::string name, const Limits& limits = {});
  ~Template();
  Template(Template&&) noexcept;

  // What the template prints, with the marks of where it came from. `date` is what strftime_now
  // shows ("YYYY-MM-DD" or "YYYY-MM-DD HH:MM:SS"). May be called from several threads.
  TextPtr render(std::vector<std::pair<std::string, Value>> variables, const std::string& date) const;

  const std::string& source() const { return source_; }
  const std::string& name() const { return name_; }

 private:
  struct Body;
  std::string source_, name_;
  Limits limits_;
  std::unique_ptr<Body> body_;
};

}  // namespace reveille::text::jinja
