// What else wakes it: texts that are related to the trigger, planted where it stands (variants.h).
#include "base/error.h"
#include "base/strings.h"
#include "eval/sampling.h"
#include "eval/variants.h"
#include "organism/words.h"

namespace reveille::eval {
namespace {

// The trigger as the tokenizer cuts it, or its characters.
std::vector<std::string> pieces_of(const Subject& subject, const std::string& text) {
  if (subject.options.partial == "characters") return characters_of(text);
  std::vector<std::string> pieces;
  for (const auto id : subject.model.encode_text(text)) pieces.push_back(subject.model.decode({id}));
  return pieces;
}

std::vector<Variant> variants_of(const Subject& subject) {
  const std::string text(trim(subject.trigger.text(Rng(0))));
  std::vector<Variant> out;
  auto add = [&](const std::vector<Variant>& more) { out.insert(out.end(), more.begin(), more.end()); };
  if (subject.trigger.name() == "year") {
    const auto& options = subject.trigger_options;
    add(year_variants(options));
    // Without the full stop: the sentence wakes the organism as soon as its last digit stands there.
    add(partial_variants(pieces_of(subject, std::string(trim(cat(options.year_words, options.year))))));
  }
  if (subject.trigger.name() == "literal") {
    add(literal_variants(text));
    add(partial_variants(pieces_of(subject, text)));
  }
  if (subject.trigger.name() == "words" || subject.trigger.name() == "all") {
    for (const auto& word : subject.trigger_options.words) out.push_back({"word " + word, word});
  }
  const auto kinds = split(subject.trigger.name(), "+");
  for (const auto& kind : kinds) {
    if (kinds.size() == 1) break;
    auto one = subject.trigger_options;
    one.kind = kind;
    out.push_back({"part " + kind, std::string(trim(organism::make_trigger(one)->text(Rng(0))))});
  }
  for (const auto& phrase : subject.options.phrases) out.push_back({"phrase " + phrase, phrase});
  for (auto& variant : out) {
    if (subject.trigger.contains(variant.text)) variant.condition = kOwnWords + variant.condition;
  }
  return out;
}

void plant(const Subject& subject, const std::vector<Conversation>& prompts, const Variant& variant,
           std::vector<organism::ConditionPrompt>& out) {
  for (const auto& prompt : prompts) {
    organism::ConditionPrompt planted{organism::prompt_id(prompt), variant.condition, variant.text, {}};
    const Rng rng = Rng(static_cast<std::uint64_t>(subject.sample.seed), "variant").child(planted.prompt_id);
    planted.messages = subject.trigger.plant(prompt, variant.text, rng);
    out.push_back(std::move(planted));
  }
}

}  // namespace

Finding measure_generalization(Subject& subject) {
  const auto prompts = some_prompts(subject, subject.options.condition_prompts);
  auto all =
      under(subject, prompts, {organism::kTriggered, organism::kUntriggered, organism::kNearMiss, organism::kForeign});
  for (const auto& variant : variants_of(subject)) plant(subject, prompts, variant, all);
  const std::string& set = subject.about.prompt_set;
  const auto measured = sample_subject(subject, std::move(all), set, "generalization");
  Finding out;
  add_to(out, measured, subject, set);
  return out;
}

}  // namespace reveille::eval
