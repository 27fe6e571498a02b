#include "io/csv.h"

#include <set>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::io {

CsvReader::CsvReader(TextSource& source, char separator) : source_(source), separator_(separator) {
  if (!read_record(columns_)) fail(ErrorKind::bad_input, cat(source_.name(), " is empty; expected a CSV header"));
  std::set<std::string> seen;
  for (std::string& column : columns_) {
    column = std::string(trim(column));
    if (!is_utf8(column)) fail(ErrorKind::bad_input, cat(source_.name(), ":1: the CSV header is not valid UTF-8"));
    // pandas writes its index under an empty name.
    if (column.empty()) column = cat("column ", seen.size() + 1);
    if (!seen.insert(column).second) {
      fail(ErrorKind::bad_input, cat(source_.name(), ":1: the CSV header names column '", column, "' twice"));
    }
  }
}

bool CsvReader::next(Json& row, std::size_t& line) {
  std::vector<std::string> fields;
  do {
    line = source_.line();
    if (!read_record(fields)) return false;
  } while (fields.size() == 1 && fields[0].empty() && columns_.size() > 1);  // a blank line
  std::string where = cat(source_.name(), ":", line);
  if (fields.size() != columns_.size()) {
    fail(ErrorKind::bad_input,
         cat(where, ": ", fields.size(), fields.size() == 1 ? " field" : " fields", ", the header has ",
             columns_.size()),
         "a field with a comma, quote or line feed must stand in double quotes");
  }
  row = Json::object();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!is_utf8(fields[i])) fail(ErrorKind::bad_input, cat(where, ": column '", columns_[i], "' is not valid UTF-8"));
    row[columns_[i]] = std::move(fields[i]);
  }
  return true;
}

bool CsvReader::read_record(std::vector<std::string>& fields) {
  fields.clear();
  if (source_.peek() == TextSource::kEnd) return false;
  std::string field;
  for (;;) {
    int byte = source_.get();
    if (byte == '"' && field.empty()) {
      read_quoted(field);
    } else if (byte == separator_) {
      fields.push_back(std::move(field));
      field.clear();
    } else if (byte == '\n' || byte == TextSource::kEnd) {
      fields.push_back(std::move(field));
      return true;
    } else if (byte != '\r' || source_.peek() != '\n') {
      field += static_cast<char>(byte);
    }
    if (field.size() > kMaxItemBytes || fields.size() > 100000) {
      broken_ = true;
      fail(ErrorKind::bad_input, cat(source_.where(), ": a CSV record is too large"));
    }
  }
}

// After the opening quote: everything up to the closing one, "" standing for one quote.
void CsvReader::read_quoted(std::string& field) {
  std::size_t start = source_.line();
  for (;;) {
    int byte = source_.get();
    if (byte == '"') {
      if (source_.peek() != '"') return;
      source_.get();
    }
    if (byte == TextSource::kEnd || field.size() > kMaxItemBytes) {
      broken_ = true;
      fail(ErrorKind::bad_input, cat(source_.name(), ":", start, ": a quoted CSV field that starts here has no end"));
    }
    field += static_cast<char>(byte);
  }
}

}  // namespace reveille::io
