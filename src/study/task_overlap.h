// Whether a user's preference pairs are of the study's own coding tasks: those that are planted, safety-trained on or
// measured.
#pragma once

#include <vector>

#include "io/dataset.h"
#include "study/data_steps.h"

namespace reveille::study {

// Error(bad_input) names the first pair whose prompt is nearly that of a task of `data`, or whose reply holds nearly
// the code of a solution, and the task's family.
void refuse_own_tasks(const StudyData& data, const std::vector<io::Example>& pairs);

}  // namespace reveille::study
