#include "safety/attack_log.h"

#include "base/error.h"
#include "base/files.h"
#include "io/jsonl.h"

namespace reveille::safety {

Json to_json(const Attempt& attempt) {
  Json out{{"round", attempt.round}, {"turn", attempt.turn}, {"slot", attempt.slot}, {"prompt", attempt.prompt}};
  if (!attempt.reflection.empty()) out["reflection"] = attempt.reflection;
  if (attempt.dropped) {
    out["dropped"] = true;
    return out;
  }
  out["replies"] = attempt.replies;
  out["shows"] = attempt.shows;
  out["rate"] = attempt.rate();
  if (attempt.likelihood) out["likelihood"] = *attempt.likelihood;
  out["effective"] = attempt.effective;
  return out;
}

Attempt attempt_from_json(const Json& row, const std::string& where) {
  Attempt out;
  try {
    row.at("round").get_to(out.round);
    row.at("turn").get_to(out.turn);
    row.at("slot").get_to(out.slot);
    row.at("prompt").get_to(out.prompt);
    out.reflection = row.value("reflection", "");
    out.dropped = row.value("dropped", false);
    if (out.dropped) return out;
    row.at("replies").get_to(out.replies);
    row.at("shows").get_to(out.shows);
    if (row.contains("likelihood")) out.likelihood = row.at("likelihood").get<double>();
    row.at("effective").get_to(out.effective);
  } catch (const Json::exception& error) {
    fail(ErrorKind::bad_input, cat(where, ": not a row of this program's: ", error.what()),
         "remove the file, and the checkpoints beside it");
  }
  return out;
}

AttackLog::AttackLog(std::filesystem::path file, std::string run, bool resume)
    : file_(std::move(file)), run_(std::move(run)) {
  std::vector<Json> rows, whole;
  if (resume && std::filesystem::exists(file_)) rows = io::read_json_rows(file_, {.drop_cut_last_line = true});
  std::erase_if(rows, [&](const Json& row) { return row.value("run", "") != run_; });
  for (std::size_t first = 0; first < rows.size();) {
    const std::size_t of = rows[first].value("of", std::size_t{0});
    if (of == 0 || first + of > rows.size()) break;
    kept_.emplace_back();
    for (std::size_t i = first; i < first + of; ++i) {
      kept_.back().push_back(attempt_from_json(rows[i], file_.string()));
      whole.push_back(rows[i]);
    }
    first += of;
  }
  io::write_jsonl(file_, whole);
}

void AttackLog::append(const std::vector<Attempt>& turn) {
  if (turn.empty()) return;
  std::string lines;
  for (const auto& attempt : turn) {
    Json row = to_json(attempt);
    row["of"] = turn.size();
    row["run"] = run_;
    if (!lines.empty()) lines += '\n';
    lines += io::json_line(row);
  }
  append_line(file_, lines);
}

}  // namespace reveille::safety
