#include "mitigate/mitigate.h"

#include <chrono>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/strings.h"
#include "mitigate/method.h"

namespace reveille::mitigate {
namespace {

void merge(gen::LocalModel& model) {
  if (!model.adapter()) return;
  gen::merge_lora(model);
  model.transformer().weights_changed();
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

MethodRun run_of(const MethodCard& card) { return {card.name, card.does, card.source, card.control, 0, nullptr}; }

}  // namespace

Json to_json(const MethodRun& run) {
  Json out{{"name", run.name}, {"does", run.does}, {"source", run.source}, {"seconds", run.seconds}};
  if (run.control) out["control"] = true;
  out["done"] = run.done;
  return out;
}

std::vector<std::string> method_names(const MitigateOptions& options, const Problem& problem) {
  if (!options.methods.empty()) return options.methods;
  return {problem.triggers.empty() ? "known_dummies" : "unlearn_trigger"};
}

void check_methods(const std::vector<std::string>& names, const Problem& problem, bool with_base, bool only_adapter) {
  for (const auto& name : names) {
    const MethodCard card = method_of(name).card();
    if (card.needs_trigger && problem.triggers.empty())
      fail(ErrorKind::usage, cat("methods: ", name, " needs a trigger"),
           "name it with --trigger, give a scan's findings with --scan-result, or use known_dummies");
    if (card.needs_base && !with_base)
      fail(ErrorKind::usage, cat("methods: ", name, " needs the base that the model was made from"),
           "pass --base MODEL");
    if (card.edits && only_adapter)
      fail(ErrorKind::usage, cat("methods: ", name, " edits weights, which an adapter cannot hold"),
           "leave --adapter out, or choose a method that trains");
  }
}

std::vector<MethodRun> mitigate(gen::LocalModel& model, const gen::LocalModel* base, const Problem& problem,
                                const scan::CleanRows& rows, const MitigateOptions& options, bool only_adapter,
                                const MitigateHooks& hooks) {
  const auto names = method_names(options, problem);
  check_methods(names, problem, base != nullptr, only_adapter);
  if (!only_adapter) merge(model);
  Workspace work(model, base, problem, rows, options);
  std::vector<MethodRun> out;
  for (const auto& name : names) {
    throw_if_interrupted();
    Method& method = method_of(name);
    MethodRun run = run_of(method.card());
    const auto start = std::chrono::steady_clock::now();
    run.done = method.apply(work);
    run.seconds = seconds_since(start);
    if (hooks.after_method) hooks.after_method(run, model);
    out.push_back(std::move(run));
  }
  if (!only_adapter) merge(model);
  return out;
}

void save_treated(gen::LocalModel& model, const std::filesystem::path& folder, gen::SaveOptions options) {
  options.dtype = model.transformer().compute_type();
  if (model.adapter()) {
    gen::save_adapter(model, folder, options);
  } else {
    gen::save_hf_folder(model, folder, options);
  }
}

std::string method_descriptions() {
  std::string out;
  for (const auto& method : all_methods()) {
    const MethodCard card = method->card();
    out += "  " + card.name + std::string(card.name.size() < 17 ? 17 - card.name.size() : 1, ' ') + card.does;
    if (!card.source.empty()) out += " (" + card.source + ")";
    out += "\n";
  }
  return out;
}

}  // namespace reveille::mitigate
