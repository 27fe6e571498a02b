// The one progress bar: on stderr, with rate and time left. On a terminal it redraws one
// line; elsewhere it prints a line now and then. Nothing else in the program draws progress.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace reveille {

enum class Display { automatic, bar, plain, none };
void set_display(Display display);
// Whether colour may be used on the given stream (a terminal, NO_COLOR unset).
bool use_color(int file_descriptor);

class Progress {
 public:
  // `total` 0 means unknown; `unit` is what is counted, "steps", "tokens".
  Progress(std::string title, std::uint64_t total, std::string unit);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(std::uint64_t count = 1, const std::string& note = {});
  void set_total(std::uint64_t total) { total_ = total; }
  // Prints a line above the bar (samples, warnings).
  void say(const std::string& line);
  void finish(const std::string& note = {});
  double seconds() const;

 private:
  void draw(bool last);
  std::string title_, unit_, note_;
  std::uint64_t total_, done_ = 0;
  std::chrono::steady_clock::time_point start_, drawn_;
  bool finished_ = false;
};

// What every bar adds at its end from now on: "(study: 9m left)", counted down from `seconds_left`. No name: nothing.
void set_whole(const std::string& name, double seconds_left);

// A line for people on stderr, kept clear of any bar that is being drawn.
void say(const std::string& line);
void warn(const std::string& line);

}  // namespace reveille
