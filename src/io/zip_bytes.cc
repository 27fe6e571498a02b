#include "io/zip_bytes.h"

#include <zip.h>

#include <memory>

#include "base/error.h"

namespace reveille::io {
namespace {

constexpr zip_uint16_t kDosDate = 1 << 5 | 1;  // 1980-01-01, the earliest that the format knows

struct Archive {
  zip_t* zip = nullptr;
  ~Archive() {
    if (zip) zip_discard(zip);
  }
};

[[noreturn]] void fail_zip(const std::string& doing, const char* reason) {
  fail(ErrorKind::internal, cat("cannot make a zip archive: ", doing, ": ", reason));
}

void add(zip_t* zip, const std::string& name, const std::string& content) {
  // The buffer is read when the archive is closed; `content` outlives that.
  zip_source_t* source = zip_source_buffer(zip, content.data(), content.size(), 0);
  if (!source) fail_zip(name, zip_strerror(zip));
  zip_int64_t index = zip_file_add(zip, name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    fail_zip(name, zip_strerror(zip));
  }
  zip_file_set_dostime(zip, static_cast<zip_uint64_t>(index), 0, kDosDate, 0);
}

std::string read_source(zip_source_t* source) {
  zip_stat_t stat;
  if (zip_source_stat(source, &stat) != 0 || zip_source_open(source) != 0) {
    fail_zip("reading it back", zip_error_strerror(zip_source_error(source)));
  }
  std::string out(static_cast<std::size_t>(stat.size), '\0');
  zip_int64_t got = zip_source_read(source, out.data(), out.size());
  zip_source_close(source);
  if (got != static_cast<zip_int64_t>(out.size())) fail_zip("reading it back", "short read");
  return out;
}

}  // namespace

std::string zip_bytes(const std::vector<std::pair<std::string, std::string>>& entries) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (!target) fail_zip("memory", zip_error_strerror(&error));
  std::unique_ptr<zip_source_t, void (*)(zip_source_t*)> owner(target, zip_source_free);
  zip_source_keep(target);  // closing the archive gives one reference back; ours stays
  Archive archive{zip_open_from_source(target, ZIP_TRUNCATE, &error)};
  if (!archive.zip) {
    zip_source_free(target);
    fail_zip("opening", zip_error_strerror(&error));
  }
  for (const auto& [name, content] : entries) add(archive.zip, name, content);
  if (zip_close(archive.zip) != 0) fail_zip("closing", zip_strerror(archive.zip));
  archive.zip = nullptr;
  return read_source(target);
}

}  // namespace reveille::io
