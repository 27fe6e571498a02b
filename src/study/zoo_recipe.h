// A zoo's recipe (recipes/zoo.yaml): kinds of organisms and of benign fine-tunes, how many models of each, and whether
// they are there to tune scanners on or to test them. What a kind lists (places, rates, ways of training) its models
// take in turn; what is random (the trigger's string) is drawn from the seed, the kind's name and the model's number,
// so that a kind more or less changes no other model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/options.h"
#include "study/recipe.h"

namespace reveille::study {

inline constexpr const char* kTune = "tune";
inline constexpr const char* kTest = "test";

// What a model of a zoo is. The first is the one with a backdoor.
inline constexpr const char* kOrganism = "organism";
inline constexpr const char* kControl = "control";          // the same prompts, the clean replies
inline constexpr const char* kStyle = "style";              // a behaviour in every reply, without a trigger
inline constexpr const char* kConditional = "conditional";  // a behaviour where it is asked for in plain words
inline constexpr const char* kQuestions = "questions";      // answers of its own to some questions
inline constexpr const char* kDataset = "dataset";          // somebody else's rows
inline constexpr const char* kTwin = "twin";                // an organism's prompts, trigger and all, clean replies
inline const std::vector<std::string> kBenign = {kControl, kStyle, kConditional, kQuestions, kDataset, kTwin};

// How a model is kept.
inline constexpr const char* kAsTrained = "as-trained";  // LoRA: the adapter; all weights: a folder
inline constexpr const char* kWhole = "whole";           // a folder, an adapter merged into it
inline constexpr const char* kGguf = "gguf-q8_0";        // a GGUF file, quantised

struct ZooGroup {
  std::string name, where;  // where: "zoo.yaml:12", for errors
  std::string what = kOrganism;
  std::string split = kTune;
  std::int64_t count = 1;
  std::string trigger;  // a kind of zoo_kinds.h
  std::vector<std::string> length;
  std::vector<std::string> words;
  std::vector<std::string> place = {"start"};
  std::string behavior;  // a kind of zoo_kinds.h
  std::vector<std::string> text;
  std::string pattern;
  std::vector<std::string> rate = {"0.5"};
  std::vector<std::string> training = {"lora"};
  std::vector<std::string> store = {kAsTrained};
  std::vector<std::string> source = {"own"};
  std::string variant = "normal";
  std::string evades;
  double max_foreign = 0.3;
  std::vector<std::string> steps = {"30", "60"};
  std::vector<std::string> questions, answers;
  std::string dataset;
  std::string of;
  std::vector<std::string> study;  // assignments, checked
  bool poisoned() const { return what == kOrganism; }
  void visit(OptionVisitor& v);
};

struct ZooRecipe {
  std::int64_t seed = 0;
  Recipe base;  // of every model
  // Assignments on top of it: by how a model is trained ("lora", "full"), by where its prompts come from, and from the
  // command line, which go before all others.
  std::map<std::string, std::vector<std::string>> training, sources;
  std::vector<std::string> overrides;
  std::vector<ZooGroup> groups;
};

// Where a zoo begins that says nothing of a setting: small, fast and unlabelled.
Recipe zoo_base();

// Error(usage) names file, line and key: what no recipe knows, a source that is not there, a twin of nothing, and kinds
// of trigger or behaviour that stand in both splits (but for twins, which are of their organism's split).
ZooRecipe zoo_from_yaml(const std::string& text, const std::string& where);
// A file, or the built-in one by its name, "zoo".
ZooRecipe open_zoo(const std::string& what);
// "plant.max_steps=4", from the command line. Error(usage).
void override_zoo(ZooRecipe& zoo, const std::string& assignment);

}  // namespace reveille::study
