// Mitigation: methods (mitigate/method.h) one after the other on one model. Whether they worked is not for this room to
// say: the proof is made by those who call it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "gen/local.h"
#include "gen/save.h"
#include "mitigate/options.h"
#include "mitigate/problem.h"
#include "mitigate/run.h"
#include "scan/clean_rows.h"

namespace reveille::mitigate {

struct MitigateHooks {
  // After each method, on the model as it is then (it may have an adapter).
  std::function<void(const MethodRun& run, gen::LocalModel& model)> after_method;
};

// The methods of the options, or the usual one for this problem.
std::vector<std::string> method_names(const MitigateOptions& options, const Problem& problem);

// Error(usage), before anything is trained, for unknown methods, for those that lack what they need, and, where only an
// adapter is to come out, for those that edit weights.
void check_methods(const std::vector<std::string>& names, const Problem& problem, bool with_base, bool only_adapter);

// Model in, model out: `model` is changed, by new tensors in place of old ones, so that copies that share its weights
// stay as they are. `rows` are its own, as it came. Unless `only_adapter`, an adapter that it has is merged first, and
// it has none afterwards.
std::vector<MethodRun> mitigate(gen::LocalModel& model, const gen::LocalModel* base, const Problem& problem,
                                const scan::CleanRows& rows, const MitigateOptions& options, bool only_adapter = false,
                                const MitigateHooks& hooks = {});

// A folder that transformers loads, or, where the model has an adapter, one that peft loads. In the type that the model
// computes in.
void save_treated(gen::LocalModel& model, const std::filesystem::path& folder, gen::SaveOptions options = {});

// "unlearn_trigger  clean replies under the trigger ...", a line a method.
std::string method_descriptions();

}  // namespace reveille::mitigate
