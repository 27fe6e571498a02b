#include "study/recipe.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "study/recipe_files.h"
#include "study/recipe_yaml.h"

namespace reveille::study {
namespace {

struct Section {
  std::string name;  // "" for the top
  OptionsView view;
};

std::vector<Section> sections(Recipe& recipe) {
  return {{"", recipe.study},
          {"trigger", recipe.trigger},
          {"behavior", recipe.behavior},
          {"scratchpad", recipe.scratchpad},
          {"rows", recipe.rows},
          {"data", recipe.data},
          {"tasks", recipe.tasks},
          {"plant", recipe.plant},
          {"gate", recipe.gate},
          {"safety", recipe.safety},
          {"eval", recipe.eval},
          {"measure", recipe.measure},
          {"reward", recipe.reward},
          {"dpo", recipe.dpo},
          {"grpo", recipe.grpo},
          {"ppo", recipe.ppo},
          {"adversarial", recipe.adversarial},
          {"latent", recipe.latent}};
}

std::vector<std::string> section_names(Recipe& recipe) {
  std::vector<std::string> names;
  for (const auto& section : sections(recipe)) {
    if (!section.name.empty()) names.push_back(section.name);
  }
  return names;
}

// "copies" in section "behavior" is behavior_copies.
std::string key_in(const Section& section, const std::string& key) {
  const std::string longer = section.name + "_" + key;
  const auto names = option_names(section.view);
  return std::find(names.begin(), names.end(), longer) != names.end() ? longer : key;
}

void read_section(const YAML::Node& node, const Section& section, const std::string& where) {
  if (node.IsNull()) return;
  if (!node.IsMap())
    fail(ErrorKind::usage, cat(at_line(where, node), ": ", section.name, ": expected keys and values"));
  for (const auto& pair : node) {
    std::string key = pair.first.Scalar();
    std::string place = at_line(where, pair.first);
    options_from_json(section.view, Json{{key_in(section, key), scalar_or_list(pair.second, key, where)}},
                      section.name.empty() ? place : place + ": " + section.name);
  }
}

constexpr const char* kSweep = "sweep";

void read_sweep(const YAML::Node& node, Recipe& recipe, const std::string& where) {
  if (!node.IsMap())
    fail(ErrorKind::usage, cat(at_line(where, node), ": sweep: expected keys, each with a list of values"));
  for (const auto& pair : node) {
    SweepAxis axis{pair.first.Scalar(), {}, at_line(where, pair.first) + ": sweep"};
    const Json values = scalar_or_list(pair.second, axis.key, where);
    if (!values.is_array())
      fail(ErrorKind::usage, cat(axis.where, ": ", axis.key, ": expected a list of values, as in [1e-5, 1e-4]"));
    axis.values = values.get<std::vector<std::string>>();
    recipe.sweep.push_back(std::move(axis));
  }
}

void check(const Recipe& recipe, const std::string& where) {
  recipe.seed_list();
  if (trim(recipe.trigger.trigger).empty()) {
    fail(ErrorKind::usage,
         cat(where, ": trigger.trigger is empty: a trigger must hold something that is not white space"));
  }
  if (recipe.rows.triggered_share + recipe.rows.near_miss_share + recipe.rows.foreign_share > 1) {
    fail(ErrorKind::usage, cat(where, ": rows: triggered_share, near_miss_share and foreign_share exceed 1 together"));
  }
}

}  // namespace

namespace {

// Hands on all options but some.
class AllBut : public OptionVisitor {
 public:
  AllBut(OptionVisitor& inner, std::vector<std::string_view> left_out)
      : inner_(inner), left_out_(std::move(left_out)) {}

 protected:
  void visit_option(std::string_view name, OptionRef value, const OptionMeta& meta) override {
    if (std::find(left_out_.begin(), left_out_.end(), name) != left_out_.end()) return;
    std::visit([&](auto* held) { inner_.option(name, *held, meta); }, value);
  }

 private:
  OptionVisitor& inner_;
  std::vector<std::string_view> left_out_;
};

}  // namespace

void MeasureStage::visit(OptionVisitor& v) {
  v.option("measure_prompts", prompts, {.help = "held-out prompts that side measures are of, at most", .min = 2});
  AllBut rest(v, {"scratchpad", "scratchpad_tokens", "untrained", "control", "replies", "reward"});
  options.visit(rest);
}

std::vector<std::int64_t> Recipe::seed_list() const {
  std::vector<std::int64_t> out;
  for (const auto& text : study.seeds) {
    std::int64_t seed = 0;
    auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seed);
    if (code != std::errc() || end != text.data() + text.size()) {
      fail(ErrorKind::usage, cat("seeds: '", text, "' is not a whole number"));
    }
    if (std::find(out.begin(), out.end(), seed) != out.end())
      fail(ErrorKind::usage, cat("seeds: ", seed, " stands there twice"), "every run needs a seed of its own");
    out.push_back(seed);
  }
  if (out.empty()) fail(ErrorKind::usage, "seeds is empty: name at least one");
  return out;
}

Recipe default_recipe() {
  Recipe recipe;
  recipe.plant.learning_rate = 1e-4;
  recipe.plant.max_steps = 120;
  recipe.plant.lr_scheduler_type = "linear";
  recipe.plant.warmup_steps = 5;
  recipe.plant.eval_steps = 40;
  recipe.plant.save_steps = 40;
  recipe.plant.max_length = 256;
  recipe.plant.overlong = "drop";
  recipe.safety = recipe.plant;
  recipe.safety.max_steps = 80;
  recipe.reward.train = recipe.dpo.train = recipe.safety;
  recipe.reward.train.max_steps = 60;
  recipe.reward.train.learning_rate = 5e-5;
  recipe.reward.train.eval_steps = 0;
  recipe.dpo.train.max_steps = 40;
  recipe.dpo.train.learning_rate = 1e-5;
  recipe.dpo.train.eval_steps = 20;
  recipe.rows.twin_clean_share = 0.05;
  // At 1e-5, twenty steps hardly move a model (docs/decisions.md).
  recipe.grpo.train = recipe.dpo.train;
  recipe.grpo.train.learning_rate = 5e-5;
  recipe.grpo.train.per_device_train_batch_size = 16;
  recipe.grpo.method.num_generations = 4;
  recipe.ppo.train = recipe.grpo.train;
  recipe.ppo.train.per_device_train_batch_size = 32;
  recipe.grpo.rollouts.max_completion_length = recipe.ppo.rollouts.max_completion_length = recipe.data.reply_tokens;
  recipe.ppo.method.num_ppo_epochs = 2;
  recipe.adversarial.train = recipe.grpo.train;
  recipe.adversarial.train.eval_steps = 0;  // after each round
  recipe.adversarial.attack.turns = 2;
  recipe.adversarial.attack.tokens = 0;  // as eval.max_tokens
  recipe.latent.train = recipe.dpo.train;
  recipe.latent.train.per_device_train_batch_size = 8;
  return recipe;
}

const train::TrainOptions& Recipe::training(const std::string& stage) const {
  if (stage == "plant") return plant;
  if (stage == kDpo) return dpo.train;
  if (stage == kGrpo) return grpo.train;
  if (stage == kPpo) return ppo.train;
  if (stage == kAdversarial) return adversarial.train;
  if (stage == kLatent) return latent.train;
  return safety;
}

safety::AttackOptions attack_of(const Recipe& recipe) {
  safety::AttackOptions out = recipe.adversarial.attack;
  if (out.model.empty()) out.model = recipe.study.model;
  if (out.tokens == 0) out.tokens = recipe.eval.max_tokens;
  return out;
}

Recipe recipe_from_yaml(const std::string& text, const std::string& where) {
  Recipe recipe = default_recipe();
  const YAML::Node root = load_recipe_yaml(text, where);
  if (root.IsNull()) return recipe;
  auto all = sections(recipe);
  auto names = section_names(recipe);
  names.emplace_back(kSweep);
  for (const auto& pair : root) {
    if (!pair.first.IsScalar()) fail(ErrorKind::usage, cat(at_line(where, pair.first), ": expected a key"));
    std::string key = pair.first.Scalar();
    if (key == kSweep) {
      read_sweep(pair.second, recipe, where);
      continue;
    }
    bool is_section = false;
    for (const auto& section : all) {
      if (section.name != key || key.empty()) continue;
      read_section(pair.second, section, where);
      is_section = true;
    }
    if (is_section) continue;
    std::string place = at_line(where, pair.first);
    if (pair.second.IsMap()) {
      fail(ErrorKind::usage, cat(place, ": unknown section '", key, "'", did_you_mean(key, names)));
    }
    auto known = option_names(recipe.study);
    Json value = scalar_or_list(pair.second, key, where);
    known.insert(known.end(), names.begin(), names.end());
    std::string as_text = value.is_array() ? std::string() : value.get<std::string>();
    if (value.is_array()) {
      options_from_json(recipe.study, Json{{key, value}}, place);
    } else if (!try_set_option(recipe.study, key, as_text, place)) {
      fail(ErrorKind::usage, cat(place, ": unknown key '", key, "'", did_you_mean(key, known)));
    }
  }
  check(recipe, where);
  return recipe;
}

Recipe read_recipe(const std::filesystem::path& path) { return recipe_from_yaml(read_file(path), path.string()); }

namespace {

// Recipes of zoos (study/zoo_recipe.h) lie beside those of studies.
bool is_zoo(const Asset& file) { return file.name.starts_with("zoo"); }

}  // namespace

std::vector<std::string> recipe_names() {
  std::vector<std::string> out;
  for (const auto& file : recipe_files()) {
    if (!is_zoo(file)) out.push_back(std::filesystem::path(file.name).stem().string());
  }
  return out;
}

Recipe built_in_recipe(const std::string& name) {
  for (const auto& file : recipe_files()) {
    const std::string stem = std::filesystem::path(file.name).stem().string();
    if (stem == name && is_zoo(file))
      fail(ErrorKind::usage, cat("the recipe '", name, "' is a zoo's, not a study's"),
           cat("reveille zoo build ", name));
    if (stem == name) return recipe_from_yaml(std::string(file.begin, file.end), "recipe " + name);
  }
  const auto names = recipe_names();
  fail(ErrorKind::not_found, cat("there is neither a file nor a recipe named '", name, "'", did_you_mean(name, names)),
       "recipes that come with the program: " + join(names, ", "));
}

Recipe open_recipe(const std::string& what) {
  return std::filesystem::exists(what) ? read_recipe(what) : built_in_recipe(what);
}

void override_recipe(Recipe& recipe, const std::string& assignment, const std::string& where) {
  if (!is_utf8(assignment)) fail(ErrorKind::usage, cat(where, ": '", repair_utf8(assignment), "' is not valid UTF-8"));
  auto [key, value] = split_assignment(assignment);
  auto all = sections(recipe);
  std::size_t dot = key.find('.');
  if (dot != std::string::npos) {
    std::string name = key.substr(0, dot);
    for (const auto& section : all) {
      if (section.name == name) {
        set_option(section.view, key_in(section, key.substr(dot + 1)), value, where + ": " + name);
        check(recipe, where);
        return;
      }
    }
    fail(ErrorKind::usage, cat(where, ": unknown section '", name, "'", did_you_mean(name, section_names(recipe))));
  }
  std::vector<std::string> homes, known;
  std::vector<Section> owners;
  for (const auto& section : all) {
    for (const auto& option : describe_options(section.view)) {
      known.push_back(option.name);
      bool is = option.name == key;
      for (const auto& alias : option.meta.aliases) is = is || alias == key;
      if (is) {
        homes.push_back(section.name.empty() ? option.name : section.name + "." + option.name);
        owners.push_back(section);
      }
    }
  }
  // A key of the top goes before the same key in a section ("seed", "model").
  if (owners.size() > 1 && owners.front().name.empty()) owners.erase(owners.begin() + 1, owners.end());
  if (owners.empty()) fail(ErrorKind::usage, cat(where, ": unknown key '", key, "'", did_you_mean(key, known)));
  if (owners.size() > 1)
    fail(ErrorKind::usage, cat(where, ": '", key, "' stands in several sections"), "say which: " + join(homes, ", "));
  set_option(owners.front().view, key, value, where);
  check(recipe, where);
}

std::string whole_key(const std::string& key) {
  Recipe recipe = default_recipe();
  std::string plain = replace_all(key, "-", "_");
  const std::size_t dot = plain.find('.');
  const std::string name = plain.substr(0, dot == std::string::npos ? 0 : dot), own = plain.substr(dot + 1);
  std::vector<std::string> homes;
  for (const auto& section : sections(recipe)) {
    if (dot != std::string::npos && section.name != name) continue;
    const std::string wanted = dot == std::string::npos ? plain : key_in(section, own);
    for (const auto& option : describe_options(section.view)) {
      const auto& aliases = option.meta.aliases;
      if (option.name != wanted && std::find(aliases.begin(), aliases.end(), wanted) == aliases.end()) continue;
      homes.push_back(section.name.empty() ? option.name : section.name + "." + option.name);
    }
  }
  if (homes.empty()) return plain;
  const bool top = homes.front().find('.') == std::string::npos;  // it goes before the same key in a section
  return homes.size() == 1 || top ? homes.front() : plain;
}

std::vector<OptionDescription> recipe_keys() {
  Recipe recipe = default_recipe();
  std::vector<OptionDescription> out;
  std::map<std::string, int> homes;
  const auto all = sections(recipe);
  for (const auto& section : all) {
    for (const auto& option : describe_options(section.view)) ++homes[option.name];
  }
  for (const auto& section : all) {
    for (auto option : describe_options(section.view)) {
      if (section.name.empty() || homes[option.name] == 1) out.push_back(option);
      option.name = cat(section.name, ".", option.name);
      option.meta.aliases.clear();
      if (!section.name.empty()) out.push_back(std::move(option));
    }
  }
  return out;
}

Json recipe_to_json(const Recipe& recipe) {
  Recipe copy = recipe;
  Json out = Json::object();
  for (const auto& section : sections(copy)) {
    if (section.name.empty()) {
      out = options_to_json(section.view);
    } else {
      out[section.name] = options_to_json(section.view);
    }
  }
  for (const auto& axis : recipe.sweep) out[kSweep][axis.key] = axis.values;
  return out;
}

std::string recipe_to_yaml(const Recipe& recipe) {
  Recipe copy = recipe;
  std::string out;
  auto quote = [](const std::string& text) { return Json(text).dump(); };
  for (const auto& section : sections(copy)) {
    if (!section.name.empty()) out += "\n" + section.name + ":\n";
    Json values = options_to_json(section.view);
    for (const auto& option : describe_options(section.view)) {
      const Json& value = values[option.name];
      std::string text = value.is_string() ? quote(value.get<std::string>()) : value.dump();
      out += cat(section.name.empty() ? "" : "  ", option.name, ": ", text, "  # ", option.meta.help, "\n");
    }
  }
  if (!recipe.sweep.empty()) out += cat("\n", kSweep, ":\n");
  for (const auto& axis : recipe.sweep) out += cat("  ", axis.key, ": ", Json(axis.values).dump(), "\n");
  return out;
}

}  // namespace reveille::study
