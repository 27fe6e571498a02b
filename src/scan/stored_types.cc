#include "scan/stored_types.h"

#include <filesystem>

#include "base/error.h"
#include "gen/built_in.h"
#include "io/gguf.h"
#include "io/hf_folder.h"

namespace reveille::scan {
namespace {

// GPT-2 folders name their tensors with or without it.
constexpr std::string_view kOuter = "transformer.";

std::map<std::string, std::string> types_in(const io::TensorSource& file, const gen::LocalModel& model, bool gguf) {
  std::map<std::string, std::string> types;
  for (const auto& param : model.transformer().params().all()) {
    for (const auto& piece : param.spec.pieces) {
      std::string name = gguf ? piece.gguf_name : piece.hf_name;
      if (!file.contains(name) && name.starts_with(kOuter)) name = name.substr(kOuter.size());
      if (file.contains(name)) types[piece.hf_name] = file.info(name).dtype;
    }
  }
  return types;
}

}  // namespace

std::map<std::string, std::string> stored_types(const gen::LocalModel& model) {
  namespace fs = std::filesystem;
  const bool adapted = model.format() == "peft" && model.adapter();
  try {
    const fs::path path = gen::model_path(adapted ? model.adapter()->base_model : model.source());
    if (fs::is_regular_file(path)) return types_in(*io::GgufFile::open(path), model, true);
    if (fs::is_directory(path) && io::is_hf_folder(path))
      return types_in(*io::open_hf_folder(path).tensors, model, false);
  } catch (const Error& error) {
    // The weights were read already: what their file looked like is worth no failure.
    if (error.kind() == ErrorKind::interrupted) throw;
  }
  return {};
}

}  // namespace reveille::scan
