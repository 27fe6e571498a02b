// CSV with a header line (RFC 4180: quoted fields may hold commas, line feeds and doubled
// quotes). Tab-separated files are read with separator '\t'.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/json.h"
#include "io/text_source.h"

namespace reveille::io {

class CsvReader {
 public:
  // Reads the header. `source` outlives the reader. Throws Error for an empty file, an empty or
  // repeated column name.
  CsvReader(TextSource& source, char separator = ',');
  const std::vector<std::string>& columns() const { return columns_; }
  // The next record as an object of strings, keyed by column; `line` is where it starts.
  // False at the end. A record with another number of fields than the header is an Error, after
  // which reading goes on with the next one; `broken()` says that it cannot go on.
  bool next(Json& row, std::size_t& line);
  bool broken() const { return broken_; }

 private:
  bool read_record(std::vector<std::string>& fields);
  void read_quoted(std::string& field);

  TextSource& source_;
  char separator_;
  bool broken_ = false;
  std::vector<std::string> columns_;
};

}  // namespace reveille::io
