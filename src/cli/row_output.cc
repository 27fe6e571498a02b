#include "cli/row_output.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/progress.h"
#include "cli/verb.h"

namespace reveille::cli {
namespace fs = std::filesystem;
namespace {

// Partial files of other commands with the same output are left alone, but not in silence.
void tell_of_others(const fs::path& target, const fs::path& own) {
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  const std::string start = target.filename().string() + ".";
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with(start) && name.ends_with(".partial") && name != own.filename().string())
      warn(cat((target.parent_path() / name).string(),
               " is of a command with other options, rows or weights: it is not used; remove it when it is of no use"));
  }
}

std::size_t lines_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(in), {}, '\n'));
}

}  // namespace

RowOutput::RowOutput(const std::string& output, const Json& everything) {
  if (output.empty() || output == "-") return;
  target_ = output;
  std::error_code error;
  if (fs::is_directory(target_, error))
    fail(ErrorKind::usage, cat(output, " is a folder"), "name a file with --output");
  target_ = link_target(target_);
  if (is_stream(target_)) {
    device_.open(target_, std::ios::binary);
    if (!device_) fail(ErrorKind::io, cat("cannot write ", output));
    return;
  }
  partial_ = target_;
  partial_ +=
      cat(".", sha256_hex(everything.dump(-1, ' ', false, Json::error_handler_t::replace)).substr(0, 8), ".partial");
  tell_of_others(target_, partial_);
  file_ = std::make_unique<io::JsonlAppender>(partial_, io::JsonlAppender::Open::resume);
  rows_ = lines_of(partial_);
}

void RowOutput::add(const Json& row) {
  if (file_) return file_->append(row);
  const std::string line = io::json_line(row) + "\n";
  if (target_.empty()) {
    std::fwrite(line.data(), 1, line.size(), stdout);
  } else {
    device_ << line;
  }
}

void RowOutput::flush() {
  if (target_.empty()) return flush_stdout();
  if (!file_ && !device_.flush()) fail(ErrorKind::io, cat("cannot write ", target_.string()));
}

void RowOutput::guard(const std::function<void()>& work) const {
  try {
    work();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::interrupted || partial_.empty()) throw;
    fail(error.kind(), error.message(),
         cat("run the same command again to go on with what stands in ", partial_.string()));
  }
}

void RowOutput::finish() {
  flush();
  if (partial_.empty()) return;
  file_->sync();
  file_.reset();
  std::error_code error;
  fs::rename(partial_, target_, error);
  if (error) fail(ErrorKind::io, cat("cannot write ", target_.string(), ": ", error.message()));
}

}  // namespace reveille::cli
