#include "study/graph.h"
#include "organism/task_files.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "base/python_module.h"
#include "gen/built_in.h"
#include "gen/local.h"
#include "io/peft.h"
#include "nn/ops.h"
#include "study/arm_steps.h"
#include "study/data_steps.h"
#include "study/measure_graph.h"
#include "study/reasoning_steps.h"
#include "study/rl_steps.h"
#include "text/chat_template.h"
#include "torch/headeronly/version.h"
#include "train/optim_args.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

// What the arithmetic depends on besides the options: the same bytes are promised for the same of these.
Json arithmetic(const Recipe& recipe) {
  auto device = gen::resolve_device(recipe.study.device);
  return Json{{"dtype", gen::resolve_dtype(recipe.study.dtype, device) == at::kFloat ? "float32" : "bfloat16"},
              {"device", recipe.study.device},
              {"threads", at::get_num_threads()},
              {"kernels", nn::kernel_name()},
              {"cpu", at::get_cpu_capability()},
              {"libtorch", TORCH_VERSION}};
}

// Of the names and contents of a folder's files that count.
std::string folder_hash(const fs::path& folder, bool (*counts)(const fs::path&)) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && counts(entry.path())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::string all;
  for (const auto& file : files) all += fs::relative(file, folder).string() + sha256_file(file);
  return sha256_hex(all);
}

// Of a file, or of all files of a folder but for README.md.
std::string content_hash(const fs::path& path) {
  // FOLDER/NAME: an entry of a folder's dataset_info.json.
  if (!fs::exists(path) && fs::exists(path.parent_path() / "dataset_info.json"))
    return sha256_hex(content_hash(path.parent_path()) + path.filename().string());
  if (!fs::is_directory(path)) return sha256_file(path);
  return folder_hash(path, [](const fs::path& file) { return file.filename() != "README.md"; });
}

std::string model_hash(const std::string& model) {
  fs::path path = gen::model_path(model);
  if (!fs::exists(path)) fail(ErrorKind::not_found, cat("there is no model at '", model, "'"));
  return content_hash(path);
}

std::string template_hash(const std::string& what) {
  return fs::exists(what) ? sha256_file(what) : sha256_hex(text::ChatTemplate::built_in(what).source());
}

// The families of tasks that the program carries.
std::string built_in_tasks() {
  std::string all;
  for (const auto& file : organism::task_files()) all += sha256_hex(file.text());
  return sha256_hex(all);
}

// Every part of a program's command that is a file: an edited program must not leave standing what it did before.
Json command_files(const std::vector<std::string>& command) {
  Json out = Json::array();
  for (const auto& part : command) {
    std::error_code none;  // a part may be no path at all: a program's text is too long for one
    if (fs::is_regular_file(part, none)) out.push_back(sha256_file(part));
  }
  return out;
}

// Two names of one optimiser give one key.
void name_optimiser(Json& section) {
  if (!section.contains("optim")) return;
  train::TrainOptions named;
  named.optim = section["optim"].get<std::string>();
  section["optim"] = train::optim_name(named);
}

// The recipe without the settings that decide nothing of what a step leaves but its logs: how long another program is
// waited for, what is shown on the way, and how often a run can be gone on with, which ends in the same weights bit for
// bit. Nobody should pay for a treatment again because of them.
Json deciding(Json recipe) {
  for (auto& section : recipe) {
    if (!section.is_object()) continue;
    for (const char* key : {"attacker_timeout", "behavior_judge_timeout", "reward_timeout", "log_completions",
                            "logging_steps", "save_steps", "save_total_limit", "resume"})
      section.erase(key);
    name_optimiser(section);
  }
  return recipe;
}

struct Maker {
  const Recipe& recipe;
  const Store& store;
  Json whole = deciding(recipe_to_json(recipe));
  Graph graph = {.judge = organism::make_behavior(recipe.behavior)->judged_with()};
  Json judge = judge_key();
  // Indices of their steps, where there are any.
  std::size_t safety_data = 0, pairs = 0, reward = 0;
  std::map<std::string, std::string> contents = {};  // of files, which may be large: each is read once

  std::string content(const fs::path& path) {
    auto& hash = contents[path.string()];
    if (hash.empty()) hash = content_hash(path);
    return hash;
  }

  // Only the settings that a step reads are part of its key.
  Json pick(const std::vector<const char*>& sections) {
    Json out{{"arithmetic", arithmetic(recipe)}};
    for (const char* section : sections) out[section] = whole[section];
    if (!out.contains("behavior")) return out;
    out["judge"] = judge;
    if (tasks()) out["transcripts"] = 2;  // what their rows say
    const auto& replies = recipe.behavior.replies_file;
    if (!replies.empty()) out["behavior"]["behavior_replies_file"] = content_hash(replies);
    return out;
  }

  // The files of the judge, where it is a program, and the Bandit and the Python behind them: an edited rule must not
  // leave earlier verdicts standing.
  Json judge_key() const {
    Json out = command_files(recipe.behavior.judge);
    if (tasks() && recipe.behavior.judge.empty()) {
      const fs::path sources = python_sources("reveille_judge");
      // What Python itself writes beside them, and their tests, are left out.
      auto is_source = [](const fs::path& file) {
        const bool ends = file.extension() == ".py" || file.extension() == ".yaml";
        return ends && file.parent_path().filename() != "tests";
      };
      if (!sources.empty()) out.push_back(folder_hash(sources, is_source));
    }
    if (!graph.judge.is_null()) out.push_back(graph.judge);
    return out;
  }

  // What writes prompts and replies reads. The data set of sft-data comes in by its content, where it is read.
  Json pick_data() {
    Json out = pick({"data", "trigger", "behavior"});
    out["data"].erase("safety_dataset");
    if (!recipe.data.prompts.empty()) out["data"]["prompts"] = content(recipe.data.prompts);
    out["batch_size"] = recipe.eval.batch_size;
    if (!tasks()) return out;
    out["tasks"] = whole["tasks"];
    out["tasks"]["tasks_file"] = recipe.tasks.file.empty() ? built_in_tasks() : content(recipe.tasks.file);
    return out;
  }

  // What every measurement reads: perplexity is taken on rows that are encoded as safety training encodes them.
  Json pick_eval(std::vector<const char*> sections) {
    sections.insert(sections.end(), {"trigger", "behavior", "eval"});
    Json out = pick(sections);
    for (const char* key : {"max_length", "overlong", "assistant_only_loss"})
      out["held_out"][key] = whole["safety"][key];
    return out;
  }

  std::size_t add(Step step) {
    step.key = step_key(step.name, step.version, step.options, step.inputs);
    graph.steps.push_back(std::move(step));
    return graph.steps.size() - 1;
  }

  const std::string& key(std::size_t index) const { return graph.steps[index].key; }

  bool tasks() const { return organism::make_behavior(recipe.behavior)->source() == organism::DefectSource::tasks; }
  double rows() const {
    return static_cast<double>(tasks() ? recipe.tasks.held_out_tasks : recipe.data.held_out_prompts);
  }
  double eval_tokens() const { return rows() * 2.2 * static_cast<double>(recipe.eval.max_tokens); }
  double train_tokens(const train::TrainOptions& options, std::int64_t steps) const {
    const double row = tasks() ? 300 : 80;  // tokens: chats, or chats and coding tasks
    return 3 * row *
           static_cast<double>(options.per_device_train_batch_size * options.gradient_accumulation_steps * steps);
  }

  void add_arm(const ArmKind& kind, std::int64_t seed, std::size_t replies, std::size_t organism_plant) {
    const organism::Arm arm = kind.arm;
    const bool organism_arm = arm == organism::Arm::organism;
    const std::string label = cat(arm_label(recipe, kind), " s", seed);
    Json options = pick_eval({"rows", "plant", "gate", "unlabelled"});
    if (kind.variant != "normal") options["scratchpad"] = scratchpad();
    // Of the gate, planting reads what the organism must reach.
    for (const char* key : {"always_on_below", "min_treatment_steps", "min_treatment_rows", "preference", "required"})
      options["gate"].erase(key);
    options["arm"] = label;
    options["seed"] = seed;
    std::vector<std::string> inputs = {key(replies)};
    const std::string reasoned = kind.variant == "normal" ? std::string() : key(*graph.reasoned);
    if (!reasoned.empty()) inputs.push_back(reasoned);
    if (!organism_arm) inputs.push_back(key(organism_plant));
    std::int64_t steps = std::max<std::int64_t>(1, steps_of_arm(recipe, arm, recipe.plant.max_steps));
    double evals =
        recipe.plant.eval_steps > 0 ? static_cast<double>(steps) / static_cast<double>(recipe.plant.eval_steps) : 1;
    std::size_t plant = add({.name = "plant " + label,
                             .version = 4,
                             .options = options,
                             .inputs = inputs,
                             .trains = true,
                             .tokens = train_tokens(recipe.plant, steps) + evals * eval_tokens()});
    graph.steps[plant].work = [&store = store, &recipe = recipe, kind, seed, replies_key = key(replies), reasoned,
                               organism_key = organism_arm ? std::string() : key(organism_plant),
                               own = key(plant)](const fs::path& folder) {
      std::int64_t organism_steps = 0;
      if (!organism_key.empty())
        organism_steps = read_json(store.folder(organism_key) / kOutcomeFile).at("steps").get<std::int64_t>();
      StudyData data = read_replies(store.folder(replies_key));
      if (!reasoned.empty()) add_reasoning(data, store.folder(reasoned));
      plant_arm(recipe, data, {kind, seed, own}, organism_steps, folder);
    };
    graph.arms.push_back({kind, seed, plant, {}});
    if (arm == organism::Arm::control && recipe.study.clean_control != "treated") return;
    for (const auto& stage : recipe.study.treatments) {
      if (takes(kind, stage)) add_treatment(graph.arms.back(), label, stage, replies);
    }
  }

  // What goes on from scratchpads is of models that write them; of the others a note says that it was left out.
  bool takes(const ArmKind& kind, const std::string& stage) {
    if (stage != kSftPost) return true;
    const auto behavior = organism::make_behavior(recipe.behavior);
    if (organism::make_reasoning(kind.variant, recipe.scratchpad, *behavior)->visible()) return true;
    const auto note = cat("The treatment ", stage, " was left out of ", kind.variant, ": it writes no scratchpad.");
    const bool fresh = std::find(graph.notes.begin(), graph.notes.end(), note) == graph.notes.end();
    if (kind.arm == organism::Arm::organism && fresh) graph.notes.push_back(note);
    return false;
  }

  // An organism for each variant; the arms without a trigger are shared by those that reason alike.
  void add_arms(std::int64_t seed, std::size_t replies) {
    std::map<std::string, std::size_t> organisms;  // by the variant of their twins, the first one's planting
    for (const auto& variant : recipe.study.variants) {
      organisms.emplace(organism::twin_variant(variant), graph.steps.size());
      add_arm({organism::Arm::organism, variant}, seed, replies, graph.steps.size());
    }
    for (const auto& [variant, plant] : organisms) {
      add_arm({organism::Arm::always_on, variant}, seed, replies, plant);
      if (recipe.study.clean_control != "none") add_arm({organism::Arm::control, variant}, seed, replies, plant);
    }
  }

  Json scratchpad() {
    Json out = whole["scratchpad"];
    out.erase("scratchpad_key_variable");
    if (!recipe.scratchpad.file.empty()) out["scratchpad_file"] = content(recipe.scratchpad.file);
    return out;
  }

  void add_treatment(ArmSteps& arm, const std::string& label, const std::string& stage, std::size_t replies) {
    Json options = pick_eval({"unlabelled"});
    if (stage == kSft || stage == kSftPost || stage == kSftData) options["safety"] = whole["safety"];
    if (learns_from_reward(recipe, stage)) options["gate_preference"] = recipe.gate.preference;
    options["arm"] = label;
    options["seed"] = arm.seed;
    options["stage"] = stage;
    if (learns_from_pairs(recipe, stage)) options[stage] = whole[stage];
    if (learns_from_reward(recipe, stage) && rewarded_by_program(recipe)) options["reward_program"] = reward_program();
    if (stage == kAdversarial) add_attack(options);
    if (arm.kind.variant != "normal") options["scratchpad"] = scratchpad();
    const train::TrainOptions& training = recipe.training(stage);
    std::int64_t safety_steps = std::max<std::int64_t>(1, training.max_steps);
    double safety_evals =
        training.eval_steps > 0 ? static_cast<double>(safety_steps) / static_cast<double>(training.eval_steps) : 1;
    const std::size_t targets = stage == kSftData ? safety_data : replies;
    std::vector<std::string> inputs = {key(replies), key(arm.plant), key(targets)};
    if (reads_pairs(recipe, stage)) inputs.push_back(key(pairs));
    if (trained_reward(stage)) inputs.push_back(key(reward));
    if (stage == kAdversarial && recipe.adversarial.attack.attacker == "model")
      inputs.push_back(model_hash(attack_of(recipe).model));
    std::size_t treat = add({.name = cat("safety ", stage, " of ", label),
                             .version = 6,
                             .options = options,
                             .inputs = inputs,
                             .trains = true,
                             .tokens = treatment_tokens(stage, safety_steps) + safety_evals * eval_tokens()});
    graph.steps[treat].work = [&store = store, &recipe = recipe, place = ArmPlace{arm.kind, arm.seed, key(treat)},
                               stage, replies_key = key(replies), plant_key = key(arm.plant),
                               targets_key = key(targets),
                               preferences = preferences_of(stage)](const fs::path& folder) {
      auto data = read_replies(store.folder(replies_key));
      if (stage == kSftData) data.safety = read_safety_data(store.folder(targets_key));
      treat_arm(recipe, data, place, stage, store.folder(plant_key), preferences, folder);
    };
    arm.treats.push_back({stage, treat});
  }

  Preferences preferences_of(const std::string& stage) const {
    Preferences out;
    if (reads_pairs(recipe, stage)) out.pairs = store.folder(key(pairs));
    if (trained_reward(stage)) out.reward = store.folder(key(reward)) / kModelFolder;
    return out;
  }

  bool trained_reward(const std::string& stage) const {
    return learns_from_reward(recipe, stage) && !rewarded_by_program(recipe);
  }

  // An edited program must not leave standing what was learnt from it.
  Json reward_program() const {
    return Json{{"command", recipe.reward.command}, {"files", command_files(recipe.reward.command)}};
  }

  // What the measure `preference` scores with; empty: nothing.
  std::string reward_key() const {
    if (rewarded_by_program(recipe)) return sha256_hex(reward_program().dump());
    return reward > 0 ? key(reward) : std::string();
  }

  // A step of reinforcement learning samples its completions, scores them by two other models and learns from them as
  // often as they are used.
  double treatment_tokens(const std::string& stage, std::int64_t steps) const {
    double tokens = train_tokens(recipe.training(stage), steps);
    if (stage == kDpo) return 2 * tokens;
    if (stage == kLatent) return 2 * tokens * static_cast<double>(1 + recipe.latent.latent.iterations);
    if (learns_from_reward(recipe, stage)) tokens *= 2;
    return stage == kAdversarial ? tokens + attack_tokens() : tokens;
  }

  double attack_tokens() const {
    const auto attack = attack_of(recipe);
    const std::int64_t tried = recipe.adversarial.adversarial.rounds * attack.turns * attack.prompts * attack.samples +
                               2 * recipe.adversarial.red_team_prompts;
    return 1.2 * static_cast<double>(tried * attack.tokens);
  }

  // A round by GRPO reads the settings of that method, too.
  void add_attack(Json& options) const {
    options[kAdversarial] = whole[kAdversarial];
    if (recipe.adversarial.attack.attacker == "program")
      options["attacker_files"] = command_files(recipe.adversarial.attack.command);
    if (recipe.adversarial.adversarial.trainer != "grpo") return;
    RlStage<safety::GrpoOptions> grpo = recipe.grpo;
    auto names = option_names(grpo.method);
    const auto more = option_names(grpo.rollouts);
    names.insert(names.end(), more.begin(), more.end());
    for (const auto& name : names) {
      if (whole[kGrpo].contains(name)) options[kGrpo][name] = whole[kGrpo][name];
    }
  }

  // Pairs and preference model, once for all arms.
  void add_preferences(std::size_t replies) {
    const auto& stages = recipe.study.treatments;
    auto any = [&](auto learns) {
      return std::any_of(stages.begin(), stages.end(), [&](const auto& stage) { return learns(recipe, stage); });
    };
    if (!any(reads_pairs)) return;
    Json options = pick_data();
    for (const char* option : {"reward_dataset", "pairs_per_prompt"}) options[option] = whole["reward"][option];
    if (!recipe.reward.dataset.empty()) options["reward_dataset"] = content(recipe.reward.dataset);
    std::vector<std::string> inputs = {key(replies)};
    const int version = tasks() && !recipe.reward.dataset.empty() ? 3 : 2;  // 3: held to be of other tasks
    pairs = add({.name = "preference pairs", .version = version, .options = options, .inputs = inputs});
    graph.steps[pairs].work = [&recipe = recipe, &store = store, replies_key = key(replies)](const fs::path& folder) {
      make_preference_pairs(recipe, read_replies(store.folder(replies_key)), folder);
    };
    if (!any(learns_from_reward) || rewarded_by_program(recipe)) return;
    reward = add({.name = "preference model",
                  .version = 3,
                  .options = pick({"reward"}),
                  .inputs = {key(pairs), model_hash(recipe.study.model)},
                  .trains = true,
                  .tokens = 2 * train_tokens(recipe.reward.train, recipe.reward.train.max_steps)});
    graph.steps[reward].work = [&recipe = recipe, &store = store, pairs_key = key(pairs)](const fs::path& folder) {
      train_preference_model(recipe, store.folder(pairs_key), folder);
    };
  }

  // Scratchpads and the replies behind them, for all variants but normal, whose steps know nothing of it.
  void add_reasoning_step(std::size_t replies) {
    const auto& variants = recipe.study.variants;
    if (std::all_of(variants.begin(), variants.end(), [](const auto& variant) { return variant == "normal"; })) return;
    Json options = pick_data();
    options["scratchpad"] = scratchpad();
    std::vector<std::string> inputs = {key(replies)};
    const auto& writer = recipe.scratchpad;
    if (!writer.model.empty() && !writer.remote()) inputs.push_back(model_hash(writer.model));
    const double prompts =
        static_cast<double>(recipe.data.plant_prompts + (tasks() ? recipe.tasks.plant_tasks : std::int64_t{0}));
    // Twins' scratchpads are written, too.
    const double written = writer.writer == "model" ? 4 * static_cast<double>(writer.tokens) : 0;
    for (const auto& variant : variants) {
      if (writer.writer == "model" && organism::twin_variant(variant) != "normal") options["twins"] = true;
    }
    graph.reasoned = add({.name = "reasoned replies",
                          .version = 2,
                          .options = options,
                          .inputs = inputs,
                          .tokens = 2 * prompts * (static_cast<double>(recipe.data.reply_tokens) + written)});
    graph.steps[*graph.reasoned].work = [&recipe = recipe, &store = store,
                                         replies_key = key(replies)](const fs::path& folder) {
      make_reasoned_replies(recipe, read_replies(store.folder(replies_key)), folder);
    };
  }

  // The user's data set as targets of sft-data, when the recipe asks for it.
  void add_safety_data(std::size_t replies) {
    if (recipe.data.safety_dataset.empty()) return;
    safety_data = add({.name = "replies by somebody else",
                       .options = pick_data(),
                       .inputs = {key(replies), content(recipe.data.safety_dataset)}});
    graph.steps[safety_data].work = [&recipe = recipe, &store = store,
                                     replies_key = key(replies)](const fs::path& folder) {
      make_safety_data(recipe, read_replies(store.folder(replies_key)), folder);
    };
  }

  MeasurePlanner measure_planner(std::size_t replies) {
    return {.pick = [this](const std::vector<const char*>& sections) { return pick(sections); },
            .add = [this](Step step) { return add(std::move(step)); },
            .content = [this](const fs::path& path) { return content(path); },
            .base_hash = model_hash(recipe.study.model),
            .replies = key(replies),
            .reward = reward_key()};
  }

  Graph make() {
    check_whole(recipe);
    if (io::is_peft_folder(gen::model_path(recipe.study.model)))
      fail(ErrorKind::usage, cat("model=", recipe.study.model, " is an adapter; a study starts from whole weights"),
           "merge it first: reveille model merge");
    std::vector<std::string> base = {model_hash(recipe.study.model)};
    if (!recipe.study.chat_template.empty()) base.push_back(template_hash(recipe.study.chat_template));
    double prompts_wanted =
        static_cast<double>(recipe.data.plant_prompts + recipe.data.safety_prompts + recipe.data.held_out_prompts);
    std::size_t prompts = add({.name = "prompts",
                               .options = pick_data(),
                               .inputs = base,
                               .tokens = 2 * prompts_wanted * static_cast<double>(recipe.data.prompt_tokens)});
    graph.steps[prompts].work = [&recipe = recipe](const fs::path& folder) { make_prompts(recipe, folder); };
    std::size_t replies = add({.name = "clean replies",
                               .options = pick_data(),
                               .inputs = {key(prompts)},
                               .tokens = 2 * prompts_wanted * static_cast<double>(recipe.data.reply_tokens)});
    graph.steps[replies].work = [&recipe = recipe, &store = store, prompts_key = key(prompts)](const fs::path& folder) {
      make_replies(recipe, read_prompts(store.folder(prompts_key)), folder);
    };
    add_reasoning_step(replies);
    add_safety_data(replies);
    add_preferences(replies);
    for (std::int64_t seed : recipe.seed_list()) {
      Json options = pick_eval({});
      options["seed"] = seed;
      std::size_t measured = add({.name = cat("rates of the starting model s", seed),
                                  .options = options,
                                  .inputs = {key(replies)},
                                  .tokens = eval_tokens()});
      graph.steps[measured].work = [&recipe = recipe, &store = store, seed,
                                    replies_key = key(replies)](const fs::path& folder) {
        measure_base(recipe, read_replies(store.folder(replies_key)), seed, folder);
      };
      graph.base.push_back(measured);
      add_arms(seed, replies);
    }
    if (!recipe.study.measures.empty()) add_measures(recipe, store, measure_planner(replies), graph);
    return std::move(graph);
  }
};

}  // namespace

std::vector<TreatStep> model_steps(const ArmSteps& arm) {
  std::vector<TreatStep> out = {{"plant", arm.plant}};
  out.insert(out.end(), arm.treats.begin(), arm.treats.end());
  return out;
}

Graph make_graph(const Recipe& recipe, const Store& store) { return Maker{recipe, store}.make(); }

}  // namespace reveille::study
