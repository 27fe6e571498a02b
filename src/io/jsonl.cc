#include "io/jsonl.h"

#include <ostream>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"

namespace reveille::io {
namespace {

bool is_space(int byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

// Whether the text begins with an object that goes on over several lines. JSON Lines never ends
// a line after an opening bracket or a comma.
bool is_spread_object(std::string_view start) {
  start = start.substr(0, start.find('\n'));
  std::string_view line = trim(start);
  return !line.empty() && (line.back() == '{' || line.back() == '[' || line.back() == ',');
}

// Copies one JSON value from the source, up to the comma or bracket that ends it; says nothing
// about its validity beyond balanced brackets and closed strings.
std::string take_value(TextSource& source) {
  std::string out;
  int depth = 0;
  bool quoted = false;
  for (int byte = source.peek(); byte != TextSource::kEnd; byte = source.peek()) {
    if (!quoted && depth == 0 && (byte == ',' || byte == ']')) break;
    if (out.size() >= kMaxItemBytes) {
      fail(ErrorKind::bad_input, cat(source.where(), ": a value is longer than ", kMaxItemBytes, " bytes"));
    }
    out += static_cast<char>(source.get());
    if (quoted) {
      if (byte == '\\' && source.peek() != TextSource::kEnd) out += static_cast<char>(source.get());
      if (byte == '"') quoted = false;
    } else if (byte == '"') {
      quoted = true;
    } else if (byte == '{' || byte == '[') {
      ++depth;
    } else if (byte == '}' || byte == ']') {
      --depth;
    }
  }
  if (quoted || depth != 0) {
    fail(ErrorKind::bad_input, cat(source.where(), ": the file ends inside a value; was it cut?"));
  }
  return std::string(trim(out));
}

}  // namespace

RowReader::RowReader(TextSource& source, std::string field) : source_(source) {
  skip_space();
  if (source_.peek() == '[') {
    layout_ = Layout::array;
    source_.get();
  } else if (source_.peek() == '{' && (!field.empty() || is_spread_object(source_.look_ahead(1 << 16)))) {
    layout_ = Layout::rows;
    read_object(field);
  }
}

void RowReader::skip_space() {
  while (is_space(source_.peek())) source_.get();
}

bool RowReader::next(RawRow& row) {
  if (layout_ == Layout::lines) return next_line(row);
  if (layout_ == Layout::array) return next_element(row);
  if (at_ == rows_.size()) return false;
  row = std::move(rows_[at_++]);
  return true;
}

bool RowReader::next_line(RawRow& row) {
  for (;;) {
    row.line = source_.line();
    if (!source_.read_line(row.text, &row.closed)) return false;
    if (!trim(row.text).empty()) return true;
  }
}

bool RowReader::next_element(RawRow& row) {
  if (done_) return false;
  skip_space();
  if (first_ && source_.peek() == ']') {
    source_.get();
    done_ = true;
  } else {
    row.line = source_.line();
    row.text = take_value(source_);
    row.closed = true;
    int after = source_.get();
    if (after == TextSource::kEnd) {
      fail(ErrorKind::bad_input, cat(source_.where(), ": the JSON array has no end; was the file cut?"));
    }
    first_ = false;
    done_ = after == ']';
    if (!done_) return true;
  }
  skip_space();
  if (source_.peek() != TextSource::kEnd) {
    fail(ErrorKind::bad_input, cat(source_.where(), ": text after the end of the JSON array"));
  }
  return !first_;
}

// A whole object: its rows have no line numbers of their own, so they carry their place's.
void RowReader::read_object(const std::string& field) {
  std::size_t line = source_.line();
  Json whole = parse_json(source_.read_all(kMaxItemBytes), source_.name());
  std::vector<std::string> arrays;
  for (const auto& [key, value] : whole.items()) {
    if (value.is_array() && (field.empty() || key == field)) arrays.push_back(key);
  }
  if (!field.empty() && arrays.empty()) {
    fail(ErrorKind::bad_input, cat(source_.name(), ": key '", field, "' is not there or is no list of rows"));
  }
  const bool rows_inside = arrays.size() == 1 && (!field.empty() || whole.size() == 1 || arrays[0] == "data");
  if (!rows_inside) {
    rows_.push_back({json_line(whole), line, true});
    return;
  }
  for (const Json& item : whole[arrays[0]]) rows_.push_back({json_line(item), line, true});
}

Json parse_row(const RawRow& row, const std::string& name) {
  std::string where = cat(name, ":", row.line);
  if (!is_utf8(row.text)) fail(ErrorKind::bad_input, cat(where, ": not valid UTF-8"));
  return parse_json(row.text, where);
}

std::vector<Json> read_json_rows(const std::filesystem::path& path, const JsonRowsOptions& options) {
  TextSource source(path);
  RowReader reader(source);
  std::vector<Json> rows;
  for (RawRow row; reader.next(row);) {
    if (options.drop_cut_last_line && !row.closed && !Json::accept(row.text)) break;
    rows.push_back(parse_row(row, source.name()));
    if (options.lines) options.lines->push_back(row.line);
  }
  return rows;
}

std::string json_line(const Json& row) { return row.dump(-1, ' ', false, Json::error_handler_t::replace); }

void write_jsonl(const std::filesystem::path& path, const std::vector<Json>& rows) {
  write_jsonl(path, [&](const std::function<void(const Json&)>& put) {
    for (const Json& row : rows) put(row);
  });
}

void write_jsonl(const std::filesystem::path& path,
                 const std::function<void(const std::function<void(const Json&)>&)>& write) {
  write_stream_atomic(path, [&](std::ostream& out) { write([&](const Json& row) { out << json_line(row) << '\n'; }); });
}

}  // namespace reveille::io
