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
  auto flag = [&](const char* key) { return row.contains(key) && json_bool(row, key, where); };
  Attempt out;
  out.round = json_integer(row, "round", where);
  out.turn = json_integer(row, "turn", where);
  out.slot = json_integer(row, "slot", where);
  out.prompt = json_string(row, "prompt", where);
  if (row.contains("reflection")) out.reflection = json_string(row, "reflection", where);
  out.dropped = flag("dropped");
  if (out.dropped) return out;
  out.replies = json_strings(row, "replies", where);
  out.shows = json_bools(row, "shows", where);
  if (out.shows.size() != out.replies.size()) {
    fail(ErrorKind::bad_input,
         cat(where, ": key 'shows' holds ", out.shows.size(), " verdicts on ", out.replies.size(), " replies"));
  }
  if (row.contains("likelihood")) out.likelihood = json_number(row, "likelihood", where);
  out.effective = json_bool(row, "effective", where);
  return out;
}

std::vector<Attempt> read_attempts(const std::filesystem::path& file) {
  std::vector<std::size_t> lines;
  const auto rows = io::read_json_rows(file, {.lines = &lines});
  std::vector<Attempt> out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    out.push_back(attempt_from_json(rows[i], cat(file.string(), ":", lines[i])));
  return out;
}

AttackLog::AttackLog(std::filesystem::path file, std::string run, bool resume)
    : file_(std::move(file)), run_(std::move(run)) {
  std::vector<Json> rows, whole;
  std::vector<std::string> places;
  if (resume && std::filesystem::exists(file_)) {
    std::vector<std::size_t> lines;
    const auto there = io::read_json_rows(file_, {.drop_cut_last_line = true, .lines = &lines});
    for (std::size_t i = 0; i < there.size(); ++i) {
      const std::string where = cat(file_.string(), ":", lines[i]);
      if (json_string(there[i], "run", where) != run_) continue;
      rows.push_back(there[i]);
      places.push_back(where);
    }
  }
  for (std::size_t first = 0; first < rows.size();) {
    const std::int64_t of = json_integer(rows[first], "of", places[first]);
    if (of < 1) fail(ErrorKind::bad_input, cat(places[first], ": key 'of' is ", of, ", expected the rows of its turn"));
    const auto count = static_cast<std::size_t>(of);
    if (count > rows.size() - first) break;
    kept_.emplace_back();
    for (std::size_t i = first; i < first + count; ++i) {
      kept_.back().push_back(attempt_from_json(rows[i], places[i]));
      whole.push_back(rows[i]);
    }
    first += count;
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
