#include "gen/model_size.h"

#include "base/error.h"
#include "gen/built_in.h"
#include "io/gguf.h"
#include "io/hf_folder.h"

namespace reveille::gen {
namespace fs = std::filesystem;
namespace {

std::int64_t numbers_in(const io::TensorSource& source) {
  std::int64_t total = 0;
  for (const auto& name : source.names()) {
    std::int64_t count = 1;
    for (std::int64_t size : source.info(name).shape) count *= size;
    total += count;
  }
  return total;
}

}  // namespace

std::int64_t parameter_count(const std::string& what) {
  const fs::path path = model_path(what);
  if (!fs::exists(path)) fail(ErrorKind::not_found, cat("there is no model at '", what, "'"));
  if (!fs::is_directory(path)) return numbers_in(*io::GgufFile::open(path));
  return numbers_in(*io::open_hf_folder(path).tensors);
}

}  // namespace reveille::gen
