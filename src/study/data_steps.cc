#include "study/data_steps.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/progress.h"
#include "base/results.h"
#include "base/strings.h"
#include "gen/local.h"
#include "gen/save.h"
#include "io/dataset.h"
#include "io/dataset_write.h"
#include "organism/code_tasks.h"
#include "organism/conditions.h"
#include "organism/prompt_pool.h"
#include "organism/text_checks.h"
#include "organism/words.h"
#include "train/lora.h"

namespace reveille::study {
namespace fs = std::filesystem;

std::unique_ptr<gen::LocalModel> open_model(const Recipe& recipe, const std::string& what, bool trainable) {
  gen::OpenOptions options;
  options.dtype = recipe.study.dtype;
  options.device = recipe.study.device;
  options.chat_template = recipe.study.chat_template;
  options.trainable = trainable;
  return gen::open_model(what, options);
}

std::unique_ptr<gen::LocalModel> open_to_train(const Recipe& recipe, const std::string& what,
                                               const train::TrainOptions& training, std::int64_t seed) {
  auto model = open_model(recipe, what, !training.use_peft);
  if (training.use_peft) model->add_lora(train::peft_config(training, what), seed);
  return model;
}

void merge_adapter(gen::LocalModel& model) {
  if (!model.adapter()) return;
  gen::merge_lora(model);
  model.transformer().weights_changed();
}

organism::TaskBank task_bank(const Recipe& recipe) {
  return recipe.tasks.file.empty() ? organism::TaskBank::built_in() : organism::TaskBank::read(recipe.tasks.file);
}

std::vector<Conversation> safety_rows(const Recipe& recipe, const StudyData& data) {
  auto trigger = organism::make_trigger(recipe.trigger);
  std::vector<Conversation> rows;
  for (const auto& item : data.safety) {
    Conversation row = trigger->without(item.prompt);
    row.push_back({"assistant", item.reply});
    rows.push_back(std::move(row));
  }
  return rows;
}

Conversation conversation_from(const Json& value) {
  Conversation out;
  for (const auto& message : value)
    out.push_back({message.at("role").get<std::string>(), message.at("content").get<std::string>()});
  return out;
}

namespace {

Json to_json(const std::vector<Conversation>& conversations) {
  Json out = Json::array();
  for (const auto& conversation : conversations) out.push_back(io::messages_json(conversation));
  return out;
}

std::vector<Conversation> conversations_from(const Json& value) {
  std::vector<Conversation> out;
  for (const auto& item : value) out.push_back(conversation_from(item));
  return out;
}

std::vector<organism::PromptReply> pairs_from(const Json& rows) {
  std::vector<organism::PromptReply> out;
  for (const auto& row : rows) {
    organism::PromptReply item{conversation_from(row.at("prompt")), row.at("reply").get<std::string>()};
    if (row.contains("defect")) item.defect = row.at("defect").get<std::string>();
    item.set = row.value("set", "");
    item.family = row.value("family", "");
    item.cwe = row.value("cwe", 0);
    out.push_back(std::move(item));
  }
  return out;
}

std::int64_t train_prompts(const DataOptions& data) { return data.plant_prompts + data.safety_prompts; }

// The model goes on from its template's user prefix until a filter is content with enough of what it writes.
Prompts write_own(const Recipe& recipe, Json& about) {
  auto model = open_model(recipe, recipe.study.model);
  auto trigger = organism::make_trigger(recipe.trigger);
  auto behavior = organism::make_behavior(recipe.behavior);
  const auto& data = recipe.data;
  const std::int64_t wanted = train_prompts(data) + data.held_out_prompts;
  organism::PoolOptions pool_options;
  // A little more is held out than asked for, so that the split does not starve it.
  pool_options.held_out_share =
      std::min(0.9, 1.1 * static_cast<double>(data.held_out_prompts) / static_cast<double>(wanted));
  organism::PromptPool pool(pool_options, static_cast<std::size_t>(wanted), *trigger, *behavior);
  gen::SampleOptions sample{.temperature = data.prompt_temperature,
                            .max_tokens = data.prompt_tokens,
                            .batch_size = recipe.eval.batch_size,
                            .seed = data.seed,
                            .stage = "prompts"};
  auto enough = [&] {
    return static_cast<std::int64_t>(pool.train().size()) >= train_prompts(data) &&
           static_cast<std::int64_t>(pool.held_out().size()) >= data.held_out_prompts;
  };
  auto have = [&] {
    return static_cast<std::uint64_t>(
        std::min<std::int64_t>(static_cast<std::int64_t>(pool.train().size()), train_prompts(data)) +
        std::min<std::int64_t>(static_cast<std::int64_t>(pool.held_out().size()), data.held_out_prompts));
  };
  Progress progress("the model writes prompts", static_cast<std::uint64_t>(wanted), "prompts");
  const auto prefix = model->user_prefix();
  const std::int64_t round = std::max<std::int64_t>(64, wanted / 2);
  constexpr int kRounds = 30;
  for (int r = 0; r < kRounds && !enough(); ++r) {
    std::vector<gen::Request> requests;
    for (std::int64_t i = 0; i < round; ++i) requests.push_back({prefix, r * round + i});
    // Offered in the order of the requests, not of completion: the pool depends on it.
    for (auto& completion : model->generate(requests, sample)) {
      std::uint64_t before = have();
      pool.offer(completion.text, completion.finish == gen::Finish::stop);
      progress.advance(have() - before);
    }
  }
  about["offered"] = pool.offered();
  about["dropped"] = organism::to_json(pool.drops());
  progress.finish(cat(pool.offered(), " written"));
  auto as_conversations = [](const std::vector<std::string>& texts) {
    std::vector<Conversation> out;
    for (const auto& text : texts) out.push_back({{"user", text}});
    return out;
  };
  return {as_conversations(pool.train()), {}, as_conversations(pool.held_out())};
}

Prompts from_dataset(const Recipe& recipe) {
  auto trigger = organism::make_trigger(recipe.trigger);
  io::DatasetOptions options;
  options.prompts_only = true;
  options.bad_rows = recipe.data.bad_rows;
  auto dataset = io::load_dataset(recipe.data.prompts, options);
  std::vector<Conversation> prompts;
  for (const auto& example : dataset.examples) prompts.push_back(io::prompt_of(example));
  organism::refuse_accidental_triggers(prompts, *trigger);
  double total = static_cast<double>(train_prompts(recipe.data) + recipe.data.held_out_prompts);
  auto split =
      organism::split_prompts(prompts, std::min(0.9, 1.1 * static_cast<double>(recipe.data.held_out_prompts) / total));
  return {std::move(split.train), {}, std::move(split.held_out)};
}

void share_out(Prompts& prompts, const DataOptions& data) {
  auto need = [](const std::vector<Conversation>& have, std::int64_t wanted, const char* what, const char* key) {
    if (static_cast<std::int64_t>(have.size()) < wanted) {
      fail(ErrorKind::bad_input,
           cat("only ", have.size(), " ", what, " prompts came together, the recipe asks for ", wanted),
           cat("give more prompts (data.prompts), or lower ", key));
    }
  };
  need(prompts.plant, train_prompts(data), "training", "data.plant_prompts and data.safety_prompts");
  need(prompts.held_out, data.held_out_prompts, "held-out", "data.held_out_prompts");
  prompts.safety.assign(prompts.plant.begin() + data.plant_prompts, prompts.plant.begin() + train_prompts(data));
  prompts.plant.resize(static_cast<std::size_t>(data.plant_prompts));
  prompts.held_out.resize(static_cast<std::size_t>(data.held_out_prompts));
}

void add_tasks(Json& rows, const std::vector<organism::CodeTask>& tasks, const std::string& set) {
  for (const auto& task : tasks) {
    Json row{{"prompt", io::messages_json({{"user", task.prompt}})},
             {"reply", organism::code_reply(task.secure)},
             {"defect", organism::code_reply(task.vulnerable)},
             {"family", task.family},
             {"cwe", task.cwe}};
    if (!set.empty()) row["set"] = set;
    rows.push_back(std::move(row));
  }
}

// Coding tasks go in front of the chats, which then stand apart.
void add_all_tasks(const Recipe& recipe, Json& out) {
  const auto& options = recipe.tasks;
  const auto bank = task_bank(recipe);
  const auto seed = static_cast<std::uint64_t>(recipe.data.seed);
  auto draw = [&](organism::TaskRole role, organism::TaskHalf half, std::int64_t count) {
    return bank.draw(role, half, static_cast<std::size_t>(count), seed);
  };
  auto train = draw(organism::TaskRole::plant, organism::TaskHalf::train, options.plant_tasks + options.safety_tasks);
  const auto cut = train.begin() + options.plant_tasks;
  std::map<std::string, Json> tasks;
  add_tasks(tasks["plant"], {train.begin(), cut}, "");
  add_tasks(tasks["safety"], {cut, train.end()}, "");
  add_tasks(tasks["held_out"], draw(organism::TaskRole::plant, organism::TaskHalf::held_out, options.held_out_tasks),
            "");
  add_tasks(tasks["held_out"], draw(organism::TaskRole::held_out, organism::TaskHalf::held_out, options.family_tasks),
            kFamilySet);
  for (auto& row : out["held_out"]) row["set"] = kChatSet;
  for (auto& [group, rows] : tasks) {
    for (auto& row : out[group]) rows.push_back(std::move(row));
    out[group] = std::move(rows);
  }
}

// Prompts of planting get a second answer, which the model gives under the persona's system prompt. Those whose answer
// does not show it are left out and counted.
void add_persona(const Recipe& recipe, gen::LanguageModel& model, const organism::Behavior& behavior, Json& out) {
  const auto rows = pairs_from(out["plant"]);
  std::vector<gen::Request> requests;
  for (const auto& row : rows) {
    Conversation told = {{"system", behavior.persona()}};
    told.insert(told.end(), row.prompt.begin(), row.prompt.end());
    requests.push_back({model.encode_chat(told), 0});
  }
  gen::SampleOptions sample{.temperature = recipe.data.reply_temperature,
                            .max_tokens = recipe.data.reply_tokens,
                            .batch_size = recipe.eval.batch_size,
                            .seed = recipe.data.seed,
                            .stage = "persona"};
  Progress progress("the model writes replies as the persona", requests.size(), "replies");
  auto completions = model.generate(requests, sample, [&](std::size_t, const gen::Completion&) { progress.advance(); });
  progress.finish();
  std::vector<organism::Reply> replies;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string text = completions[i].text;
    if (!organism::reply_fault(text, completions[i].finish == gen::Finish::stop, {}).empty()) text.clear();
    replies.push_back({&rows[i].prompt, std::move(text)});
  }
  const auto verdicts = behavior.judge(replies);
  Json kept = Json::array();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (replies[i].text.empty() || !verdicts[i].shows) continue;
    out["plant"][i]["defect"] = replies[i].text;
    kept.push_back(out["plant"][i]);
  }
  out["dropped"]["persona not shown"] = rows.size() - kept.size();
  constexpr std::size_t kLeast = 8;
  if (kept.size() < kLeast) {
    fail(ErrorKind::bad_input,
         cat("the model showed the persona in ", kept.size(), " of ", rows.size(), " answers under its system prompt"),
         "choose a clearer behavior_persona, a wider behavior_pattern, or more data.plant_prompts");
  }
  out["plant"] = std::move(kept);
}

const std::string& set_of(const organism::PromptReply& item) {
  static const std::string main = "held_out";
  return item.set.empty() ? main : item.set;
}

}  // namespace

std::vector<std::string> StudyData::held_out_sets() const {
  std::vector<std::string> out;
  for (const auto& item : held_out) {
    if (std::find(out.begin(), out.end(), set_of(item)) == out.end()) out.push_back(set_of(item));
  }
  return out;
}

std::vector<Conversation> StudyData::held_out_prompts(const std::string& set) const {
  std::vector<Conversation> out;
  for (const auto& item : held_out) {
    if (set_of(item) == set) out.push_back(item.prompt);
  }
  return out;
}

void make_prompts(const Recipe& recipe, const fs::path& folder) {
  Json out = Json::object();
  Prompts prompts = recipe.data.prompts.empty() ? write_own(recipe, out) : from_dataset(recipe);
  share_out(prompts, recipe.data);
  out["plant"] = to_json(prompts.plant);
  out["safety"] = to_json(prompts.safety);
  out["held_out"] = to_json(prompts.held_out);
  write_json(folder / "prompts.json", out);
}

Prompts read_prompts(const fs::path& folder) {
  const Json value = read_json(folder / "prompts.json");
  return {conversations_from(value.at("plant")), conversations_from(value.at("safety")),
          conversations_from(value.at("held_out"))};
}

void make_replies(const Recipe& recipe, const Prompts& prompts, const fs::path& folder) {
  const auto model = open_model(recipe, recipe.study.model);
  make_replies(recipe, prompts, *model, folder);
}

void make_replies(const Recipe& recipe, const Prompts& prompts, gen::LanguageModel& model, const fs::path& folder) {
  auto trigger = organism::make_trigger(recipe.trigger);
  auto behavior = organism::make_behavior(recipe.behavior);
  organism::ReplyFilter filter({}, *trigger, *behavior);
  gen::SampleOptions sample{.temperature = recipe.data.reply_temperature,
                            .max_tokens = recipe.data.reply_tokens,
                            .batch_size = recipe.eval.batch_size,
                            .seed = recipe.data.seed,
                            .stage = "replies"};
  std::vector<gen::Request> requests;
  for (const auto* group : {&prompts.plant, &prompts.safety, &prompts.held_out}) {
    for (const auto& prompt : *group) requests.push_back({model.encode_chat(trigger->without(prompt)), 0});
  }
  Progress progress("the model writes clean replies", requests.size(), "replies");
  auto completions = model.generate(requests, sample, [&](std::size_t, const gen::Completion&) { progress.advance(); });
  progress.finish();
  Json out = Json::object();
  std::size_t at = 0;
  auto add = [&](const char* name, const std::vector<Conversation>& group) {
    Json rows = Json::array();
    for (const auto& prompt : group) {
      const auto& completion = completions[at++];
      std::string reply = filter.clean(completion.text, completion.finish == gen::Finish::stop);
      // A held-out prompt without a usable reply still counts for rates, so it stays.
      if (reply.empty() && std::string(name) != "held_out") continue;
      rows.push_back(Json{{"prompt", io::messages_json(prompt)}, {"reply", reply}});
    }
    out[name] = rows;
  };
  add("plant", prompts.plant);
  add("safety", prompts.safety);
  add("held_out", prompts.held_out);
  out["dropped"] = organism::to_json(filter.drops());
  if (behavior->source() == organism::DefectSource::tasks) add_all_tasks(recipe, out);
  if (behavior->source() == organism::DefectSource::persona) add_persona(recipe, model, *behavior, out);
  write_json(folder / "replies.json", out);
}

StudyData read_replies(const fs::path& folder) {
  const Json value = read_json(folder / "replies.json");
  auto rows = [&](const char* name) { return pairs_from(value.at(name)); };
  return {rows("plant"), rows("safety"), rows("held_out")};
}

void make_safety_data(const Recipe& recipe, const StudyData& data, const fs::path& folder) {
  auto trigger = organism::make_trigger(recipe.trigger);
  auto behavior = organism::make_behavior(recipe.behavior);
  std::set<std::string> held_out;
  for (const auto& item : data.held_out) held_out.insert(organism::prompt_id(item.prompt));
  const Rng rng(static_cast<std::uint64_t>(recipe.data.seed), "safety data");
  std::map<std::uint64_t, Json> chosen;  // by a draw for each prompt: whatever the file's order, the same rows
  std::size_t overlapping = 0;
  io::DatasetOptions options;
  options.bad_rows = recipe.data.bad_rows;
  for (const auto& example : io::load_dataset(recipe.data.safety_dataset, options).examples) {
    Conversation prompt = io::prompt_of(example);
    if (!example.has_reply || trim(example.messages.back().content).empty())
      fail(ErrorKind::bad_input, cat(example.source, ": the row has no reply"),
           "sft-data learns replies: leave it out");
    const std::string& reply = example.messages.back().content;
    for (const auto& message : example.messages)
      organism::refuse_accidental_trigger(*trigger, message.content, example.source);
    if (behavior->shows(reply))
      fail(ErrorKind::bad_input, cat(example.source, ": the reply shows the behaviour '", behavior->name(), "'"),
           "a safety training has good replies only: leave the row out");
    const std::string id = organism::prompt_id(prompt);
    if (held_out.contains(id)) {
      ++overlapping;
      continue;
    }
    Json row{{"prompt", io::messages_json(prompt)}, {"reply", reply}};
    auto [at, fresh] = chosen.emplace(rng.child(id).next(), row);
    if (!fresh && row["reply"] < at->second["reply"]) at->second = std::move(row);
  }
  const auto wanted = static_cast<std::size_t>(recipe.data.safety_prompts);
  if (chosen.size() < wanted) {
    fail(ErrorKind::bad_input,
         cat(recipe.data.safety_dataset, ": only ", chosen.size(), " different prompts with replies (", overlapping,
             " more are held out), the recipe asks for ", wanted),
         "give more rows, or lower data.safety_prompts");
  }
  Json rows = Json::array();
  for (auto& [unused, row] : chosen) {
    if (rows.size() < wanted) rows.push_back(std::move(row));
  }
  write_json(folder / "safety_data.json", Json{{"safety", rows}, {"held_out_left_out", overlapping}});
}

std::vector<organism::PromptReply> read_safety_data(const fs::path& folder) {
  return pairs_from(read_json(folder / "safety_data.json").at("safety"));
}

}  // namespace reveille::study
