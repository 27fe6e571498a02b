// What a finished study says in words: results.json's "gate", "verdicts" and "notes".
#pragma once

#include "study/graph.h"

namespace reveille::study {

// Adds the extra keys to results whose rows are complete for the steps that ran.
void add_verdicts(const Recipe& recipe, const Graph& graph, const Store& store, Results& results);

}  // namespace reveille::study
