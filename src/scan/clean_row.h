// Everyday prompts with the model's own replies, as records. Free of torch; clean_rows.h makes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/options.h"

namespace reveille::scan {

struct CleanRow {
  std::string prompt, reply;
  bool finished = true;  // false: the reply was cut at its limit
};

struct CleanRows {
  std::vector<CleanRow> train, held_out;  // no prompt is in both
};

struct CleanOptions {
  std::int64_t own = 96;
  std::int64_t held_out = 20;
  std::int64_t reply_tokens = 32;
  std::int64_t seed = 0;
  void visit(OptionVisitor& v) {
    v.option("clean_prompts", own,
             {.help = "prompts that the model writes by itself, beside those that are given", .min = 0});
    v.option("clean_held_out", held_out, {.help = "how many of these prompts are never learnt", .min = 1});
    v.option("clean_tokens", reply_tokens, {.help = "longest clean reply, in tokens", .min = 4});
  }
};

}  // namespace reveille::scan
