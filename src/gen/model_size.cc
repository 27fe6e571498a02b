#include "gen/model_size.h"

#include "base/error.h"
#include "gen/built_in.h"
#include "io/gguf.h"
#include "io/hf_folder.h"
#include "io/peft.h"

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

std::int64_t parameter_count(const std::string& what, const std::string& base) {
  const fs::path path = model_path(what);
  if (!fs::exists(path)) fail(ErrorKind::not_found, cat("there is no model at '", what, "'"));
  if (!fs::is_directory(path)) return numbers_in(*io::GgufFile::open(path));
  if (!io::is_peft_folder(path)) return numbers_in(*io::open_hf_folder(path).tensors);
  const std::string under = base.empty() ? io::open_peft_adapter(path).config.base_model : base;
  if (under == what) fail(ErrorKind::bad_input, cat(what, ": the adapter names itself as its base model"));
  return parameter_count(under);
}

}  // namespace reveille::gen
