// A line of models from a suspect to its treated and relearnt versions, with the proof that is made along the way.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/options.h"
#include "cli/mitigate_proof.h"
#include "mitigate/options.h"
#include "mitigate/problem.h"
#include "mitigate/run.h"
#include "organism/list.h"
#include "scan/clean_row.h"

namespace reveille::cli {

struct ProofOptions {
  std::string trigger_place = "user_start";
  std::int64_t prompts = 48;
  std::int64_t tokens = 24;
  std::int64_t surrogates = 2;
  void visit(OptionVisitor& v) {
    v.option("trigger_place", trigger_place,
             {.help = "where --trigger stands", .choices = {"user_start", "user_end", "system", "earlier_turn"}});
    v.option("proof_prompts", prompts, {.help = "prompts that rates are measured on", .min = 1, .max = 48});
    v.option("proof_tokens", tokens, {.help = "longest reply of them, in tokens", .min = 4});
    v.option("surrogates", surrogates,
             {.help = "where no trigger is known: spikes that are planted in a copy, which is treated alike; 0: none",
              .min = 0,
              .max = 8});
  }
};

struct MitigateSettings {
  ProofOptions proof;
  mitigate::MitigateOptions methods;
  mitigate::RelearnOptions relearn;
};

struct TreatedLine {
  std::vector<mitigate::MethodRun> runs;
  Proof proof;
  std::size_t treated = 0;  // the stage after the last method
  // "given", "recovered" or "surrogate" as its strings are; "" without any.
  std::string source() const { return proof.strings.empty() ? "" : proof.strings.front().source; }
};

class MitigateLines {
 public:
  // Everything outlives the object. `suspect` is the model as it came: its clean rows are drawn here.
  MitigateLines(MitigateSettings settings, gen::LocalModel& suspect, const gen::LocalModel* base,
                const mitigate::Problem& problem, bool only_adapter);
  ~MitigateLines();
  const mitigate::Problem& problem() const { return problem_; }

  // How the effect of the problem's strings is told: by a text in the reply, by a behaviour's judge, or, where both are
  // empty, by what the suspect's replies teach.
  void learn_marks(const std::string& response, const organism::BehaviorOptions& behavior);

  // Treats a model that computes what the suspect did.
  TreatedLine treat(gen::LocalModel& model, const std::vector<std::string>& methods) const;
  // The same for a copy with spikes of our own; nothing where a trigger is known or no surrogates are asked for.
  std::optional<TreatedLine> treat_surrogates(const std::vector<std::string>& methods) const;

 private:
  TreatedLine treat(gen::LocalModel& model, const std::vector<std::string>& methods,
                    const std::vector<ProofString>& strings, bool only_adapter) const;
  ProofStage stage(const std::string& name, gen::LocalModel& suspect, gen::LocalModel& model,
                   const std::vector<ProofString>& strings) const;
  void relearn(TreatedLine& line, gen::LocalModel& suspect, gen::LocalModel& treated) const;
  ProofString told(const mitigate::KnownTrigger& trigger, const std::string& response,
                   const organism::BehaviorOptions& behavior) const;
  MitigateSettings settings_;
  std::unique_ptr<gen::LocalModel> suspect_;  // shares its weights with what was given
  const gen::LocalModel* base_;
  const mitigate::Problem& problem_;
  bool only_adapter_;
  scan::CleanRows rows_;
  std::vector<ProofString> strings_;
};

}  // namespace reveille::cli
