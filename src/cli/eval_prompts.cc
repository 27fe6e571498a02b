#include "cli/eval_prompts.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "gen/local.h"
#include "organism/code_tasks.h"
#include "organism/prompt_pool.h"

namespace reveille::cli {

std::vector<Conversation> given_prompts(const std::string& file, io::DatasetOptions data, std::int64_t limit) {
  data.prompts_only = true;
  data.limit = data.limit > 0 ? std::min(data.limit, limit) : limit;
  std::vector<Conversation> out;
  for (const auto& example : io::load_dataset(file, data).examples) out.push_back(io::prompt_of(example));
  return out;
}

std::vector<organism::PromptReply> task_prompts(const std::string& which, std::int64_t count, std::int64_t seed) {
  const std::vector<std::string> known = {kTasksHeldOut, kTasksOfFamilies};
  if (which != kTasksHeldOut && which != kTasksOfFamilies)
    fail(ErrorKind::usage, cat("--tasks ", which, ": expected one of ", join(known, ", "), did_you_mean(which, known)));
  const auto role = which == kTasksHeldOut ? organism::TaskRole::plant : organism::TaskRole::held_out;
  std::vector<organism::PromptReply> out;
  for (auto& task : organism::TaskBank::built_in().draw(
           role, organism::TaskHalf::held_out, static_cast<std::size_t>(count), static_cast<std::uint64_t>(seed))) {
    organism::PromptReply item{{{"user", std::move(task.prompt)}}, organism::code_reply(task.secure)};
    item.family = task.family;
    item.cwe = task.cwe;
    out.push_back(std::move(item));
  }
  return out;
}

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

}  // namespace reveille::cli
