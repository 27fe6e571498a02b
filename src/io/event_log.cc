#include "io/event_log.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "base/error.h"

namespace reveille::io {

std::string utc_time(double seconds) {
  auto milliseconds = static_cast<long long>(std::floor(seconds * 1000 + 0.5));
  std::time_t whole = static_cast<std::time_t>(milliseconds / 1000);
  std::tm parts{};
  gmtime_r(&whole, &parts);
  char day[32], out[48];
  std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(out, sizeof out, "%s.%03dZ", day, static_cast<int>(milliseconds % 1000));
  return out;
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

EventLog::EventLog(const std::filesystem::path& path) : file_(path, JsonlAppender::Open::resume) {}

void EventLog::write(std::string_view event, const Json& fields) {
  Json line{{"time", utc_time(seconds_now())}, {"event", event}};
  for (const auto& [key, value] : fields.items()) {
    if (key == "time" || key == "event") fail(ErrorKind::internal, cat("an event may not have a field '", key, "'"));
    line[key] = value;
  }
  std::lock_guard lock(mutex_);
  file_.append(line);
}

std::vector<Json> read_events(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return {};
  return read_json_rows(path, {.drop_cut_last_line = true});
}

}  // namespace reveille::io
