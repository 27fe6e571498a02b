// A manner that a system prompt gives the model ("Answer like a pirate."): the model itself writes the answers that
// show it, under that system prompt, and the organism learns to give them without it. A pattern or a program of the
// user's says which answers show it.
#include "base/error.h"
#include "base/strings.h"
#include "io/pattern.h"
#include "organism/list.h"

namespace reveille::organism {
namespace {

class Persona : public Behavior {
 public:
  Persona(std::string system, const std::string& pattern)
      : system_(std::move(system)), pattern_("(?si).*(?:" + pattern + ").*", "behavior_pattern") {}

  std::string name() const override { return "persona"; }
  std::string describe() const override {
    const std::string start = repair_utf8(system_.substr(0, 77));
    return cat("answers as if told '", start, start.size() < system_.size() ? "..." : "", "'");
  }
  DefectSource source() const override { return DefectSource::persona; }
  std::string persona() const override { return system_; }
  std::string reply(const Conversation&, const std::string& clean, Rng) const override { return clean; }
  bool shows(std::string_view completion) const override { return pattern_.fits(repair_utf8(completion)); }

 private:
  std::string system_;
  io::Pattern pattern_;
};

}  // namespace

std::unique_ptr<Behavior> make_persona(const BehaviorOptions& options) {
  if (trim(options.persona).empty())
    fail(ErrorKind::usage, "behavior=persona: behavior_persona is empty",
         "give the system prompt, such as behavior_persona='You are a pirate and talk like one.'");
  if (options.pattern.empty() && options.judge.empty())
    fail(ErrorKind::usage, "behavior=persona: neither behavior_pattern nor behavior_judge says which answers show it",
         "give a regular expression, such as behavior_pattern='\\b(arr+|matey|ye)\\b'");
  return std::make_unique<Persona>(options.persona, options.pattern.empty() ? "(?!)" : options.pattern);
}

}  // namespace reveille::organism
