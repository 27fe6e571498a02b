// Data sets of every form. The first byte chooses the kind of file and the options; what loads
// must keep the promises of io/dataset.h.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>

#include "base/error.h"
#include "io/dataset.h"
#include "io/dataset_write.h"
#include "io/jsonl.h"

using namespace reveille;

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void check_example(const io::Example& example) {
  check(example.prompt_size <= example.messages.size());
  check(example.messages.empty() != example.text.empty());
  check(!example.has_reply || example.messages.back().role == "assistant");
  check(!example.rejected || example.rejected->size() > example.prompt_size);
  io::json_line(io::example_json(example));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) try {
  if (size == 0) return 0;
  const char* names[] = {"fuzz.jsonl", "fuzz.json", "fuzz.csv", "fuzz.txt", "fuzz.tsv", "fuzz"};
  io::DatasetOptions options;
  options.bad_rows = data[0] & 1 ? "skip" : "error";
  options.prompts_only = data[0] & 2;
  options.limit = data[0] & 4 ? 3 : 0;
  const char* name = names[(data[0] >> 3) % std::size(names)];
  io::Dataset dataset =
      io::parse_dataset(std::string(reinterpret_cast<const char*>(data) + 1, size - 1), name, options);
  check(!dataset.examples.empty() && !dataset.form.empty());
  for (const io::Example& example : dataset.examples) check_example(example);
  return 0;
} catch (const Error&) {
  return 0;
}
