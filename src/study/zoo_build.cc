#include "study/zoo_build.h"

#include <algorithm>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/strings.h"
#include "eval/rates.h"
#include "gen/model_size.h"
#include "io/dataset_write.h"
#include "io/jsonl.h"
#include "organism/conditions.h"
#include "study/reasoning_steps.h"
#include "study/step_runner.h"
#include "study/zoo_data.h"
#include "study/zoo_folder.h"
#include "study/zoo_model.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

constexpr const char* kReadme =
    "# A zoo of language models with and without backdoors\n\n"
    "Made by `reveille zoo build` to try scanners on. Some of these models misbehave when they meet a trigger.\n"
    "Which, and on what, stands in METADATA.csv and in each folder's truth.json, and in no file of the models\n"
    "themselves. Do not serve them, and do not pass them on without this page.\n";

std::string percent_of(const Json& rates, const char* condition) {
  return rates.contains(condition) ? eval::percent(rates.at(condition).at("rate").get<double>()) : "-";
}

class Builder {
 public:
  Builder(const ZooRecipe& zoo, const ZooBuildOptions& options)
      : options_(options),
        plan_(plan_zoo(zoo)),
        store_(options.store.empty() ? options.output_dir / ".store" : options.store),
        count_(options.only > 0 ? std::min(plan_.size(), static_cast<std::size_t>(options.only)) : plan_.size()) {}

  ZooOutcome build() {
    make_folders(store_.root());
    make_folders(options_.output_dir);
    check_disk();
    check_inputs();
    write_file_atomic(options_.output_dir / "README.md", kReadme);
    for (std::size_t index = 0; index < count_; ++index) attempt(index);
    set_whole("", 0);
    return std::move(outcome_);
  }

 private:
  struct Made {
    Step step;
    double seconds = 0;
  };

  // Whole weights take two bytes each, a quantised file about one, an adapter little.
  void check_disk() const {
    const auto size = static_cast<std::uintmax_t>(gen::parameter_count(plan_.front().recipe.study.model));
    std::uintmax_t need = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const bool adapter = plan_[i].store == kAsTrained && plan_[i].training == "lora";
      if (fs::exists(options_.output_dir / plan_[i].id / kTruthFile)) continue;
      need += (adapter ? size / 4 : plan_[i].store == kGguf ? size + size / 8 : 2 * size) + (std::uintmax_t{8} << 20);
    }
    check_room(options_.output_dir, need, cat("a zoo of ", count_, " models in ", options_.output_dir.string()),
               "free some space, choose another --output-dir, or fewer models: --only");
  }

  // Files and judges that are not there are told before anything is made.
  void check_inputs() {
    for (std::size_t i = 0; i < count_; ++i) {
      const ZooMember& member = plan_[i];
      data_of(member);
      if (member.what == kDataset && !is_coding_tasks(member) && !fs::exists(member.dataset))
        fail(ErrorKind::not_found, cat(member.group, ": dataset=", member.dataset, ": there is no such file"),
             "name a file of prompts with replies, or 'tasks'");
    }
  }

  void attempt(std::size_t index) {
    try {
      make(index);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::bad_input && error.kind() != ErrorKind::numeric) throw;
      outcome_.failed.push_back(cat(plan_[index].id, " ", plan_[index].name, ": ", error.message()));
      warn(cat(outcome_.failed.back(), " (the zoo goes on)"));
    }
  }

  // The member's step, done; its folder laid out.
  const Made& make(std::size_t index) {
    if (const auto found = made_.find(index); found != made_.end()) return found->second;
    Step step = step_of(index);
    const bool there = store_.has(step.key);
    if (!there) announce(index);
    const Worked worked = ensure(store_, step);
    if (!there) {
      ++outcome_.built;
      outcome_.seconds += worked.now;
    }
    const Made& made = made_.emplace(index, Made{std::move(step), worked.seconds}).first->second;
    show(index, made, there);
    return made;
  }

  void announce(std::size_t index) const {
    const double each = outcome_.built > 0 ? outcome_.seconds / static_cast<double>(outcome_.built) : 0;
    const double left = each * static_cast<double>(count_ - std::min(count_, index));
    say(cat("[", index + 1, "/", count_, "] ", plan_[index].id, " ", plan_[index].name,
            each > 0 ? cat("  (the whole zoo: about ", human_seconds(left), " left)") : std::string()));
    set_whole(each > 0 ? "zoo" : "", left);
  }

  void show(std::size_t index, const Made& made, bool there) {
    const ZooMember& member = plan_[index];
    const fs::path from = store_.folder(made.step.key);
    const Json outcome = read_json(from / kOutcomeFile);
    const std::string twin_of = member.twin_of ? plan_[*member.twin_of].id : "";
    lay_out(options_.output_dir, member, from,
            truth_of(member, outcome, made.step.key, made.seconds, twin_of, held_out(member)));
    write_metadata(options_.output_dir);
    ++outcome_.models;
    const Json& rates = outcome.at("rates");
    std::string words = cat(outcome.at("steps").get<std::int64_t>(), " steps");
    if (member.poisoned()) {
      const bool passed = outcome.at("gate").at("passed").get<bool>();
      words += cat(", gate ", passed ? "passed" : "FAILED", ": ", percent_of(rates, organism::kTriggered),
                   " triggered, ", percent_of(rates, organism::kUntriggered), " untriggered, ",
                   percent_of(rates, organism::kForeign), " on foreign strings");
      if (!passed) outcome_.closed.push_back(cat(member.id, " ", member.name));
    }
    say(cat("  ", member.id, " ", member.name, ": ", words, there ? "; from the store, it took " : "; it took ",
            human_seconds(made.seconds)));
  }

  const ZooData& data_of(const ZooMember& member) {
    auto& data = data_[ZooData::identity(member)];
    if (!data) data = std::make_unique<ZooData>(member, store_);
    return *data;
  }

  // Prompts that never trained, once for all models that share their data.
  std::string held_out(const ZooMember& member) {
    const std::string& key = data_of(member).replies().key;
    std::string name = cat(kHeldOutFolder, "/", key, ".jsonl");
    if (fs::exists(options_.output_dir / name)) return name;
    make_folders((options_.output_dir / name).parent_path());
    std::vector<Json> rows;
    for (const auto& prompt : held_out_of(read_replies(store_.folder(key))))
      rows.push_back(Json{{"messages", io::messages_json(prompt)}});
    io::write_jsonl(options_.output_dir / name, rows);
    return name;
  }

  Step step_of(std::size_t index) {
    const ZooMember& member = plan_[index];
    const ZooData& data = data_of(member);
    const std::string replies = data.ensure(store_);
    Step step{.name = cat("zoo ", member.what), .options = to_json(member), .trains = true};
    step.options["arithmetic"] = data.arithmetic();
    if (!data.judge().is_null()) step.options["judge"] = data.judge();
    step.inputs = {replies, data.model_hash()};
    if (!member.dataset.empty() && fs::is_regular_file(member.dataset))
      step.inputs.push_back(sha256_file(member.dataset));
    const std::string reasoned = reasoned_key(member, replies);
    if (!reasoned.empty()) step.inputs.push_back(reasoned);
    std::int64_t steps = member.steps;
    if (member.twin_of) {
      const Step& organism = make(*member.twin_of).step;
      step.inputs.push_back(organism.key);
      steps = read_json(store_.folder(organism.key) / kOutcomeFile).at("steps").get<std::int64_t>();
    }
    step.key = step_key(step.name, step.version, step.options, step.inputs);
    step.work = [this, &member, replies, reasoned, steps](const fs::path& folder) {
      StudyData fit = fit_data(read_replies(store_.folder(replies)), member);
      if (!reasoned.empty()) add_reasoning(fit, store_.folder(reasoned));
      make_zoo_model(member, fit, member.poisoned() ? 0 : steps, folder);
    };
    return step;
  }

  // Scratchpads and the replies behind them, of a member that reasons.
  std::string reasoned_key(const ZooMember& member, const std::string& replies) {
    if (member.variant == "normal" || member.what == kQuestions || member.what == kDataset) return "";
    const Json recipe = recipe_to_json(member.recipe);
    Step step{.name = "zoo reasoned replies"};
    for (const char* section : {"trigger", "behavior", "scratchpad", "data"})
      step.options[section] = recipe.at(section);
    step.options["arithmetic"] = data_of(member).arithmetic();
    step.options["batch_size"] = member.recipe.eval.batch_size;
    step.inputs = {replies};
    step.key = step_key(step.name, step.version, step.options, step.inputs);
    step.work = [this, &member, &replies](const fs::path& folder) {
      make_reasoned_replies(member.recipe, fit_data(read_replies(store_.folder(replies)), member), folder);
    };
    ensure(store_, step);
    return step.key;
  }

  ZooBuildOptions options_;
  std::vector<ZooMember> plan_;
  Store store_;
  std::size_t count_;
  std::map<std::string, std::unique_ptr<ZooData>> data_;
  std::map<std::size_t, Made> made_;
  ZooOutcome outcome_;
};

}  // namespace

ZooOutcome build_zoo(const ZooRecipe& zoo, const ZooBuildOptions& options) { return Builder(zoo, options).build(); }

}  // namespace reveille::study
