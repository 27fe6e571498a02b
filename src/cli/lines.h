// Lines of standard input. A Ctrl-C ends the wait for one, which a read of the stream would sleep through.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace reveille::cli {

class Lines {
 public:
  // Nothing at the end of the input and after a Ctrl-C or SIGTERM.
  std::optional<std::string> next();

 private:
  std::string take(std::size_t length, std::size_t used);

  std::string buffer_;
  bool ended_ = false;
};

}  // namespace reveille::cli
