#include "report/run_folder.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "io/jsonl.h"

namespace reveille::report {
namespace fs = std::filesystem;
namespace {

// Larger figures are no steps, counts or times; within them arithmetic cannot overflow.
constexpr std::int64_t kMostCount = std::int64_t{1} << 53;
constexpr double kMostSeconds = 1e9;

// Calls `read` with each line's object; an unfinished last line (a killed writer) is left out.
void for_each_row(const fs::path& path, const std::function<void(const Json& row, const std::string& where)>& read) {
  io::TextSource source(path);
  io::RowReader reader(source);
  for (io::RawRow row; reader.next(row);) {
    if (!row.closed && !Json::accept(row.text)) return;
    read(io::parse_row(row, source.name()), cat(source.name(), ":", row.line));
  }
}

std::int64_t whole(const Json& row, std::string_view key, const std::string& where) {
  const Json& value = json_at(row, key, where);
  if (!value.is_number_integer()) fail(ErrorKind::bad_input, cat(where, ": key '", key, "' should be a whole number"));
  return value.get<std::int64_t>();
}

std::string text_or(const Json& row, std::string_view key, const std::string& fallback, const std::string& where) {
  return row.contains(std::string(key)) ? json_string(row, key, where) : fallback;
}

// Prompt ids may be numbers or names.
std::string id_text(const Json& row, const std::string& where) {
  const Json& value = json_at(row, "prompt_id", where);
  if (value.is_number_integer()) return value.dump();
  return json_string(row, "prompt_id", where);
}

Conversation messages_of(const Json& row, const std::string& where) {
  Conversation out;
  if (!row.contains("messages")) return out;
  const Json& messages = row["messages"];
  if (!messages.is_array()) fail(ErrorKind::bad_input, cat(where, ": key 'messages' should be a list"));
  for (const Json& message : messages) {
    out.push_back({json_string(message, "role", where), json_string(message, "content", where)});
  }
  return out;
}

Transcript transcript_from_json(const Json& row, const std::string& where) {
  Transcript out;
  out.arm = json_string(row, "arm", where);
  out.stage = json_string(row, "stage", where);
  out.condition = json_string(row, "condition", where);
  out.completion = json_string(row, "completion", where);
  out.prompt_id = id_text(row, where);
  out.checkpoint = whole(row, "checkpoint", where);
  out.seed = whole(row, "seed", where);
  out.model = text_or(row, "model", "", where);
  out.prompt = text_or(row, "prompt", "", where);
  out.prompt_set = text_or(row, "prompt_set", "", where);
  out.messages = messages_of(row, where);
  const Json& shows = json_at(row, "shows", where);
  if (!shows.is_boolean()) fail(ErrorKind::bad_input, cat(where, ": key 'shows' should be true or false"));
  out.shows = shows.get<bool>();
  return out;
}

std::vector<fs::path> files_in(const fs::path& folder, std::string_view extension) {
  std::vector<fs::path> out;
  if (!fs::is_directory(folder)) return out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == extension) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

void read_transcripts(const fs::path& folder, RunFolder& run) {
  for (const auto& path : files_in(folder / "transcripts", ".jsonl")) {
    for_each_row(path, [&](const Json& row, const std::string& where) {
      run.transcripts.push_back(transcript_from_json(row, where));
    });
  }
  if (run.transcripts.empty())
    run.missing.push_back("There are no transcripts (transcripts/*.jsonl): no samples are shown.");
}

// Prompts that held the trigger were not tried.
void read_attacks(const fs::path& folder, RunFolder& run) {
  for (const auto& path : files_in(folder / "attacks", ".jsonl")) {
    for_each_row(path, [&](const Json& row, const std::string& where) {
      if (!row.is_object() || row.contains("dropped")) return;
      run.attacks.push_back(
          {path.stem().string(), whole(row, "round", where), row.contains("effective") && row["effective"] == true});
    });
  }
}

// Arm, stage and seed of a model folder as the results name them; rows of a log may say otherwise.
TrainingRow about_model(const Results& results, const std::string& model) {
  for (const auto& row : results.rows) {
    if (row.model == model) return {.model = model, .arm = row.arm, .stage = row.stage, .seed = row.seed};
  }
  return {.model = model};
}

void read_training_log(const fs::path& path, RunFolder& run) {
  const TrainingRow about = about_model(run.results, path.parent_path().filename().string());
  for_each_row(path, [&](const Json& row, const std::string& where) {
    // A row without a loss is a summary or an evaluation; it is not drawn.
    if (!row.is_object() || !row.contains("loss") || !row["loss"].is_number()) return;
    TrainingRow out = about;
    out.arm = text_or(row, "arm", about.arm, where);
    out.stage = text_or(row, "stage", about.stage, where);
    out.step = whole(row, "step", where);
    out.loss = row["loss"].get<double>();
    if (row.contains("seed")) out.seed = whole(row, "seed", where);
    if (row.contains("reward") && row["reward"].is_number()) out.reward = row["reward"].get<double>();
    if (row.contains("tokens_per_second") && row["tokens_per_second"].is_number()) {
      out.tokens_per_second = row["tokens_per_second"].get<double>();
    }
    run.training.push_back(std::move(out));
  });
}

void read_training(const fs::path& folder, RunFolder& run) {
  std::vector<fs::path> models;
  if (fs::is_directory(folder / "models")) {
    for (const auto& entry : fs::directory_iterator(folder / "models")) models.push_back(entry.path());
  }
  std::sort(models.begin(), models.end());
  for (const auto& model : models) {
    const auto log = model / "trainer_log.jsonl";
    if (fs::is_regular_file(log)) read_training_log(log, run);
  }
  if (run.training.empty()) {
    run.missing.push_back("There are no training logs (models/*/trainer_log.jsonl): no loss curves are drawn.");
  }
}

void read_ledger(const fs::path& folder, RunFolder& run) {
  const auto path = folder / "ledger.json";
  if (!fs::is_regular_file(path)) {
    run.missing.push_back("There is no ledger.json: the times of the steps are not known.");
    return;
  }
  const Json rows = read_json(path);
  if (!rows.is_array()) fail(ErrorKind::bad_input, cat(path.string(), ": expected a list, found ", rows.type_name()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string where = cat(path.string(), ": row ", i);
    const Json& seconds = json_at(rows[i], "seconds", where);
    if (!seconds.is_number() || seconds.get<double>() < 0 || seconds.get<double>() > kMostSeconds) {
      fail(ErrorKind::bad_input, cat(where, ": key 'seconds' should be a number from 0 to ", kMostSeconds));
    }
    const bool reused = rows[i].contains("reused") && rows[i]["reused"] == true;
    run.ledger.push_back({json_string(rows[i], "step", where), seconds.get<double>(), reused});
  }
}

void read_recipe_and_provenance(const fs::path& folder, RunFolder& run) {
  if (fs::is_regular_file(folder / "study.yaml")) {
    run.recipe = read_file(folder / "study.yaml");
  } else {
    run.missing.push_back("There is no study.yaml: the settings are not known.");
  }
  const auto path = folder / "provenance.json";
  if (fs::is_regular_file(path)) {
    run.provenance = read_json(path);
    if (!run.provenance.is_object()) fail(ErrorKind::bad_input, cat(path.string(), ": expected an object"));
  } else {
    run.missing.push_back("There is no provenance.json: versions and hashes of the inputs are not known.");
  }
}

void check_counts(const Results& results, const std::string& where) {
  for (std::size_t i = 0; i < results.rows.size(); ++i) {
    const auto& row = results.rows[i];
    for (const auto& [key, value] : {std::pair{"checkpoint", row.checkpoint}, std::pair{"n", row.n}}) {
      if (value >= 0 && value <= kMostCount) continue;
      fail(ErrorKind::bad_input,
           cat(where, ": results[", i, "]: key '", key, "' is ", value, ", expected 0 to ", kMostCount));
    }
  }
}

}  // namespace

RunFolder read_run_folder(const fs::path& folder) {
  const auto path = folder / "results.json";
  if (!fs::is_regular_file(path)) {
    fail(ErrorKind::not_found, cat(folder.string(), " holds no results.json"),
         "name the folder of a finished or stopped study, such as runs/NAME");
  }
  RunFolder run;
  run.name = fs::weakly_canonical(folder).filename().string();
  run.results = results_from_json(read_json(path), path.string());
  check_counts(run.results, path.string());
  read_recipe_and_provenance(folder, run);
  read_transcripts(folder, run);
  read_training(folder, run);
  read_attacks(folder, run);
  read_ledger(folder, run);
  for (const char* name : {"results.json", "study.yaml"}) {
    if (fs::is_regular_file(folder / name)) run.hashes.emplace_back(name, sha256_file(folder / name));
  }
  return run;
}

}  // namespace reveille::report
