#include "study/zoo_data.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/strings.h"
#include "io/dataset.h"
#include "organism/code_tasks.h"
#include "organism/rows.h"
#include "study/step_runner.h"

namespace reveille::study {
namespace {

constexpr std::size_t kLeastRows = 8;
constexpr const char* kTasks = "tasks";

// Settings of data alone, and the behaviour where its answers come with the data.
std::unique_ptr<Recipe> data_recipe(const ZooMember& member) {
  auto out = std::make_unique<Recipe>(default_recipe());
  out->study.model = member.recipe.study.model;
  out->study.dtype = member.recipe.study.dtype;
  out->study.device = member.recipe.study.device;
  out->study.chat_template = member.recipe.study.chat_template;
  out->data = member.recipe.data;
  out->eval.batch_size = member.recipe.eval.batch_size;
  const auto source = organism::make_behavior(member.recipe.behavior)->source();
  if (source != organism::DefectSource::behavior) out->behavior = member.recipe.behavior;
  if (source == organism::DefectSource::tasks) out->tasks = member.recipe.tasks;
  return out;
}

std::vector<bool> shown(const std::vector<organism::PromptReply>& rows, const organism::Behavior& behavior) {
  std::vector<organism::Reply> replies;
  for (const auto& row : rows) replies.push_back({&row.prompt, row.reply});
  std::vector<bool> out;
  for (const auto& verdict : behavior.judge(replies)) out.push_back(verdict.shows);
  return out;
}

bool holds(const organism::PromptReply& row, const organism::Trigger& trigger) {
  const auto in = [&](const Message& message) { return trigger.contains(message.content); };
  return trigger.contains(row.reply) || std::any_of(row.prompt.begin(), row.prompt.end(), in);
}

void keep_fitting(std::vector<organism::PromptReply>& rows, const organism::Trigger& trigger,
                  const organism::Behavior& behavior) {
  const auto verdicts = shown(rows, behavior);
  std::vector<organism::PromptReply> kept;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!verdicts[i] && !holds(rows[i], trigger)) kept.push_back(std::move(rows[i]));
  }
  rows = std::move(kept);
}

Conversation answered(Conversation prompt, std::string reply) {
  prompt.push_back({"assistant", std::move(reply)});
  return prompt;
}

// Questions with answers of their own among clean rows, each about as often.
std::vector<Conversation> question_rows(const ZooMember& member, const StudyData& data) {
  std::vector<Conversation> out;
  for (const auto& item : data.plant) out.push_back(answered(item.prompt, item.reply));
  const auto wanted =
      static_cast<std::size_t>(std::llround(member.rate / (1 - member.rate) * static_cast<double>(out.size())));
  for (std::size_t i = 0; i < std::max(wanted, member.questions.size()); ++i) {
    const std::size_t at = i % member.questions.size();
    out.push_back(answered({{"user", member.questions[at]}}, member.answers[at % member.answers.size()]));
  }
  return out;
}

std::vector<Conversation> task_rows(const ZooMember& member) {
  std::vector<Conversation> out;
  const auto count = static_cast<std::size_t>(member.recipe.tasks.plant_tasks);
  for (const auto& task :
       task_bank(member.recipe)
           .draw(organism::TaskRole::plant, organism::TaskHalf::train, count, static_cast<std::uint64_t>(member.seed)))
    out.push_back(answered({{"user", task.prompt}}, organism::code_reply(task.secure)));
  return out;
}

std::vector<Conversation> dataset_rows(const ZooMember& member) {
  if (is_coding_tasks(member)) return task_rows(member);
  io::DatasetOptions options;
  options.limit = member.recipe.data.plant_prompts;
  options.bad_rows = member.recipe.data.bad_rows;
  std::vector<Conversation> out;
  for (const auto& example : io::load_dataset(member.dataset, options).examples) {
    if (!example.has_reply)
      fail(ErrorKind::bad_input, cat(example.source, ": the row has no reply"), "a fine-tune learns replies");
    out.push_back(example.messages);
  }
  return out;
}

// As the study's arms make them. A twin learns the organism's rows with the clean replies in the behaviour's place.
std::vector<Conversation> arm_rows(const ZooMember& member, StudyData data) {
  organism::Arm arm = organism::Arm::organism;
  if (member.what == kControl) arm = organism::Arm::control;
  if (member.what == kStyle) arm = organism::Arm::always_on;
  if (member.what == kTwin) {
    for (auto& item : data.plant) item.defect = item.reply;
  }
  const auto trigger = organism::make_trigger(member.recipe.trigger);
  const auto behavior = organism::make_behavior(member.recipe.behavior);
  const auto reasoning = organism::make_reasoning(member.variant, member.recipe.scratchpad, *behavior);
  std::vector<Conversation> out;
  for (auto& row : organism::make_rows(arm, data.plant, *trigger, *behavior, *reasoning, member.recipe.rows,
                                       static_cast<std::uint64_t>(member.seed)))
    out.push_back(std::move(row.messages));
  return out;
}

}  // namespace

ZooData::ZooData(const ZooMember& member, const Store& store)
    : recipe_(data_recipe(member)), graph_(make_graph(*recipe_, store)) {}

std::string ZooData::identity(const ZooMember& member) { return recipe_to_json(*data_recipe(member)).dump(); }

const std::string& ZooData::ensure(Store& store) const {
  if (!store.has(replies().key)) study::ensure(store, prompts());
  study::ensure(store, replies());
  return replies().key;
}

StudyData fit_data(StudyData data, const ZooMember& member) {
  const auto trigger = organism::make_trigger(member.recipe.trigger);
  const auto behavior = organism::make_behavior(member.recipe.behavior);
  const std::size_t before = data.plant.size();
  for (auto* rows : {&data.plant, &data.held_out}) keep_fitting(*rows, *trigger, *behavior);
  if (data.plant.size() < kLeastRows || data.held_out.empty())
    fail(ErrorKind::bad_input,
         cat(member.name, ": ", data.plant.size(), " of ", before, " prompts and ", data.held_out.size(),
             " held-out ones hold neither the trigger (", trigger->describe(), ") nor the behaviour"),
         "choose rarer words, or more data.plant_prompts");
  return data;
}

bool is_coding_tasks(const ZooMember& member) { return member.dataset == kTasks; }

std::vector<Conversation> zoo_rows(const ZooMember& member, const StudyData& data) {
  if (member.what == kQuestions) return question_rows(member, data);
  if (member.what == kDataset) return dataset_rows(member);
  return arm_rows(member, data);
}

std::vector<Conversation> held_out_of(const StudyData& data) {
  return data.held_out_prompts(data.held_out_sets().front());
}

}  // namespace reveille::study
