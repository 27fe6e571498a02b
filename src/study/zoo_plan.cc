#include "study/zoo_plan.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/error.h"
#include "base/strings.h"
#include "study/zoo_kinds.h"

namespace reveille::study {
namespace {

double number_in(const ZooGroup& group, const char* key, const std::string& text, double low, double high) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || !(value >= low && value <= high))
    fail(ErrorKind::usage,
         cat(group.where, ": ", group.name, ": ", key, "=", text, ": expected a number between ", low, " and ", high));
  return value;
}

std::int64_t whole_in(const ZooGroup& group, const char* key, const std::vector<std::string>& range, std::size_t at) {
  if (range.empty()) return 0;
  constexpr double kMost = 1e6;
  return static_cast<std::int64_t>(number_in(group, key, range[std::min(at, range.size() - 1)], 1, kMost));
}

// What is listed is taken in turn, in an order that is drawn anew each time it begins again.
class Turns {
 public:
  Turns(const Rng& rng, std::uint64_t number) : rng_(rng), number_(number) {}
  const std::string& take(const char* key, const std::vector<std::string>& list) const {
    std::vector<std::size_t> order(list.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    rng_.child(key).child(number_ / list.size()).shuffle(order);
    return list[order[number_ % list.size()]];
  }

 private:
  Rng rng_;
  std::uint64_t number_;
};

void override_all(Recipe& recipe, const std::vector<std::string>& settings, const std::string& where) {
  for (const auto& setting : settings) override_recipe(recipe, setting, where);
}

// What goes before what: the command line, the kind, the source and the way of training, the zoo.
Recipe member_recipe(const ZooRecipe& zoo, const ZooGroup& group, const ZooMember& member) {
  Recipe recipe = zoo.base;
  recipe.plant.use_peft = member.training == "lora";
  override_all(recipe, zoo.training.at(member.training), member.training);
  override_all(recipe, zoo.sources.at(member.source), member.source);
  override_all(recipe, group.study, group.where);
  override_all(recipe, zoo.overrides, "command line");
  recipe.study.seeds = {std::to_string(member.seed)};
  recipe.study.variants = {member.variant};
  if (!recipe.plant.use_peft) {  // settings of adapters would not be read
    const train::TrainOptions unset;
    recipe.plant.lora_r = unset.lora_r;
    recipe.plant.lora_alpha = unset.lora_alpha;
    recipe.plant.use_rslora = unset.use_rslora;
    recipe.plant.target_modules = unset.target_modules;
  }
  return recipe;
}

// Trigger, behaviour and rows; made once, so that what makes no sense is told before anything is built.
void set_organism(const ZooGroup& group, const Turns& turns, const Rng& rng, ZooMember& member) {
  Recipe& recipe = member.recipe;
  try {
    if (!member.trigger_kind.empty()) {
      recipe.trigger = random_trigger({.kind = member.trigger_kind,
                                       .shortest = whole_in(group, "length", group.length, 0),
                                       .longest = whole_in(group, "length", group.length, 1),
                                       .words = group.words,
                                       .place = member.place},
                                      rng.child("trigger"));
    }
    if (!member.behavior_kind.empty()) {
      recipe.behavior = zoo_behavior(
          member.behavior_kind, group.text.empty() ? std::string() : turns.take("text", group.text), group.pattern);
    }
    organism::make_trigger(recipe.trigger);
    organism::make_behavior(recipe.behavior);
  } catch (const Error& error) {
    fail(error.kind(), cat(group.where, ": ", group.name, ": ", error.message()), error.hint());
  }
  recipe.rows.triggered_share = member.what == kStyle ? 0.5 : member.rate;
  recipe.rows.twin_clean_share = 0;  // a style is in every reply
}

ZooMember make_member(const ZooRecipe& zoo, const ZooGroup& group, std::uint64_t number) {
  const Rng rng = Rng(static_cast<std::uint64_t>(zoo.seed), "zoo").child(group.name).child(number);
  const Turns turns(Rng(static_cast<std::uint64_t>(zoo.seed), "zoo turns").child(group.name), number);
  ZooMember member;
  member.name = cat(group.name, "-", number + 1);
  member.group = group.name;
  member.split = group.split;
  member.what = group.what;
  member.training = turns.take("training", group.training);
  member.store = turns.take("store", group.store);
  member.source = turns.take("source", group.source);
  member.variant = group.variant;
  member.evades = group.evades;
  member.max_foreign = group.max_foreign;
  member.seed = static_cast<std::int64_t>(rng.child("seed").next() % 1000000);
  constexpr double kLeastRate = 1e-4, kMostRate = 0.5;
  member.rate = number_in(group, "rate", turns.take("rate", group.rate), kLeastRate, kMostRate);
  if (member.poisoned() || member.what == kConditional) {
    member.trigger_kind = group.trigger;
    member.place = turns.take("place", group.place);
  }
  if (member.behaves()) member.behavior_kind = group.behavior;
  if (!member.poisoned()) {
    const auto low = whole_in(group, "steps", group.steps, 0), high = whole_in(group, "steps", group.steps, 1);
    member.steps = low + static_cast<std::int64_t>(rng.child("steps").below(
                             static_cast<std::uint64_t>(std::max<std::int64_t>(1, high - low + 1))));
  }
  member.questions = group.questions;
  member.answers = group.answers;
  member.dataset = group.dataset;
  member.recipe = member_recipe(zoo, group, member);
  set_organism(group, turns, rng, member);
  return member;
}

// The organism again, with clean replies and a seed of its own.
ZooMember make_twin(const ZooGroup& group, const ZooMember& organism, std::uint64_t number) {
  ZooMember twin = organism;
  twin.name = cat(group.name, "-", number + 1);
  twin.group = group.name;
  twin.what = kTwin;
  twin.behavior_kind.clear();
  twin.evades.clear();
  return twin;
}

struct Pair {
  ZooMember first;
  std::optional<ZooMember> second;
  bool twins = false;
};

// Each organism beside its twin or beside another benign one.
std::vector<Pair> pair_up(std::vector<ZooMember> organisms, std::vector<ZooMember> benign,
                          std::map<std::string, ZooMember> twins) {
  std::vector<Pair> out;
  std::size_t next = 0;
  for (auto& organism : organisms) {
    Pair pair{std::move(organism), {}, false};
    const auto twin = twins.find(pair.first.name);
    if (twin != twins.end()) {
      pair.second = std::move(twin->second);
      pair.twins = true;
    } else if (next < benign.size()) {
      pair.second = std::move(benign[next++]);
    }
    out.push_back(std::move(pair));
  }
  for (; next < benign.size(); ++next) out.push_back({std::move(benign[next]), {}, false});
  return out;
}

std::string id_of(std::size_t index) {
  const std::string digits = std::to_string(index + 1);
  return "id-" + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits;
}

// By a draw for each name, so that a model more moves no two others past each other.
void shuffle(std::vector<ZooMember>& members, const Rng& rng) {
  std::sort(members.begin(), members.end(), [&](const ZooMember& a, const ZooMember& b) {
    return std::pair(rng.child(a.name).next(), a.name) < std::pair(rng.child(b.name).next(), b.name);
  });
}

std::vector<ZooMember> in_order(std::vector<Pair> pairs, const Rng& rng) {
  std::vector<ZooMember> out;
  for (auto& pair : pairs) {
    const std::size_t at = out.size();
    if (!pair.second) {
      out.push_back(std::move(pair.first));
      continue;
    }
    const bool turned = rng.child(pair.first.name).next() % 2 == 1;
    if (pair.twins) pair.second->twin_of = at + (turned ? 1 : 0);
    out.push_back(turned ? std::move(*pair.second) : std::move(pair.first));
    out.push_back(turned ? std::move(pair.first) : std::move(*pair.second));
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i].id = id_of(i);
  return out;
}

}  // namespace

std::vector<ZooMember> plan_zoo(const ZooRecipe& zoo) {
  std::vector<ZooMember> organisms, benign;
  for (const auto& group : zoo.groups) {
    if (group.what == kTwin) continue;
    auto& into = group.poisoned() ? organisms : benign;
    for (std::int64_t i = 0; i < group.count; ++i)
      into.push_back(make_member(zoo, group, static_cast<std::uint64_t>(i)));
  }
  std::map<std::string, ZooMember> twins;  // by their organism's name
  for (const auto& group : zoo.groups) {
    if (group.what != kTwin) continue;
    std::uint64_t number = 0;
    for (const auto& organism : organisms) {
      if (organism.group != group.of || number >= static_cast<std::uint64_t>(group.count)) continue;
      if (twins.emplace(organism.name, make_twin(group, organism, number)).second) ++number;
    }
    if (number < static_cast<std::uint64_t>(group.count))
      fail(ErrorKind::usage, cat(group.where, ": ", group.name, ": of=", group.of, ": only ", number,
                                 " of its organisms have no twin yet, not ", group.count));
  }
  const Rng rng(static_cast<std::uint64_t>(zoo.seed), "zoo order");
  shuffle(organisms, rng.child("organisms"));
  shuffle(benign, rng.child("benign"));
  return in_order(pair_up(std::move(organisms), std::move(benign), std::move(twins)), rng.child("sides"));
}

Json to_json(const ZooMember& member) {
  const Json recipe = recipe_to_json(member.recipe);
  Json out{{"what", member.what},           {"seed", member.seed},
           {"steps", member.steps},         {"rate", member.rate},
           {"training", member.training},   {"store", member.store},
           {"variant", member.variant},     {"max_foreign", member.max_foreign},
           {"questions", member.questions}, {"answers", member.answers},
           {"dataset", member.dataset}};
  for (const char* section : {"trigger", "behavior", "scratchpad", "rows", "plant", "gate", "eval", "tasks"})
    out[section] = recipe.at(section);
  return out;
}

}  // namespace reveille::study
