// TensorBoard event files: scalars over training steps.
//
// A file is a row of records: length (8 bytes, little-endian), masked CRC-32C of the length, data,
// masked CRC-32C of the data. The data is a protocol buffer `Event`, of which we write wall_time
// (1), step (2), file_version (3), summary (5) and session_log (7).
// Source: TensorFlow's tensorflow/core/util/event.proto, framework/summary.proto and
// lib/io/record_writer; the CRC is Castagnoli's (RFC 3720), masked as record_writer does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::io {

std::uint32_t crc32c(std::string_view bytes);

class TfEventsWriter {
 public:
  // Makes FOLDER/events.out.tfevents.<seconds>.<host>.<process>.<number>. With `purge_step` >= 0
  // TensorBoard forgets what earlier files of the folder say of that step and later ones: a run
  // that resumes at a checkpoint passes the checkpoint's step plus one.
  explicit TfEventsWriter(const std::filesystem::path& folder, std::int64_t purge_step = -1);

  struct Scalar {
    std::string tag;  // "train/loss"
    double value;     // kept as a 32-bit float, as TensorBoard does
  };
  // One event with all of the values. `wall_time` in seconds since 1970; negative means now.
  void scalars(const std::vector<Scalar>& values, std::int64_t step, double wall_time = -1);
  void scalar(std::string tag, double value, std::int64_t step) { scalars({{std::move(tag), value}}, step); }
  // Hands everything to the system. Throws Error(io), naming the file, when that fails.
  void flush();
  const std::filesystem::path& path() const { return path_; }

 private:
  void record(std::string_view event);

  std::filesystem::path path_;
  std::ofstream out_;
};

}  // namespace reveille::io
