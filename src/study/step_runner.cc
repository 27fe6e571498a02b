#include "study/step_runner.h"

#include <chrono>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/version.h"
#include "train/checkpoint.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Optimiser states are for going on; a finished step needs none.
void remove_checkpoints(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_directory() && entry.path().filename().string().starts_with("checkpoint-"))
      found.push_back(entry.path());
  }
  for (const auto& path : found) train::remove_checkpoint(path);
}

// A killed try may have left half-written files, which must not be laid out as part of a model.
void clear_partial(const fs::path& folder) {
  std::vector<fs::path> folders = {folder};
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  for (const auto& path : folders) remove_temporaries(path);
}

double seconds_of(const Store& store, const Step& step) {
  return read_json(store.folder(step.key) / "step.json").value("seconds", 0.0);
}

}  // namespace

Worked work_on(Store& store, const Step& step) {
  const auto start = std::chrono::steady_clock::now();
  const fs::path folder = store.partial_folder(step.key);
  make_folders(folder);
  clear_partial(folder);
  // Seconds of earlier, interrupted tries count too: they are what the step took.
  const fs::path spent_file = folder / "seconds.json";
  const double spent = fs::exists(spent_file) ? read_json(spent_file).get<double>() : 0;
  try {
    step.work(folder);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) write_json(spent_file, spent + since(start));
    throw;
  }
  Worked worked{.seconds = spent + since(start), .now = since(start)};
  remove_checkpoints(folder);
  store.commit(step.key, Json{{"name", step.name},
                              {"version", step.version},
                              {"options", step.options},
                              {"inputs", step.inputs},
                              {"seconds", worked.seconds},
                              {"revision", revision()}});
  return worked;
}

Worked ensure(Store& store, const Step& step) {
  if (store.has(step.key)) return {.seconds = seconds_of(store, step)};
  throw_if_interrupted();
  const StoreLock lock(store, step.key);
  if (store.has(step.key)) return {.seconds = seconds_of(store, step)};  // somebody finished it while this one waited
  return work_on(store, step);
}

}  // namespace reveille::study
