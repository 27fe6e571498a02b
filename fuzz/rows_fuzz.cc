// Data files row by row: JSON Lines, JSON arrays, CSV. A bad file is an Error, never anything else.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "io/csv.h"
#include "io/jsonl.h"

using namespace reveille;

namespace {
void read_json(const std::string& bytes) try {
  io::TextSource source(bytes, "fuzz.jsonl");
  io::RowReader reader(source);
  io::RawRow row;
  while (reader.next(row)) {
    try {
      io::json_line(io::parse_row(row, "fuzz.jsonl"));
    } catch (const Error&) {
    }
  }
} catch (const Error&) {
}

void read_csv(const std::string& bytes) try {
  io::TextSource source(bytes, "fuzz.csv");
  io::CsvReader reader(source);
  Json row;
  std::size_t line = 0;
  while (!reader.broken()) {
    try {
      if (!reader.next(row, line)) break;
    } catch (const Error&) {
    }
  }
} catch (const Error&) {
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  read_json(bytes);
  read_csv(bytes);
  return 0;
}
