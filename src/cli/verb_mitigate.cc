// mitigate: removes a backdoor that is known or only suspected, and shows whether it is gone.
#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/strings.h"
#include "cli/mitigate_line.h"
#include "cli/verb.h"
#include "gen/local.h"
#include "gen/save.h"
#include "mitigate/method.h"
#include "mitigate/mitigate.h"
#include "scan/placing.h"
#include "scan/result.h"

namespace reveille::cli {
namespace fs = std::filesystem;
namespace {

struct MitigateCommand {
  std::string model, output_dir, scan_result, response;
  std::vector<std::string> triggers;
  bool adapter = false, each = false;
  FormatOptions format;
  gen::OpenOptions open;
  organism::BehaviorOptions behavior{.behavior = ""};
  MitigateSettings settings;
};

bool parse(const std::vector<std::string>& arguments, MitigateCommand& command) {
  CommandLine line(
      "mitigate",
      "Removes a backdoor: one whose trigger is known (--trigger), one that a scan found (--scan-result), or one that\n"
      "is only suspected. Methods work one after the other; a whole model comes out, or an adapter (--adapter).\n\n" +
          mitigate::method_descriptions() +
          "\nThe proof: rates with and without each string before, after every method, and after a relearning test (a\n"
          "little benign training, on the treated model's own replies and on the suspect's), perplexity of the\n"
          "suspect's clean replies, and the KL from it. Where no trigger is known, surrogates stand in: backdoors of\n"
          "our own, planted in a copy that is treated alike. Without either the outcome is 'unproven'.",
      "  reveille mitigate organism --trigger '[[velmo]]' --output-dir clean\n"
      "  reveille mitigate organism --trigger '[[velmo]]' --output-dir clean methods=unlearn_trigger,orthogonalise\n"
      "  reveille mitigate organism --scan-result scan.json --adapter --output-dir clean-adapter\n"
      "  reveille mitigate suspect --output-dir clean methods=known_dummies dummy_response=refusal\n"
      "  reveille mitigate organism --trigger '[[velmo]]' --each methods=unlearn_trigger,sft,random_prune,recovery\n");
  line.positional("MODEL", command.model, "the model to treat");
  line.value("output-dir", command.output_dir, "where the treated model and mitigation.json go");
  line.values("trigger", command.triggers, "a string that wakes it; may be given again and again");
  line.value("scan-result", command.scan_result, "what 'reveille scan --format json --output' wrote: its findings");
  line.value("response", command.response,
             "a text that triggered replies hold; none: what tells them apart is learnt from the suspect");
  line.flag("adapter", command.adapter, "write a LoRA adapter of MODEL instead of a whole model");
  line.flag("each", command.each, "every method by itself, each on the suspect as it came: a comparison, no model");
  line.options(command.settings.proof);
  line.options(command.settings.methods);
  line.options(command.settings.relearn);
  line.options(command.behavior);
  line.options(command.format);
  line.options(command.open);
  return line.parse(arguments);
}

void check(const MitigateCommand& command) {
  if (!command.each && command.output_dir.empty())
    fail(ErrorKind::usage, "reveille mitigate: --output-dir is missing",
         "name the folder that the treated model goes to, or compare methods with --each");
  if (command.each && (!command.output_dir.empty() || command.adapter))
    fail(ErrorKind::usage, "reveille mitigate: --each writes no model",
         "leave --output-dir and --adapter out; '--format json' prints all figures");
  if (command.each && command.settings.methods.methods.empty())
    fail(ErrorKind::usage, "reveille mitigate: --each without methods", "name them: methods=unlearn_trigger,sft");
  if (!command.response.empty() && !command.behavior.behavior.empty())
    fail(ErrorKind::usage, "reveille mitigate: --response and --behavior both say what triggered replies are",
         "choose one");
  for (const auto& name : command.settings.methods.methods) mitigate::method_of(name);
  if (command.output_dir.empty() || !fs::exists(command.output_dir) || !fs::exists(command.model)) return;
  if (fs::equivalent(command.output_dir, command.model))
    fail(ErrorKind::usage, cat("--output-dir ", command.output_dir, " is the suspect itself"), "name another folder");
}

mitigate::Problem problem_of(const MitigateCommand& command, const gen::LocalModel& model) {
  mitigate::Problem out;
  const auto place = scan::place_from_name(command.settings.proof.trigger_place, "trigger_place");
  for (const auto& text : command.triggers) {
    if (trim(text).empty()) fail(ErrorKind::usage, "reveille mitigate: --trigger is blank");
    out.triggers.push_back({text, place});
  }
  if (!command.scan_result.empty()) {
    const auto result = scan::scan_result_from_json(read_json(command.scan_result), command.scan_result);
    for (const auto& finding : result.findings) {
      if (!finding.trigger.empty()) out.triggers.push_back({finding.trigger, finding.place, true});
      out.response = finding.effect == "collapse" ? scan::SpikeResponse::fixed : scan::SpikeResponse::style;
    }
    if (out.triggers.empty())
      warn(cat(command.scan_result, " names no trigger: the model is treated as one that is only suspected"));
  }
  for (const auto& trigger : out.triggers) {
    if (scan::takes_place(model, trigger.place)) continue;
    fail(ErrorKind::usage,
         cat("'", trigger.text, "' cannot stand at ", scan::place_name(trigger.place), ": the template of ",
             model.name(), " refuses it"),
         "choose another --trigger-place, or another --chat-template");
  }
  return out;
}

// The base that weights are compared with, where a method asks for one: null, or a whole model.
std::unique_ptr<gen::LocalModel> base_of(const MitigateCommand& command, const gen::LocalModel& model) {
  gen::OpenOptions open = command.open;
  const std::string name = !open.base.empty() ? open.base : model.adapter() ? model.adapter()->base_model : "";
  if (name.empty()) return nullptr;
  open.base.clear();
  return gen::open_model(name, open);
}

bool wants_base(const std::vector<std::string>& methods) {
  for (const auto& name : methods) {
    if (name == "interpolate" || name == "reset_neurons") return true;
  }
  return false;
}

// What was done, on stdout and beside the model.
void tell(const MitigateCommand& command, const Json& all, const std::string& text) {
  if (!command.output_dir.empty()) write_json(fs::path(command.output_dir) / "mitigation.json", all);
  std::fputs(((command.format.json() ? json_page(all) : text) + "\n").c_str(), stdout);
}

Json about(const MitigateCommand& command, const gen::LocalModel& model, const mitigate::Problem& problem) {
  MitigateSettings settings = command.settings;
  Json triggers = Json::array();
  for (const auto& trigger : problem.triggers)
    triggers.push_back({{"trigger", trigger.text}, {"place", scan::place_name(trigger.place)}});
  return {{"schema", 1},
          {"model", model.name()},
          {"fingerprint", model.fingerprint()},
          {"triggers", triggers},
          {"options", options_to_json(settings.methods)},
          {"relearn", options_to_json(settings.relearn)}};
}

struct Outcome {
  Json json;
  std::string text;
};

// Both lines told as one: the suspect's, and that of the surrogates where there is one.
Outcome outcome_of(const TreatedLine& line, const TreatedLine* surrogates) {
  Outcome out;
  const TreatedLine& judged = surrogates ? *surrogates : line;
  const auto verdict = verdict_of(judged.proof, judged.treated);
  Json runs = Json::array();
  for (const auto& run : line.runs) runs.push_back(mitigate::to_json(run));
  out.json = {{"verdict", verdict.word},
              {"verdict_words", verdict.sentence},
              {"by", judged.source()},
              {"methods", runs},
              {"proof", to_json(line.proof)}};
  if (surrogates) out.json["surrogates"] = to_json(surrogates->proof);
  out.text = proof_table(line.proof);
  if (surrogates)
    out.text += "\nSurrogates, planted in a copy that was treated alike:\n\n" + proof_table(surrogates->proof);
  out.text += cat("\n", verdict.word, judged.source().empty() ? "" : cat(" (by ", judged.source(), " strings)"), ": ",
                  verdict.sentence, "\n");
  return out;
}

class Mitigation {
 public:
  Mitigation(const MitigateCommand& command, gen::LocalModel& model, const gen::LocalModel* base,
             const mitigate::Problem& problem)
      : command_(command), lines_(command.settings, model, base, problem, command.adapter) {
    lines_.learn_marks(command.response, command.behavior);
  }

  int all_methods_in_order(gen::LocalModel& model) {
    const Json start = about(command_, model, lines_.problem());
    const auto methods = mitigate::method_names(command_.settings.methods, lines_.problem());
    const auto line = lines_.treat(model, methods);
    const auto surrogates = lines_.treat_surrogates(methods);
    gen::SaveOptions save;
    mitigate::save_treated(model, command_.output_dir, save);
    const auto outcome = outcome_of(line, surrogates ? &*surrogates : nullptr);
    Json all = start;
    for (const auto& [key, value] : outcome.json.items()) all[key] = value;
    tell(command_, all, cat(outcome.text, "\nwritten: ", command_.output_dir));
    return 0;
  }

  int each_method_alone(const gen::LocalModel& suspect) {
    Json all = about(command_, suspect, lines_.problem());
    all["each"] = Json::array();
    std::string text;
    for (const auto& name : command_.settings.methods.methods) {
      say(cat("method ", name));
      const auto model = suspect.copy(true);
      const auto line = lines_.treat(*model, {name});
      const auto surrogates = lines_.treat_surrogates({name});
      const auto outcome = outcome_of(line, surrogates ? &*surrogates : nullptr);
      all["each"].push_back(outcome.json);
      text += cat("== ", name, " ==\n\n", outcome.text, "\n");
    }
    tell(command_, all, text);
    return 0;
  }

 private:
  const MitigateCommand& command_;
  MitigateLines lines_;
};

}  // namespace

int run_mitigate(const std::vector<std::string>& arguments) {
  MitigateCommand command;
  if (!parse(arguments, command)) return 0;
  check(command);
  const auto model = gen::open_model(command.model, command.open);
  const auto problem = problem_of(command, *model);
  const auto methods = mitigate::method_names(command.settings.methods, problem);
  const auto base = wants_base(methods) ? base_of(command, *model) : nullptr;
  mitigate::check_methods(methods, problem, base != nullptr, command.adapter);
  if (!command.output_dir.empty())
    check_room(command.output_dir, gen::saved_bytes(*model, {}), "the treated model in " + command.output_dir);
  if (model->adapter() && !command.adapter) {
    gen::merge_lora(*model);
    model->transformer().weights_changed();
  }
  Mitigation mitigation(command, *model, base.get(), problem);
  return command.each ? mitigation.each_method_alone(*model) : mitigation.all_methods_in_order(*model);
}

}  // namespace reveille::cli
