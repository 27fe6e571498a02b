#include "scan/file_notes.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::scan {
namespace {

const FileRule* find_rule(std::string_view id) {
  for (const FileRule& rule : file_rules()) {
    if (rule.id == id) return &rule;
  }
  return nullptr;
}

int weight(const FileNote& note) { return note.level == "error" ? 0 : note.level == "warning" ? 1 : 2; }

}  // namespace

Json rules_of(const std::vector<FileNote>& notes) {
  std::set<std::string> ids;
  for (const FileNote& note : notes) ids.insert(note.rule);
  Json out = Json::array();
  for (const std::string& id : ids) {
    const FileRule* rule = find_rule(id);
    if (!rule) continue;
    out.push_back(Json{{"id", rule->id}, {"level", rule->level}, {"meaning", rule->meaning}, {"advice", rule->advice}});
  }
  return out;
}

void Notes::add(std::string_view rule, const std::string& file, std::int64_t line, std::string message) {
  const FileRule* known = find_rule(rule);
  if (!known) fail(ErrorKind::internal, cat("the table of file rules has no '", rule, "'"));
  if (++count_[{std::string(rule), file}] > kMostOfARule) return;
  notes_.push_back({known->id, known->level, file, line, repair_utf8(message)});
}

std::vector<FileNote> Notes::take() {
  for (const auto& [of, count] : count_) {
    if (count <= kMostOfARule) continue;
    const FileRule* rule = find_rule(of.first);
    notes_.push_back(
        {of.first, rule->level, of.second, 0, cat("and ", count - kMostOfARule, " more of the same kind")});
  }
  std::stable_sort(notes_.begin(), notes_.end(), [](const FileNote& a, const FileNote& b) {
    return std::tuple(weight(a), a.file, a.line, a.rule) < std::tuple(weight(b), b.file, b.line, b.rule);
  });
  count_.clear();
  return std::exchange(notes_, {});
}

}  // namespace reveille::scan
