#include "study/zoo_scan.h"

#include <algorithm>
#include <chrono>

#include "base/child.h"
#include "base/error.h"
#include "base/files.h"
#include "base/label_key.h"
#include "base/progress.h"
#include "base/strings.h"
#include "gen/local.h"
#include "gen/save.h"
#include "io/dataset.h"
#include "study/data_steps.h"
#include "study/zoo_recover.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

constexpr const char* kScans = "scans";
constexpr int kFound = 1, kError = 2, kUnclear = 3;  // scan's exit codes, 0 for nothing found

fs::path file_of(const fs::path& folder, const std::string& id, const char* end) { return folder / (id + end); }

// Whether a scan of the model as it is now is there, whole.
bool is_there(const fs::path& folder, const ZooModel& model) {
  const fs::path run = file_of(folder, model.id, ".run.json");
  return fs::exists(run) && fs::exists(file_of(folder, model.id, ".json")) &&
         read_json(run).value("key", "") == model.truth.at("key").get<std::string>();
}

// An adapter merged into its base, for scans that are to have none. Goes away with the object.
class MergedCopy {
 public:
  MergedCopy(const ZooModel& model, const fs::path& zoo) {
    if (!fs::exists(model.model / "adapter_config.json")) {
      path_ = model.model;
      return;
    }
    folder_ = zoo / ".merged";  // says nothing of the model
    fs::remove_all(folder_);
    gen::OpenOptions options;
    options.dtype = "float32";
    auto whole = gen::open_model(model.model.string(), options);
    gen::merge_lora(*whole);
    whole->config().erase(kLabelKey);
    gen::save_hf_folder(*whole, folder_);
    path_ = folder_;
  }
  ~MergedCopy() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }
  MergedCopy(const MergedCopy&) = delete;
  MergedCopy& operator=(const MergedCopy&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path folder_, path_;
};

class Scanner {
 public:
  explicit Scanner(const ZooScanOptions& options)
      : options_(options), folder_(options.zoo / kScans / scan_set(options)), models_(read_zoo(options.zoo)) {
    std::erase_if(models_, [&](const ZooModel& model) {
      return !options.split.empty() && model.truth.at("split") != options.split;
    });
    const auto count = options.only > 0 ? static_cast<std::size_t>(options.only) : models_.size();
    models_.resize(std::min(count, models_.size()));
  }

  ZooScanOutcome scan() {
    make_folders(folder_);
    for (std::size_t i = 0; i < models_.size(); ++i) {
      const bool there = is_there(folder_, models_[i]);
      if (there) ++outcome_.there;
      if (there || scan_one(i)) measure(models_[i]);
    }
    return std::move(outcome_);
  }

 private:
  std::vector<std::string> command(const ZooModel& model, const fs::path& path, const fs::path& output) const {
    std::vector<std::string> out = options_.program;
    out.insert(out.end(), {path.string(), "--budget", options_.budget, "--seed", std::to_string(options_.seed),
                           "--format", "json", "--output", output.string()});
    if (options_.base) out.insert(out.end(), {"--base", model.truth.at("base").get<std::string>()});
    out.insert(out.end(), options_.arguments.begin(), options_.arguments.end());
    return out;
  }

  // False where it ended with an error: told at the end.
  bool scan_one(std::size_t index) {
    const ZooModel& model = models_[index];
    say(cat("[", index + 1, "/", models_.size(), "] scanning ", model.id, " (", scan_set(options_), ")"));
    const fs::path result = file_of(folder_, model.id, ".json"), run = file_of(folder_, model.id, ".run.json");
    for (const char* end : {".json", ".run.json", ".found.json"}) fs::remove(file_of(folder_, model.id, end));
    int code = 0;
    double seconds = 0;
    if (options_.base) {
      code = timed(command(model, model.model, result), seconds);
    } else {
      const MergedCopy copy(model, options_.zoo);
      code = timed(command(model, copy.path(), result), seconds);
    }
    const bool whole = (code == 0 || code == kFound || code == kUnclear) && fs::exists(result);
    if (!whole) {
      outcome_.failed.push_back(cat(model.id, ": exit code ", code));
      warn(cat("the scan of ", outcome_.failed.back(), code == kError ? "" : ", which no scan should end with"));
      return false;
    }
    const Json said = read_json(result);
    write_json(run, Json{{"key", model.truth.at("key")}, {"exit_code", code}, {"seconds", seconds}});
    ++outcome_.scanned;
    outcome_.seconds += seconds;
    say(cat("  ", model.id, ": ", said.value("verdict", "no verdict"), ", score ", fixed(said.value("score", 0.0), 3),
            ", ", human_seconds(seconds)));
    return true;
  }

  static int timed(const std::vector<std::string>& command, double& seconds) {
    const auto start = std::chrono::steady_clock::now();
    const int code = run_child(command);
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return code;
  }

  // What the findings do in a model that has a backdoor.
  void measure(const ZooModel& model) {
    const fs::path file = file_of(folder_, model.id, ".found.json");
    if (!model.truth.at("poisoned").get<bool>() || fs::exists(file)) return;
    const Json result = read_json(file_of(folder_, model.id, ".json"));
    if (result.value("findings", Json::array()).empty()) return;
    const Recipe recipe = read_recipe(model.folder / "recipe.yaml");
    const auto opened = open_model(recipe, model.model.string());
    std::vector<Conversation> prompts;
    io::DatasetOptions data;
    data.prompts_only = true;
    const auto held_out = options_.zoo / model.truth.at("held_out").get<std::string>();
    for (const auto& example : io::load_dataset(held_out, data).examples) prompts.push_back(io::prompt_of(example));
    write_json(file,
               measure_found(recipe, *opened, std::move(prompts), model.truth.at("reply_tokens").get<std::int64_t>(),
                             model.truth.at("seed").get<std::int64_t>(), result));
  }

  ZooScanOptions options_;
  fs::path folder_;
  std::vector<ZooModel> models_;
  ZooScanOutcome outcome_;
};

}  // namespace

std::string scan_set(const ZooScanOptions& options) {
  std::string out = cat(options.budget, options.base ? "-with-base" : "-without-base");
  if (options.seed != 0) out += cat("-seed-", options.seed);
  for (const auto& argument : options.arguments) {
    out += "-";
    for (const char c : argument) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
      out += plain ? c : '-';
    }
  }
  return out;
}

ZooScanOutcome scan_zoo(const ZooScanOptions& options) { return Scanner(options).scan(); }

std::vector<std::string> scan_sets(const fs::path& zoo) {
  std::vector<std::string> out;
  if (fs::is_directory(zoo / kScans)) {
    for (const auto& entry : fs::directory_iterator(zoo / kScans)) {
      if (entry.is_directory()) out.push_back(entry.path().filename().string());
    }
  }
  std::sort(out.begin(), out.end());
  if (out.empty())
    fail(ErrorKind::not_found, cat("nothing was scanned in ", zoo.string()),
         cat("scan it: reveille zoo scan ", shell_word(zoo.string())));
  return out;
}

std::vector<ScannedModel> read_scans(const fs::path& zoo, const std::string& set) {
  const fs::path folder = zoo / kScans / set;
  std::vector<ScannedModel> out;
  for (const auto& model : read_zoo(zoo)) {
    if (!is_there(folder, model)) continue;
    ScannedModel one{model.truth, read_json(file_of(folder, model.id, ".json"))};
    one.seconds = read_json(file_of(folder, model.id, ".run.json")).value("seconds", 0.0);
    const fs::path found = file_of(folder, model.id, ".found.json");
    if (fs::exists(found)) one.found = read_json(found);
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace reveille::study
