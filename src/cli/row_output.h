// Rows that take long to make, written as they come: to standard output, or to a file that appears under its own
// name once it is whole. Until then the rows stand in FILE.<key>.partial, where <key> is a hash of everything that
// decides them, so that the same command goes on after the last whole line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "base/json.h"
#include "io/jsonl.h"

namespace reveille::cli {

class RowOutput {
 public:
  // `output` empty or "-": standard output. A pipe or device is written straight away.
  RowOutput(const std::string& output, const Json& everything);

  // Rows that an earlier run of the same command left.
  std::size_t rows() const { return rows_; }
  const std::filesystem::path& partial() const { return partial_; }
  void add(const Json& row);
  // Hands the rows to the system. Error(io) when it refuses.
  void flush();
  // Runs `work`; an Error(interrupted) of it comes back with the hint how to go on.
  void guard(const std::function<void()>& work) const;
  // Gives the file its name.
  void finish();

 private:
  std::filesystem::path target_, partial_;  // no partial file: a stream
  std::ofstream device_;
  std::unique_ptr<io::JsonlAppender> file_;
  std::size_t rows_ = 0;
};

}  // namespace reveille::cli
