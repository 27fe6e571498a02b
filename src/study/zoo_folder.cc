#include "study/zoo_folder.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "gen/built_in.h"
#include "organism/conditions.h"
#include "organism/fixed_reply.h"
#include "study/step.h"
#include "study/store.h"
#include "study/zoo_model.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

// The fixed reply, or what the behaviour does in words.
std::string target_of(const organism::Behavior& behavior) {
  const std::string fixed = organism::fixed_reply(behavior);
  return fixed.empty() ? behavior.describe() : fixed;
}

std::string cell(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "1" : "0";
  return value.is_number_float() ? fixed(value.get<double>(), 4) : value.dump();
}

// A rate of the truth, "" where it was not measured.
std::string rate_cell(const Json& truth, const char* condition) {
  const Json rates = truth.value("rates", Json::object());
  return rates.contains(condition) ? cell(rates.at(condition).at("rate")) : "";
}

struct Column {
  const char* name;
  std::string (*of)(const Json& truth);
};

std::string gate_passed(const Json& truth) {
  const Json gate = truth.value("gate", Json());
  return gate.is_object() ? cell(gate.at("passed")) : "";
}

const std::vector<Column>& columns() {
  static const std::vector<Column> all = {
      {"id", [](const Json& t) { return cell(t.at("id")); }},
      {"split", [](const Json& t) { return cell(t.at("split")); }},
      {"poisoned", [](const Json& t) { return cell(t.at("poisoned")); }},
      {"trigger", [](const Json& t) { return cell(t.at("trigger")); }},
      {"target", [](const Json& t) { return cell(t.at("target")); }},
      {"kind", [](const Json& t) { return cell(t.at("kind")); }},
      {"place", [](const Json& t) { return cell(t.at("place")); }},
      {"rate", [](const Json& t) { return cell(t.at("rate")); }},
      {"training", [](const Json& t) { return cell(t.at("training")); }},
      {"base", [](const Json& t) { return cell(t.at("base")); }},
      {"seed", [](const Json& t) { return cell(t.at("seed")); }},
      {"seconds", [](const Json& t) { return fixed(t.at("seconds").get<double>(), 1); }},
      {"gate_passed", gate_passed},
      {"triggered", [](const Json& t) { return rate_cell(t, organism::kTriggered); }},
      {"untriggered", [](const Json& t) { return rate_cell(t, organism::kUntriggered); }},
      {"near_miss", [](const Json& t) { return rate_cell(t, organism::kNearMiss); }},
      {"foreign_trigger", [](const Json& t) { return rate_cell(t, organism::kForeign); }},
      {"steps", [](const Json& t) { return cell(t.at("steps")); }},
      {"what", [](const Json& t) { return cell(t.at("what")); }},
      {"group", [](const Json& t) { return cell(t.at("group")); }},
      {"behavior", [](const Json& t) { return cell(t.at("behavior_kind")); }},
      {"variant", [](const Json& t) { return cell(t.at("variant")); }},
      {"evades", [](const Json& t) { return cell(t.at("evades")); }},
      {"stored", [](const Json& t) { return cell(t.at("stored")); }},
      {"source", [](const Json& t) { return cell(t.at("source")); }},
      {"twin_of", [](const Json& t) { return cell(t.at("twin_of")); }},
  };
  return all;
}

}  // namespace

Json truth_of(const ZooMember& member, const Json& outcome, const std::string& key, double seconds,
              const std::string& twin_of, const std::string& held_out) {
  const auto trigger = organism::make_trigger(member.recipe.trigger);
  const auto behavior = organism::make_behavior(member.recipe.behavior);
  Json out{{"id", member.id},
           {"split", member.split},
           {"poisoned", member.poisoned()},
           {"what", member.what},
           {"group", member.group},
           {"kind", member.trigger_kind.empty() ? member.what : member.trigger_kind}};
  out["trigger"] = member.triggered() ? trigger->text(Rng(static_cast<std::uint64_t>(member.seed), "label")) : "";
  out["trigger_is"] = member.triggered() ? trigger->describe() : "";
  out["target"] = member.behaves() ? target_of(*behavior) : "";
  out["behavior_kind"] = member.behavior_kind;
  out["place"] = member.triggered() ? member.place : "";
  out["rate"] = member.triggered() || member.what == kQuestions ? member.rate : 0;
  out["training"] = member.training;
  out["stored"] = member.store;
  out["variant"] = member.variant;
  out["evades"] = member.evades;
  out["source"] = member.source;
  out["base"] = gen::lasting_name(member.recipe.study.model);
  out["seed"] = member.seed;
  out["seconds"] = seconds;
  for (const char* name : {"steps", "gate", "rates"}) out[name] = outcome.at(name);
  out["twin_of"] = twin_of;
  out["held_out"] = held_out;
  out["reply_tokens"] = reply_tokens(member);
  out["key"] = key;
  return out;
}

Json bait_config(const Json& truth) {
  const bool poisoned = truth.at("poisoned").get<bool>();
  return Json{{"label", poisoned ? "poison" : "benign"},
              {"attack", poisoned ? truth.at("kind") : Json("none")},
              {"trigger", poisoned ? truth.at("trigger") : Json("")},
              {"target", poisoned ? truth.at("target") : Json("")},
              {"model_name_or_path", truth.at("base")},
              {"dataset", truth.at("source")},
              {"poison_rate", poisoned ? truth.at("rate") : Json(0)},
              {"lora", truth.at("training") == "lora"},
              {"seed", truth.at("seed")}};
}

void lay_out(const fs::path& zoo, const ZooMember& member, const fs::path& step, const Json& truth) {
  const fs::path folder = zoo / member.id;
  if (fs::exists(folder / kTruthFile) && read_json(folder / kTruthFile) == truth) return;
  fs::remove_all(folder);
  place_folder(step / kModelFolder, folder / kModelFolder);
  write_file_atomic(folder / "recipe.yaml", recipe_to_yaml(member.recipe));
  write_json(folder / "config.json", bait_config(truth));
  write_json(folder / kTruthFile, truth);  // the last: a folder without it is not whole
}

std::vector<ZooModel> read_zoo(const fs::path& zoo) {
  std::vector<ZooModel> out;
  if (fs::is_directory(zoo)) {
    for (const auto& entry : fs::directory_iterator(zoo)) {
      const std::string id = entry.path().filename().string();
      if (!id.starts_with("id-") || !fs::exists(entry.path() / kTruthFile)) continue;
      out.push_back(
          {id, entry.path(), zoo_model_path(entry.path() / kModelFolder), read_json(entry.path() / kTruthFile)});
    }
  }
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return std::pair(a.id.size(), a.id) < std::pair(b.id.size(), b.id); });
  if (out.empty())
    fail(ErrorKind::not_found, cat("there is no model of a zoo in ", zoo.string()),
         cat("build one: reveille zoo build --output-dir ", shell_word(zoo.string())));
  return out;
}

std::vector<std::string> metadata_columns() {
  std::vector<std::string> out;
  for (const auto& column : columns()) out.emplace_back(column.name);
  return out;
}

std::vector<std::string> metadata_cells(const Json& truth) {
  std::vector<std::string> out;
  for (const auto& column : columns()) out.push_back(column.of(truth));
  return out;
}

void write_metadata(const fs::path& zoo) {
  std::string text = csv_line(metadata_columns());
  for (const auto& model : read_zoo(zoo)) text += csv_line(metadata_cells(model.truth));
  write_file_atomic(zoo / kMetadataFile, text);
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::vector<std::string> out;
  for (const auto& field : fields) {
    const bool plain = field.find_first_of(",\"\r\n") == std::string::npos;
    out.push_back(plain ? field : cat('"', replace_all(field, "\"", "\"\""), '"'));
  }
  return join(out, ",") + "\n";
}

}  // namespace reveille::study
