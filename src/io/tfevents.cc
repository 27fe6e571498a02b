#include "io/tfevents.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "io/event_log.h"

namespace reveille::io {
namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78U : 0);
    table[i] = crc;
  }
  return table;
}
constexpr auto kCrcTable = make_crc_table();

// A checksum over data that holds checksums is weak, so the format turns and shifts it.
std::uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U; }

template <class T>
void put_fixed(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  out += static_cast<char>(value);
}

// A protocol buffer field: number and wire type, then the value.
enum Wire { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
void put_key(std::string& out, int field, Wire wire) { put_varint(out, static_cast<std::uint64_t>(field << 3 | wire)); }
void put_double(std::string& out, int field, double value) {
  put_key(out, field, kFixed64);
  put_fixed(out, std::bit_cast<std::uint64_t>(value));
}
void put_float(std::string& out, int field, float value) {
  put_key(out, field, kFixed32);
  put_fixed(out, std::bit_cast<std::uint32_t>(value));
}
void put_number(std::string& out, int field, std::int64_t value) {
  put_key(out, field, kVarint);
  put_varint(out, static_cast<std::uint64_t>(value));
}
void put_bytes(std::string& out, int field, std::string_view value) {
  put_key(out, field, kBytes);
  put_varint(out, value.size());
  out += value;
}

std::string event_start(double wall_time, std::int64_t step) {
  std::string event;
  put_double(event, 1, wall_time);
  if (step != 0) put_number(event, 2, step);
  return event;
}

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || !*name) return "localhost";
  return name;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (char c : bytes) crc = (crc >> 8) ^ kCrcTable[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~crc;
}

TfEventsWriter::TfEventsWriter(const std::filesystem::path& folder, std::int64_t purge_step) {
  static std::atomic<int> counter{0};
  double now = seconds_now();
  make_folders(folder);
  path_ = folder /
          cat("events.out.tfevents.", static_cast<long long>(now), ".", host_name(), ".", ::getpid(), ".", counter++);
  errno = 0;
  out_.open(path_, std::ios::binary | std::ios::trunc);
  if (!out_) fail(ErrorKind::io, cat("cannot write ", path_.string(), ": ", std::strerror(errno ? errno : EIO)));
  std::string version = event_start(now, 0);
  put_bytes(version, 3, "brain.Event:2");
  record(version);
  if (purge_step >= 0) {
    std::string purge = event_start(now, purge_step), session;
    put_number(session, 1, 1);  // SessionLog.status = START
    put_bytes(purge, 7, session);
    record(purge);
  }
  flush();
}

void TfEventsWriter::scalars(const std::vector<Scalar>& values, std::int64_t step, double wall_time) {
  std::string summary;
  for (const Scalar& scalar : values) {
    std::string value;
    put_bytes(value, 1, scalar.tag);
    put_float(value, 2, static_cast<float>(scalar.value));
    put_bytes(summary, 1, value);
  }
  std::string event = event_start(wall_time < 0 ? seconds_now() : wall_time, step);
  put_bytes(event, 5, summary);
  record(event);
}

void TfEventsWriter::record(std::string_view event) {
  std::string length, out;
  put_fixed(length, static_cast<std::uint64_t>(event.size()));
  out = length;
  put_fixed(out, masked_crc(length));
  out += event;
  put_fixed(out, masked_crc(event));
  out_.write(out.data(), static_cast<std::streamsize>(out.size()));
}

void TfEventsWriter::flush() {
  errno = 0;
  out_.flush();
  if (!out_) fail(ErrorKind::io, cat("cannot write ", path_.string(), ": ", std::strerror(errno ? errno : ENOSPC)));
}

}  // namespace reveille::io
