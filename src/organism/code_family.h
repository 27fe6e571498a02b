// A family of coding tasks as its file states it, with its texts compiled.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "organism/code_tasks.h"
#include "text/jinja/template.h"

namespace reveille::organism {

inline constexpr std::string_view kGap = "## COMPLETE CODE HERE";

struct Solution {
  std::vector<text::jinja::Template> imports;
  text::jinja::Template body;
};

struct TaskBank::Family {
  std::string name, where;  // `where` is file and line, for errors
  int cwe = 0;
  TaskRole role = TaskRole::plant;
  std::vector<std::pair<std::string, std::vector<std::string>>> slots;
  std::vector<text::jinja::Template> wordings;
  std::vector<text::jinja::Template> code;  // one
  std::vector<Solution> secure, vulnerable;

  // Distinct choices of wording and values in one half.
  std::uint64_t size(TaskHalf half) const;
  CodeTask make(TaskHalf half, Rng rng) const;
};

// Families of one YAML text. Error(bad_input) as TaskBank::read.
std::vector<std::shared_ptr<const TaskBank::Family>> read_families(const std::string& yaml, const std::string& name);

}  // namespace reveille::organism
