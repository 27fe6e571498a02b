// JSON Lines: reading row by row (a JSON array of rows is read just the same, told by content),
// writing whole files, and appending so that a kill costs at most the line being written.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "io/text_source.h"

namespace reveille::io {

// One row as text, not yet parsed: a caller can report a bad one and go on with the next.
struct RawRow {
  std::string text;
  std::size_t line = 0;  // where it starts, counted from 1
  bool closed = true;    // false for a last line without a line feed (it may have been cut)
};

// Rows of a file that is one of
//   JSON Lines    one value a line; blank lines are passed over
//   a JSON array  [row, row, ...], over as many lines as it likes
//   one object    whose rows stand under `field`, or under its only array ({"data": [...]});
//                 an object without an array is one row
class RowReader {
 public:
  // `source` outlives the reader.
  explicit RowReader(TextSource& source, std::string field = {});
  // False at the end. Throws Error for an array that is not one (no comma, no end).
  bool next(RawRow& row);

 private:
  enum class Layout { lines, array, rows };
  bool next_line(RawRow& row);
  bool next_element(RawRow& row);
  void read_object(const std::string& field);
  void skip_space();

  TextSource& source_;
  Layout layout_ = Layout::lines;
  bool first_ = true, done_ = false;
  std::vector<RawRow> rows_;  // Layout::rows
  std::size_t at_ = 0;
};

// Parses a row; checks UTF-8 first. `name` is the file's. Throws Error("name:line: ...").
Json parse_row(const RawRow& row, const std::string& name);

struct JsonRowsOptions {
  // Passes over a last line that was cut by a kill (no line feed, not valid JSON).
  bool drop_cut_last_line = false;
  // Gets the line that each row starts in, counted from 1, for errors of those who read the rows.
  std::vector<std::size_t>* lines = nullptr;
};
std::vector<Json> read_json_rows(const std::filesystem::path& path, const JsonRowsOptions& options = {});

// One row as one line, without the line feed; invalid UTF-8 becomes U+FFFD.
std::string json_line(const Json& row);

// Written whole or not at all.
void write_jsonl(const std::filesystem::path& path, const std::vector<Json>& rows);
// The same for rows that are made one by one: `write` calls its argument for each.
void write_jsonl(const std::filesystem::path& path,
                 const std::function<void(const std::function<void(const Json&)>&)>& write);

// Appends rows, each with one write to the system: after a kill the file holds whole lines and
// at most one cut one, which the next opening cuts off. A failed write (full disk) is undone.
class JsonlAppender {
 public:
  enum class Open {
    resume,    // keep the lines that are there, cut off a cut last one
    truncate,  // start anew
  };
  JsonlAppender(std::filesystem::path path, Open open);
  ~JsonlAppender();
  JsonlAppender(const JsonlAppender&) = delete;
  JsonlAppender& operator=(const JsonlAppender&) = delete;

  void append(const Json& row);
  // Forces what was written onto the disk (a kill of the program does not need it).
  void sync();
  // Bytes of a cut last line that opening removed.
  std::size_t dropped_bytes() const { return dropped_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  void repair_end();
  void write_all(std::string_view bytes);

  std::filesystem::path path_;
  int file_ = -1;
  std::size_t dropped_ = 0;
};

}  // namespace reveille::io
