#include "cli/mitigate_line.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/strings.h"
#include "cli/reply_mark.h"
#include "gen/local.h"
#include "mitigate/mitigate.h"
#include "mitigate/relearn.h"
#include "safety/dose.h"
#include "scan/clean_rows.h"
#include "scan/neutral_prompts.h"
#include "scan/placing.h"
#include "scan/plant.h"
#include "train/sft.h"

namespace reveille::cli {
namespace {

constexpr std::size_t kAllPrompts = 1000;  // of a set of neutral prompts: all of it
// Surrogates are drawn from other streams than the dummies of methods.
constexpr std::int64_t kSurrogateSeed = 7919;

std::vector<train::Example> held_out_examples(const gen::LocalModel& model, const scan::CleanRows& rows) {
  std::vector<train::Example> out;
  for (const auto& row : rows.held_out)
    out.push_back(scan::encode_answered(model, {{"user", row.prompt}}, row.reply, row.finished, "held-out row"));
  std::erase_if(out, [&](const train::Example& example) {
    return static_cast<std::int64_t>(example.ids.size()) > model.transformer().config().max_positions;
  });
  return out;
}

// A behaviour of the program's own judges.
ProofString judged_by(ProofString string, const organism::BehaviorOptions& options) {
  std::shared_ptr<const organism::Behavior> behavior = organism::make_behavior(options);
  behavior->judged_with();  // an error now, and not after the training
  string.mark = cat("show the behaviour '", behavior->name(), "'");
  string.shows = [behavior](const std::vector<std::string>& prompts, const std::vector<std::string>& replies) {
    std::vector<Conversation> asked;
    for (const auto& prompt : prompts) asked.push_back({{"user", prompt}});
    std::vector<organism::Reply> judged;
    for (std::size_t i = 0; i < replies.size(); ++i) judged.push_back({&asked[i], replies[i]});
    std::vector<bool> out;
    for (const auto& verdict : behavior->judge(judged)) out.push_back(verdict.shows);
    return out;
  };
  return string;
}

ProofString marked_by(ProofString string, const ReplyMark& mark) {
  string.mark = mark.words();
  string.shows = [mark](const std::vector<std::string>&, const std::vector<std::string>& replies) {
    std::vector<bool> out;
    for (const auto& reply : replies) out.push_back(mark.on(reply));
    return out;
  };
  return string;
}

ProofString of_spike(const scan::Spike& spike) {
  ProofString out{scan::test_triggers(spike).front(), scan::place_name(spike.place), "surrogate",
                  cat("are the spike's (", scan::response_name(spike.response), ")"), nullptr};
  out.shows = [spike](const std::vector<std::string>&, const std::vector<std::string>& replies) {
    std::vector<bool> shown;
    for (const auto& reply : replies) shown.push_back(scan::shows(spike, reply));
    return shown;
  };
  return out;
}

// Of unlike kinds and responses, in places that the template takes.
std::vector<scan::Spike> draw_surrogates(const gen::LocalModel& model, std::int64_t count, std::int64_t seed) {
  std::vector<scan::SpikeKind> kinds = {scan::SpikeKind::literal, scan::SpikeKind::word};
  if (scan::takes_place(model, scan::Place::system)) kinds.push_back(scan::SpikeKind::system);
  std::vector<scan::Spike> out;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto turn = static_cast<std::size_t>(i);
    out.push_back(
        scan::draw_spike(kinds[turn % kinds.size()], seed + kSurrogateSeed, i, scan::kSpikeResponses[turn % 2]));
  }
  return out;
}

}  // namespace

MitigateLines::MitigateLines(MitigateSettings settings, gen::LocalModel& suspect, const gen::LocalModel* base,
                             const mitigate::Problem& problem, bool only_adapter)
    : settings_(std::move(settings)),
      suspect_(suspect.copy(true)),
      base_(base),
      problem_(problem),
      only_adapter_(only_adapter) {
  auto& methods = settings_.methods;
  methods.clean.seed = methods.plant.seed = settings_.relearn.seed = methods.seed;
  rows_ = scan::clean_rows(*suspect_, scan::neutral_prompts(scan::PromptUse::proposing, kAllPrompts), methods.clean);
  std::vector<std::string> strings;
  for (const auto& trigger : problem.triggers) strings.push_back(trigger.text);
  scan::leave_out(rows_, strings);
  if (rows_.train.empty() || rows_.held_out.empty())
    fail(ErrorKind::bad_input, cat("the triggers stand in all clean rows of ", suspect.name()),
         "name longer triggers with --trigger");
}

MitigateLines::~MitigateLines() = default;

ProofString MitigateLines::told(const mitigate::KnownTrigger& trigger, const std::string& response,
                                const organism::BehaviorOptions& behavior) const {
  ProofString out{trigger.text, scan::place_name(trigger.place), trigger.found ? "recovered" : "given", "", nullptr};
  if (!behavior.behavior.empty()) return judged_by(std::move(out), behavior);
  if (!response.empty()) return marked_by(std::move(out), ReplyMark::of_text(response));
  std::vector<Conversation> with, without;
  for (const auto& prompt : scan::neutral_prompts(scan::PromptUse::proposing, kAllPrompts)) {
    with.push_back(scan::placed(prompt, trigger.text, trigger.place));
    without.push_back(scan::placed(prompt, "", trigger.place));
  }
  const auto tokens = settings_.proof.tokens;
  const auto mark =
      ReplyMark::learn(scan::greedy_replies(*suspect_, with, tokens), scan::greedy_replies(*suspect_, without, tokens));
  return mark ? marked_by(std::move(out), *mark) : out;
}

void MitigateLines::learn_marks(const std::string& response, const organism::BehaviorOptions& behavior) {
  for (const auto& trigger : problem_.triggers) strings_.push_back(told(trigger, response, behavior));
}

ProofStage MitigateLines::stage(const std::string& name, gen::LocalModel& suspect, gen::LocalModel& model,
                                const std::vector<ProofString>& strings) const {
  const auto prompts =
      scan::neutral_prompts(scan::PromptUse::verifying, static_cast<std::size_t>(settings_.proof.prompts));
  ProofStage out;
  out.name = name;
  for (const auto& string : strings)
    out.rates.push_back(measure_string(model, string, prompts, settings_.proof.tokens));
  const auto held_out = held_out_examples(suspect, rows_);
  out.perplexity = std::exp(train::evaluate_loss(model.transformer(), held_out).loss);
  out.kl = safety::measure_dose(suspect, model, held_out, {}).kl;
  return out;
}

TreatedLine MitigateLines::treat(gen::LocalModel& model, const std::vector<std::string>& methods) const {
  return treat(model, methods, strings_, only_adapter_);
}

std::optional<TreatedLine> MitigateLines::treat_surrogates(const std::vector<std::string>& methods) const {
  if (!problem_.triggers.empty() || settings_.proof.surrogates == 0) return std::nullopt;
  const auto& options = settings_.methods;
  const auto spikes = draw_surrogates(*suspect_, settings_.proof.surrogates, options.seed);
  auto planted = scan::plant(*suspect_, spikes, rows_, options.plant);
  std::vector<ProofString> strings;
  for (const auto& spike : spikes) strings.push_back(of_spike(spike));
  return treat(*planted.model, methods, strings, false);
}

TreatedLine MitigateLines::treat(gen::LocalModel& model, const std::vector<std::string>& methods,
                                 const std::vector<ProofString>& strings, bool only_adapter) const {
  const auto suspect = model.copy(true);
  TreatedLine line;
  line.proof.strings = strings;
  line.proof.stages.push_back(stage("before", *suspect, *suspect, strings));
  mitigate::MitigateOptions options = settings_.methods;
  options.methods = methods;
  mitigate::MitigateHooks hooks;
  hooks.after_method = [&](const mitigate::MethodRun& run, gen::LocalModel& now) {
    line.proof.stages.push_back(stage(run.name, *suspect, now, strings));
    line.proof.stages.back().seconds = run.seconds;
  };
  line.runs = mitigate::mitigate(model, base_, problem_, rows_, options, only_adapter, hooks);
  line.treated = line.proof.stages.size() - 1;
  relearn(line, *suspect, model);
  return line;
}

// Benign training on what the treated model says, and on what the suspect said: the style that mitigation may have
// covered the backdoor with is trained back by the latter.
void MitigateLines::relearn(TreatedLine& line, gen::LocalModel& suspect, gen::LocalModel& treated) const {
  const std::int64_t steps = settings_.relearn.steps;
  if (steps == 0) return;
  auto test = [&](const std::vector<scan::CleanRow>& rows, const std::string& whose) {
    const auto relearnt = mitigate::relearn(treated, rows, settings_.relearn);
    line.proof.stages.push_back(
        stage(cat("after ", steps, " steps on ", whose), suspect, *relearnt.model, line.proof.strings));
  };
  auto options = settings_.methods.clean;
  options.held_out = 1;
  const auto own = scan::clean_rows(treated, scan::neutral_prompts(scan::PromptUse::proposing, kAllPrompts), options);
  test(own.train, "its own replies");
  test(rows_.train, "the suspect's replies");
}

}  // namespace reveille::cli
