// A way of removing a backdoor: it changes the model of a workspace. One file each, one line in mitigate/list.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "mitigate/workspace.h"

namespace reveille::mitigate {

struct MethodCard {
  std::string name;    // "unlearn_trigger"
  std::string does;    // one clause for help and pages
  std::string source;  // where it comes from, or ""
  // It changes weights, so that an adapter alone cannot hold what it did.
  bool edits = false;
  bool needs_trigger = false, needs_base = false;
  bool control = false;  // it stands beside the others to be compared with
};

class Method {
 public:
  virtual ~Method() = default;
  virtual MethodCard card() const = 0;
  // Changes work.model(). -> what was done: figures, and the courses of its trainings.
  virtual Json apply(Workspace& work) = 0;
};

// All methods, in the order of help.
const std::vector<std::unique_ptr<Method>>& all_methods();
// Error(usage) with the nearest name.
Method& method_of(const std::string& name);

// One function a method, each in its own file.
std::unique_ptr<Method> make_unlearn_trigger();
std::unique_ptr<Method> make_orthogonalise();
std::unique_ptr<Method> make_known_dummies();
std::unique_ptr<Method> make_reset_neurons();
std::unique_ptr<Method> make_crow();
std::unique_ptr<Method> make_latent();
std::unique_ptr<Method> make_interpolate();
std::unique_ptr<Method> make_fine_prune();
std::unique_ptr<Method> make_sft();
std::unique_ptr<Method> make_random_prune();
std::unique_ptr<Method> make_recovery();

}  // namespace reveille::mitigate
