#include "base/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/strings.h"

namespace reveille {
namespace {

using Clock = std::chrono::steady_clock;
Display chosen_display = Display::automatic;
bool bar_on_screen = false;
// The first things done include what is done but once (threads, buffers), and say little about the rest.
constexpr double kSecondsBeforeReckoning = 3;
std::string whole_name;
Clock::time_point whole_end;

Display display() {
  if (chosen_display != Display::automatic) return chosen_display;
  return ::isatty(STDERR_FILENO) ? Display::bar : Display::plain;
}

void clear_bar() {
  if (bar_on_screen) std::fputs("\r\033[K", stderr);
  bar_on_screen = false;
}

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// "steps" and "replies" as "step" and "reply".
std::string one_of(const std::string& unit) {
  if (unit.ends_with("ies")) return unit.substr(0, unit.size() - 3) + "y";
  return unit.ends_with("s") ? unit.substr(0, unit.size() - 1) : unit;
}

std::string rate_text(double rate, const std::string& unit) {
  if (rate >= 1) return with_commas(static_cast<long long>(rate)) + " " + unit + "/s";
  return fixed(rate > 0 ? 1 / rate : 0, 1) + " s/" + one_of(unit);
}

}  // namespace

void set_whole(const std::string& name, double seconds_left) {
  whole_name = name;
  whole_end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds_left));
}

void set_display(Display value) { chosen_display = value; }

bool use_color(int file_descriptor) {
  const char* off = std::getenv("NO_COLOR");
  return !(off && *off) && ::isatty(file_descriptor);
}

Progress::Progress(std::string title, std::uint64_t total, std::string unit)
    : title_(std::move(title)), unit_(std::move(unit)), total_(total), start_(Clock::now()), drawn_(start_) {}

Progress::~Progress() {
  if (!finished_) clear_bar();
}

double Progress::seconds() const { return since(start_); }

void Progress::advance(std::uint64_t count, const std::string& note) {
  done_ += count;
  if (!note.empty()) note_ = note;
  double interval = display() == Display::bar ? 0.1 : 10.0;
  if (since(drawn_) >= interval) draw(false);
}

void Progress::say(const std::string& line) { reveille::say(line); }

void Progress::finish(const std::string& note) {
  if (finished_) return;
  if (!note.empty()) note_ = note;
  draw(true);
  finished_ = true;
}

void Progress::draw(bool last) {
  drawn_ = Clock::now();
  if (display() == Display::none) return;
  double elapsed = seconds();
  double rate = elapsed > 0 ? static_cast<double>(done_) / elapsed : 0;
  std::string line = title_;
  bool bar = display() == Display::bar;
  if (total_ > 0) {
    double share = std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
    if (bar && !last) {
      auto filled = static_cast<std::size_t>(share * 20);
      line += " [" + std::string(filled, '#') + std::string(20 - filled, '.') + "]";
    }
    line += " " + with_commas(static_cast<long long>(done_)) + "/" + with_commas(static_cast<long long>(total_));
  } else {
    line += " " + with_commas(static_cast<long long>(done_));
  }
  line += " " + unit_ + "  " + rate_text(rate, unit_);
  if (last) {
    line += "  in " + human_seconds(elapsed);
  } else if (total_ > 0 && elapsed >= kSecondsBeforeReckoning && done_ > 0 && done_ < total_) {
    line += "  " + human_seconds(static_cast<double>(total_ - done_) / rate) + " left";
  }
  if (!note_.empty()) line += "  " + note_;
  if (!last && !whole_name.empty()) {
    const double left = std::chrono::duration<double>(whole_end - Clock::now()).count();
    line += "  (" + whole_name + ": " + (left > 0 ? human_seconds(left) + " left)" : "longer than reckoned)");
  }
  clear_bar();
  std::fputs(line.c_str(), stderr);
  if (bar && !last) {
    bar_on_screen = true;
  } else {
    std::fputc('\n', stderr);
  }
  std::fflush(stderr);
}

void say(const std::string& line) {
  if (display() == Display::none) return;
  clear_bar();
  std::fprintf(stderr, "%s\n", line.c_str());
}

void warn(const std::string& line) {
  clear_bar();
  const bool color = use_color(STDERR_FILENO);
  std::fprintf(stderr, "%swarning:%s %s\n", color ? "\033[33m" : "", color ? "\033[0m" : "", line.c_str());
}

}  // namespace reveille
