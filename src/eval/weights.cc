#include "eval/weights.h"

#include "base/error.h"

namespace reveille::eval {

gen::LocalModel& with_weights(gen::LanguageModel& model, const std::string& measure) {
  if (auto* local = dynamic_cast<gen::LocalModel*>(&model)) return *local;
  fail(ErrorKind::unsupported, cat("measure=", measure, ": ", model.name(), " does not run in this process"),
       "name a folder or file of weights");
}

}  // namespace reveille::eval
