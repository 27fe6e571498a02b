// The steps of a study's side measures, behind all others.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "study/graph.h"

namespace reveille::study {

// What the graph's maker lends: how keys are made.
struct MeasurePlanner {
  std::function<Json(const std::vector<const char*>& sections)> pick;  // of the recipe, as all keys hold them
  std::function<std::size_t(Step)> add;                                // to the graph, with its key; its index
  std::function<std::string(const std::filesystem::path&)> content;    // the hash of a file
  std::string base_hash;                                               // of the starting model
  std::string replies;                                                 // key of the clean replies
  std::string reward;  // key of the preference model or of the program that rewards; empty: the study has none
};

// A step for each of recipe.study.measures and each model of the organisms and their controls, and of the starting
// model where it is a null; always-on twins hide nothing. What cannot be measured in this study is said in graph.notes.
void add_measures(const Recipe& recipe, const Store& store, const MeasurePlanner& planner, Graph& graph);

// The side measure that is this step, if it is one.
const MeasureStep* measure_at(const Graph& graph, std::size_t step);
// Whether the gate is open and all models are there that the measure is of. A treatment that was refused leaves none.
bool can_measure(const Recipe& recipe, const Graph& graph, const Store& store, const MeasureStep& measure);

}  // namespace reveille::study
