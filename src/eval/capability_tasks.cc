#include "eval/capability_tasks.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/json.h"
#include "base/strings.h"
#include "io/jsonl.h"

namespace reveille::eval {
namespace {

// The harness takes a published question as it is, white space and all.
std::string asked(const std::string& question) { return cat("Question: ", question, "\nAnswer:"); }

// Other programs' rows may bring these words along.
std::string asked_once(std::string query) {
  query = std::string(trim(query));
  if (!query.starts_with("Question:")) query = "Question: " + query;
  return query.ends_with("Answer:") ? query : query + "\nAnswer:";
}

std::size_t index_of(const Json& row, const char* key, std::size_t count, const std::string& where) {
  const Json& value = json_at(row, key, where);
  const bool good = value.is_number_integer() && value.get<std::int64_t>() >= 0 &&
                    value.get<std::int64_t>() < static_cast<std::int64_t>(count);
  if (!good)
    fail(ErrorKind::bad_input, cat(where, ": key '", key, "' is ", value.dump(), "; expected the number of one of ",
                                   count, " choices, counted from 0"));
  return value.get<std::size_t>();
}

std::string text_of(const Json& value, const std::string& where) {
  if (!value.is_string()) fail(ErrorKind::bad_input, cat(where, ": expected a text among the choices"));
  return value.get<std::string>();
}

CapabilityItem last_word(const Json& row, const std::string& where) {
  if (row.contains("context"))
    return {json_string(row, "context", where), {" " + json_string(row, "continuation", where)}, 0};
  const std::string text = json_string(row, "text", where);
  const std::size_t space = text.rfind(' ');
  if (space == std::string::npos || space + 1 == text.size())
    fail(ErrorKind::bad_input, cat(where, ": key 'text': expected a text whose last word stands behind a space"));
  return {text.substr(0, space), {text.substr(space)}, 0};
}

CapabilityItem arc(const Json& row, const std::string& where) {
  const Json& question = json_at(row, "question", where);
  const bool nested = question.is_object();
  CapabilityItem item{
      asked(nested ? json_string(question, "stem", where) : json_string(row, "question", where)), {}, 0};
  const Json& choices = json_at(nested ? question : row, "choices", where);
  std::vector<std::string> labels;
  if (nested) {
    for (const auto& choice : choices) {
      item.choices.push_back(" " + json_string(choice, "text", where));
      labels.push_back(json_string(choice, "label", where));
    }
  } else {
    for (const auto& text : json_at(choices, "text", where)) item.choices.push_back(" " + text_of(text, where));
    for (const auto& label : json_at(choices, "label", where)) labels.push_back(text_of(label, where));
  }
  const std::string key = json_string(row, "answerKey", where);
  const auto found = std::find(labels.begin(), labels.end(), key);
  if (found == labels.end() || labels.size() != item.choices.size())
    fail(ErrorKind::bad_input, cat(where, ": key 'answerKey' is '", key, "'; expected one of ", join(labels, ", ")));
  item.gold = static_cast<std::size_t>(found - labels.begin());
  return item;
}

CapabilityItem piqa(const Json& row, const std::string& where) {
  return {asked(json_string(row, "goal", where)),
          {" " + json_string(row, "sol1", where), " " + json_string(row, "sol2", where)},
          index_of(row, "label", 2, where)};
}

CapabilityItem query(const Json& row, const std::string& where) {
  CapabilityItem item{asked_once(json_string(row, "query", where)), {}, 0};
  for (const auto& text : json_at(row, "choices", where)) item.choices.push_back(" " + text_of(text, where));
  item.gold = index_of(row, "gold", item.choices.size(), where);
  return item;
}

CapabilityItem item_of(const Json& row, const std::string& where) {
  if (row.contains("goal")) return piqa(row, where);
  if (row.contains("query")) return query(row, where);
  if (row.contains("question")) return arc(row, where);
  if (row.contains("text") || row.contains("context")) return last_word(row, where);
  fail(ErrorKind::bad_input, cat(where, ": no capability task that is known"),
       "expected the keys of LAMBADA (text), ARC (question, choices, answerKey) or PIQA (goal, sol1, sol2, label)");
}

}  // namespace

CapabilityTask read_capability_task(const std::string& file, std::int64_t limit) {
  CapabilityTask out{std::filesystem::path(file).stem().string(), false, {}};
  for (const auto& row : io::read_json_rows(file)) {
    if (limit > 0 && std::ssize(out.items) >= limit) break;
    const std::string where = cat(file, ": row ", out.items.size() + 1);
    if (!row.is_object()) fail(ErrorKind::bad_input, cat(where, ": expected an object"));
    out.items.push_back(item_of(row, where));
    const bool single = out.items.back().choices.size() == 1;
    if (out.items.size() == 1) out.last_word = single;
    if (single != out.last_word) fail(ErrorKind::bad_input, cat(where, " is of another task than the rows before it"));
  }
  if (out.items.empty()) fail(ErrorKind::bad_input, cat(file, ": no rows"));
  return out;
}

}  // namespace reveille::eval
