// What a template may use up. Templates come with models and are not trusted.
#pragma once

#include <cstddef>

namespace reveille::text::jinja {

struct Limits {
  std::size_t steps = 20'000'000;                     // expressions, statements and items walked
  std::size_t output_bytes = std::size_t{64} << 20;   // of the rendered text
  std::size_t made_bytes = std::size_t{512} << 20;    // of all strings and lists made on the way
  int depth = 600;                                    // blocks, expressions and calls inside one another
  std::size_t template_bytes = std::size_t{1} << 20;  // of the template itself
};

}  // namespace reveille::text::jinja
