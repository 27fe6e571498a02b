// Working on a step of the store: once, whoever planned it, and on from where a killed try stopped.
#pragma once

#include "study/step.h"
#include "study/store.h"

namespace reveille::study {

struct Worked {
  double seconds = 0;  // what the step took in all, earlier interrupted tries included
  double now = 0;      // of it, in this try; 0: it was in the store
};

// Works on a step that is not in the store (the caller holds its lock), and commits it. What a killed try left half
// written is taken out of its folder first; when it is done, so are checkpoints, since a finished step needs none.
Worked work_on(Store& store, const Step& step);

// The same, but takes the step from the store where it is there, and waits for another program that works on it.
Worked ensure(Store& store, const Step& step);

}  // namespace reveille::study
