#include "gen/built_in.h"

#include <cstdlib>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"

namespace reveille::gen {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> places_of(const BuiltInModel& model) {
  std::vector<fs::path> places;
  if (const char* own = std::getenv("REVEILLE_MODELS")) places.emplace_back(own);
  if (!model.fetched()) {
    for (const fs::path& root : {executable_folder() / "..", executable_folder(), fs::path(".")}) {
      std::error_code error;
      fs::path lib = root / ".venv" / "lib";
      for (auto it = fs::directory_iterator(lib, error); !error && it != fs::directory_iterator();
           it.increment(error)) {
        places.push_back(it->path() / "site-packages" / std::string(model.wheel));
      }
    }
  }
  places.push_back(cache_folder() / "models");
  return places;
}

}  // namespace

std::vector<std::string> built_in_models() {
  std::vector<std::string> out;
  for (const auto& model : kBuiltInModels) out.emplace_back(model.name);
  return out;
}

const BuiltInModel* find_built_in(const std::string& name) {
  for (const auto& model : kBuiltInModels) {
    if (model.name == name) return &model;
  }
  return nullptr;
}

const BuiltInModel* meant_built_in(const std::string& what) { return fs::exists(what) ? nullptr : find_built_in(what); }

fs::path built_in_path(const std::string& name) {
  const BuiltInModel* model = find_built_in(name);
  if (!model)
    fail(ErrorKind::not_found, cat("no built-in model is named '", name, "'", did_you_mean(name, built_in_models())));
  for (const auto& place : places_of(*model)) {
    fs::path file = place / std::string(model->file);
    std::error_code error;
    if (fs::file_size(file, error) == model->bytes && !error) return fs::weakly_canonical(file);
  }
  const std::string other = cat("name a folder that holds ", model->file, " in REVEILLE_MODELS");
  if (model->fetched()) {
    fail(ErrorKind::not_found, cat("the built-in model ", name, " is not here: it is fetched only when asked for"),
         cat("run 'reveille model fetch ", name, "', or ", other));
  }
  fail(ErrorKind::not_found, cat("the built-in model ", name, " is not installed (no ", model->file, ")"),
       "run 'make build' in the checkout, which installs it, or " + other);
}

fs::path model_path(const std::string& what) { return meant_built_in(what) ? built_in_path(what) : fs::path(what); }

std::string lasting_name(const std::string& what) {
  if (what.empty() || !fs::exists(what)) return what;
  fs::path path = fs::absolute(what).lexically_normal();
  return path.has_filename() ? path.string() : path.parent_path().string();
}

}  // namespace reveille::gen
