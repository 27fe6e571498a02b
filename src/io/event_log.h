// events.jsonl of a run: what happened, one JSON object a line, each on the disk's side of the
// program as soon as it happened. Lines are {"time": "2024-05-01T12:00:00.123Z", "event": NAME,
// ...fields}. A kill costs at most the line being written; opening again goes on after the last
// whole line.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "io/jsonl.h"

namespace reveille::io {

// UTC as ISO 8601 with milliseconds, of seconds since 1970.
std::string utc_time(double seconds);
double seconds_now();

class EventLog {
 public:
  explicit EventLog(const std::filesystem::path& path);
  // `fields` is an object without the keys "time" and "event". Any thread may call this.
  void write(std::string_view event, const Json& fields = Json::object());
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  std::mutex mutex_;
  JsonlAppender file_;
};

// All whole lines, of a run that goes on or of one that was killed; none when there is no file.
std::vector<Json> read_events(const std::filesystem::path& path);

}  // namespace reveille::io
