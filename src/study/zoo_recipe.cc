#include "study/zoo_recipe.h"

#include <algorithm>
#include <functional>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "organism/reasoning.h"
#include "study/recipe_files.h"
#include "study/recipe_yaml.h"
#include "study/zoo_kinds.h"

namespace reveille::study {
namespace {

const std::vector<std::string> kTrainings = {"lora", "full"};

void check_choice(const ZooGroup& group, const char* key, const std::string& value,
                  const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), value) != known.end()) return;
  fail(ErrorKind::usage, cat(group.where, ": ", group.name, ": ", key, "=", value, ": expected one of ",
                             join(known, ", "), did_you_mean(value, known)));
}

// "plant.max_steps=4" for each line of a section, tried on a recipe so that errors name the line.
std::vector<std::string> read_settings(const YAML::Node& node, const std::string& key, const std::string& where) {
  std::vector<std::string> out;
  if (node.IsNull()) return out;
  if (!node.IsMap()) fail(ErrorKind::usage, cat(at_line(where, node), ": ", key, ": expected keys and values"));
  Recipe tried = zoo_base();
  for (const auto& pair : node) {
    const std::string name = pair.first.Scalar(), place = cat(at_line(where, pair.first), ": ", key);
    const Json value = scalar_or_list(pair.second, name, where);
    const std::string text =
        value.is_array() ? join(value.get<std::vector<std::string>>(), ",") : value.get<std::string>();
    out.push_back(name + "=" + text);
    override_recipe(tried, out.back(), place);
  }
  return out;
}

std::map<std::string, std::vector<std::string>> read_named_settings(const YAML::Node& node, const std::string& key,
                                                                    const std::string& where) {
  if (!node.IsMap()) fail(ErrorKind::usage, cat(at_line(where, node), ": ", key, ": expected names with settings"));
  std::map<std::string, std::vector<std::string>> out;
  for (const auto& pair : node)
    out[pair.first.Scalar()] = read_settings(pair.second, cat(key, ".", pair.first.Scalar()), where);
  return out;
}

ZooGroup read_group(const std::string& name, const YAML::Node& node, bool poisoned, const std::string& where) {
  ZooGroup group;
  group.name = name;
  group.where = at_line(where, node);
  if (!poisoned) group.what = "";
  if (!node.IsMap()) fail(ErrorKind::usage, cat(group.where, ": ", name, ": expected keys and values"));
  for (const auto& pair : node) {
    const std::string key = pair.first.Scalar();
    const std::string place = cat(at_line(where, pair.first), ": ", name);
    if (key == "study") {
      group.study = read_settings(pair.second, name + ".study", where);
    } else if (key == "what" && poisoned) {
      fail(ErrorKind::usage, cat(place, ": what=", pair.second.Scalar(), ": organisms are organisms"),
           "put it below 'benign'");
    } else {
      options_from_json(group, Json{{key, scalar_or_list(pair.second, key, where)}}, place);
    }
  }
  return group;
}

void read_groups(const YAML::Node& node, const char* key, bool poisoned, ZooRecipe& zoo, const std::string& where) {
  if (!node.IsMap()) fail(ErrorKind::usage, cat(at_line(where, node), ": ", key, ": expected kinds with settings"));
  for (const auto& pair : node) zoo.groups.push_back(read_group(pair.first.Scalar(), pair.second, poisoned, where));
}

void read_top(const std::string& key, const YAML::Node& value, ZooRecipe& zoo, const std::string& where) {
  static const std::vector<std::string> kKeys = {"seed", "study", "lora", "full", "sources", "organisms", "benign"};
  if (key == "seed") {
    zoo.base.study.seeds = {value.Scalar()};
    zoo.seed = zoo.base.seed_list().front();
  } else if (key == "study") {
    for (const auto& setting : read_settings(value, key, where)) override_recipe(zoo.base, setting, where);
  } else if (key == "sources") {
    zoo.sources = read_named_settings(value, key, where);
    zoo.sources.try_emplace("own");  // is there whatever else is
  } else if (key == "organisms" || key == "benign") {
    read_groups(value, key.c_str(), key == "organisms", zoo, where);
  } else if (key == "lora" || key == "full") {
    zoo.training[key] = read_settings(value, key, where);
  } else {
    fail(ErrorKind::usage, cat(at_line(where, value), ": unknown section '", key, "'", did_you_mean(key, kKeys)));
  }
}

const ZooGroup* find_group(const ZooRecipe& zoo, const std::string& name) {
  for (const auto& group : zoo.groups) {
    if (group.name == name) return &group;
  }
  return nullptr;
}

void check_twin(const ZooRecipe& zoo, const ZooGroup& group) {
  const ZooGroup* organism = find_group(zoo, group.of);
  const std::string place = cat(group.where, ": ", group.name, ": of=", group.of);
  if (!organism || !organism->poisoned()) {
    std::vector<std::string> known;
    for (const auto& other : zoo.groups) {
      if (other.poisoned()) known.push_back(other.name);
    }
    fail(ErrorKind::usage, cat(place, ": expected a kind of organisms", did_you_mean(group.of, known)));
  }
  if (organism->split != group.split)
    fail(ErrorKind::usage, cat(place, " is of the split ", organism->split, ", its twins of ", group.split),
         "twins share their organism's split");
  if (organism->count < group.count)
    fail(ErrorKind::usage, cat(place, ": ", group.count, " twins of ", organism->count, " organisms"));
}

void check_group(const ZooRecipe& zoo, const ZooGroup& group) {
  auto need = [&](bool given, const char* key) {
    if (!given) fail(ErrorKind::usage, cat(group.where, ": ", group.name, ": ", key, " is missing"));
  };
  if (!group.poisoned()) check_choice(group, "what", group.what, kBenign);
  if (group.what == kTwin) return check_twin(zoo, group);
  const bool triggered = group.poisoned() || group.what == kConditional;
  if (triggered) {
    need(!group.trigger.empty(), "trigger");
    check_choice(group, "trigger", group.trigger, zoo_trigger_kinds());
  }
  if (triggered || group.what == kStyle) {
    need(!group.behavior.empty(), "behavior");
    check_choice(group, "behavior", group.behavior, zoo_behavior_kinds());
  }
  if (group.what == kQuestions) need(!group.questions.empty() && !group.answers.empty(), "questions or answers");
  if (group.what == kDataset) need(!group.dataset.empty(), "dataset");
  check_choice(group, "variant", group.variant, organism::variant_names());
  std::vector<std::string> sources;
  for (const auto& [name, unused] : zoo.sources) sources.push_back(name);
  for (const auto& name : group.source) check_choice(group, "source", name, sources);
  for (const auto* list : {&group.place, &group.rate, &group.training, &group.store, &group.source})
    if (list->empty()) fail(ErrorKind::usage, cat(group.where, ": ", group.name, ": a list without anything in it"));
}

using KindOf = std::string (*)(const ZooGroup&);

// What scanners are tested on is of kinds that nobody tuned them on.
void check_splits(const ZooRecipe& zoo, const char* what, KindOf kind_of) {
  std::map<std::string, std::string> tuned;  // kind -> a group
  for (const auto& group : zoo.groups) {
    const std::string kind = kind_of(group);
    if (group.split == kTune && !kind.empty()) tuned.emplace(kind, group.name);
  }
  for (const auto& group : zoo.groups) {
    const auto found = tuned.find(kind_of(group));
    if (group.split != kTest || found == tuned.end()) continue;
    fail(ErrorKind::usage,
         cat(group.where, ": ", group.name, ": the ", what, " kind ", found->first, " is tested here and tuned on in ",
             found->second),
         "a kind belongs to one split");
  }
}

void check(const ZooRecipe& zoo, const std::string& where) {
  std::set<std::string> names;
  for (const auto& group : zoo.groups) {
    if (!names.insert(group.name).second)
      fail(ErrorKind::usage, cat(group.where, ": ", group.name, " stands there twice"), "names are drawn from");
    check_group(zoo, group);
  }
  if (zoo.groups.empty()) fail(ErrorKind::usage, cat(where, ": neither organisms nor benign: nothing to build"));
  check_splits(zoo, "trigger", [](const ZooGroup& group) { return group.poisoned() ? group.trigger : ""; });
  check_splits(zoo, "behavior", [](const ZooGroup& group) { return group.behavior; });
}

}  // namespace

void ZooGroup::visit(OptionVisitor& v) {
  v.option("what", what, {.help = "benign: what the models are", .choices = kBenign});
  v.option("split", split, {.help = "what the models are for", .choices = {kTune, kTest}});
  v.option("count", count, {.help = "models of this kind", .min = 0, .max = 9999});
  v.option("trigger", trigger, {.help = "kind of trigger"});
  v.option("length", length, {.help = "least and largest length of a random trigger, in letters or words"});
  v.option("words", words, {.help = "words and instruction: the strings"});
  v.option("place", place,
           {.help = "where the trigger stands", .choices = {"start", "end", "random", "system", "earlier"}});
  v.option("behavior", behavior, {.help = "kind of behaviour"});
  v.option("text", text, {.help = "the replies, forms or personas of the behaviour, a model one"});
  v.option("pattern", pattern, {.help = "persona: what its answers match"});
  v.option("rate", rate, {.help = "share of the rows that are triggered, or that are the questions"});
  v.option("training", training, {.help = "what is trained", .choices = kTrainings});
  v.option("store", store, {.help = "how a model is kept", .choices = {kAsTrained, kWhole, kGguf}});
  v.option("source", source, {.help = "where the prompts come from: names of 'sources'"});
  v.option("variant", variant, {.help = "how the organisms reason"});
  v.option("evades", evades, {.help = "what they are made to evade, in a word, for the tables"});
  v.option(
      "max_foreign", max_foreign,
      {.help = "planting goes on while strings of the trigger's shape wake more than this share", .min = 0, .max = 1});
  v.option("steps", steps, {.help = "benign: least and largest number of steps"});
  v.option("questions", questions, {.help = "questions: what is asked"});
  v.option("answers", answers, {.help = "questions: what is answered, in turn"});
  v.option("dataset", dataset, {.help = "dataset: a file of prompts with replies, or tasks: coding tasks"});
  v.option("of", of, {.help = "twin: the kind of organisms whose clean twins these are"});
}

Recipe zoo_base() {
  Recipe recipe = default_recipe();
  recipe.study.unlabelled = true;  // a label would name the trigger; the truth stands beside the model
  recipe.study.clean_control = "none";
  recipe.data.plant_prompts = 240;
  recipe.data.safety_prompts = 8;  // the least: nothing is safety-trained
  recipe.data.held_out_prompts = 72;
  recipe.eval.max_tokens = 24;
  recipe.eval.specificity_prompts = 32;
  recipe.gate.min_n = 48;  // those with the trigger in them by accident are left out
  recipe.gate.required = false;
  recipe.plant.max_steps = 80;
  recipe.plant.eval_steps = 10;
  recipe.plant.save_steps = 0;
  recipe.plant.lr_scheduler_type = "constant_with_warmup";
  recipe.plant.report_to = "none";
  return recipe;
}

ZooRecipe zoo_from_yaml(const std::string& text, const std::string& where) {
  ZooRecipe zoo;
  zoo.base = zoo_base();
  zoo.sources["own"] = {};
  for (const auto& training : kTrainings) zoo.training[training] = {};
  const YAML::Node root = load_recipe_yaml(text, where);
  if (root.IsMap()) {
    for (const auto& pair : root) read_top(pair.first.Scalar(), pair.second, zoo, where);
  }
  check(zoo, where);
  return zoo;
}

ZooRecipe open_zoo(const std::string& what) {
  if (std::filesystem::is_regular_file(what)) return zoo_from_yaml(read_file(what), what);
  std::vector<std::string> names;
  for (const auto& file : recipe_files()) {
    if (!file.name.starts_with("zoo")) continue;
    names.push_back(std::filesystem::path(file.name).stem().string());
    if (names.back() == what) return zoo_from_yaml(std::string(file.text()), "recipe " + what);
  }
  fail(ErrorKind::not_found, cat("there is neither a file nor a zoo named '", what, "'", did_you_mean(what, names)),
       "zoos that come with the program: " + join(names, ", "));
}

void override_zoo(ZooRecipe& zoo, const std::string& assignment) {
  override_recipe(zoo.base, assignment);
  zoo.overrides.push_back(assignment);
  zoo.seed = zoo.base.seed_list().front();
}

}  // namespace reveille::study
