// The one error type of the program.
//
// Everything below `cli` and `serve` throws Error and nothing prints or exits.
// The message names the file, the key and the offending value and says what was
// expected; the hint says what to do about it.
#pragma once

#include <exception>
#include <sstream>
#include <string>

namespace reveille {

enum class ErrorKind {
  usage,        // the command line or a recipe is wrong
  bad_input,    // a file's content is wrong
  not_found,    // a file or name does not exist
  unsupported,  // understood, but not something this program does
  io,           // the operating system refused (full disk, permissions)
  numeric,      // NaN, divergence, an empty mask
  interrupted,  // Ctrl-C
  internal,     // a bug of ours
};

const char* error_kind_name(ErrorKind kind);

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = {});
  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorKind kind_;
  std::string message_;
  std::string hint_;
};

// Joins anything printable into one string: cat("row ", 3, ": no key '", key, "'").
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

[[noreturn]] void fail(ErrorKind kind, std::string message, std::string hint = {});

}  // namespace reveille
