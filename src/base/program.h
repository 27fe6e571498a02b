// Another program that answers questions, in any language: JSON Lines in, JSON Lines out, kept running.
//
// Every row that is sent is an object with an "id" of ours; the program answers each with one line that holds the same
// "id", in any order. A line with the key "ready" is a greeting. What it writes to standard error is passed on. Used
// for judges, rewards and attackers, the user's own among them.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/options.h"

namespace reveille {

struct ProgramOptions {
  std::vector<std::string> command;  // program and arguments; found on PATH
  double timeout_s = 60;             // without an answer to another row, whatever else it says
  std::string what = "program";      // for errors: "judge"
};

class Program {
 public:
  // Starts nothing yet. Error(usage) for an empty command.
  explicit Program(ProgramOptions options);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // One answer a row, in the order of the rows; `id` is put in. A program that dies is started once more and asked the
  // rows that are left; then, and for one that answers no row for timeout_s, or something that is no JSON object with
  // an id of ours: Error(io), which names the command and the row. Error(interrupted) on Ctrl-C.
  std::vector<Json> ask(std::vector<Json> rows);

  // The line with "ready" that it wrote first, or null.
  const Json& greeting() const { return greeting_; }

 private:
  struct Child;
  class Exchange;
  void stop();
  std::string shown() const;

  ProgramOptions options_;
  std::unique_ptr<Child> child_;
  Json greeting_;
};

}  // namespace reveille
