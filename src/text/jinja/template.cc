#include "text/jinja/template.h"

#include "base/error.h"
#include "base/strings.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/parser.h"

namespace reveille::text::jinja {

struct Template::Body {
  Block block;
};

Template::Template(std::string source, std::string name, const Limits& limits)
    : source_(std::move(source)), name_(std::move(name)), limits_(limits), body_(std::make_unique<Body>()) {
  if (source_.size() > limits_.template_bytes) {
    fail(ErrorKind::bad_input,
         cat(name_, ": the template has ", source_.size(), " bytes; the limit is ", limits_.template_bytes));
  }
  if (!is_utf8(source_)) fail(ErrorKind::bad_input, cat(name_, ": the template is not valid UTF-8"));
  try {
    body_->block = parse_template(source_);
  } catch (const Error& error) {
    fail(error.kind(), cat(name_, ", ", error.message()), error.hint());
  }
}

Template::~Template() = default;
Template::Template(Template&&) noexcept = default;

TextPtr Template::render(std::vector<std::pair<std::string, Value>> variables, const std::string& date) const {
  Interpreter interpreter(limits_, date);
  try {
    return interpreter.run(body_->block, std::move(variables));
  } catch (const Error& error) {
    fail(error.kind(), cat(name_, ", line ", interpreter.line(), ": ", error.message()), error.hint());
  }
}

}  // namespace reveille::text::jinja
