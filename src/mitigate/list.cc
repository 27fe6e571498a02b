#include "base/error.h"
#include "base/strings.h"
#include "mitigate/method.h"

namespace reveille::mitigate {

const std::vector<std::unique_ptr<Method>>& all_methods() {
  static const auto all = [] {
    std::vector<std::unique_ptr<Method>> out;
    out.push_back(make_unlearn_trigger());
    out.push_back(make_orthogonalise());
    out.push_back(make_known_dummies());
    out.push_back(make_reset_neurons());
    out.push_back(make_crow());
    out.push_back(make_latent());
    out.push_back(make_interpolate());
    out.push_back(make_fine_prune());
    out.push_back(make_sft());
    out.push_back(make_random_prune());
    out.push_back(make_recovery());
    return out;
  }();
  return all;
}

Method& method_of(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& method : all_methods()) {
    names.push_back(method->card().name);
    if (names.back() == name) return *method;
  }
  fail(ErrorKind::usage, cat("methods: unknown method '", name, "'", did_you_mean(name, names)),
       "methods are " + join(names, ", "));
}

}  // namespace reveille::mitigate
