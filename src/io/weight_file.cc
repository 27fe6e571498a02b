#include "io/weight_file.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::io {
namespace fs = std::filesystem;
namespace {

std::string first_bytes(const fs::path& path, std::size_t count) {
  if (!fs::is_regular_file(path)) fail(ErrorKind::not_found, cat("there is no file ", path.string()));
  std::ifstream in(path, std::ios::binary);
  std::string bytes(count, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

bool has_pickle_name(const fs::path& path) {
  constexpr std::array<std::string_view, 7> kEndings = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib"};
  std::string ending = lower_ascii(path.extension().string());
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

// A zip archive (torch.save since 1.6), or a bare pickle of protocol 2 to 5 (before that, and
// everybody else's).
bool has_pickle_content(std::string_view bytes) {
  if (bytes.starts_with("PK\x03\x04")) return true;
  return bytes.size() >= 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5 &&
         // A safetensors header of that length has its brace at byte 8.
         !(bytes.size() > 8 && bytes[8] == '{');
}

[[noreturn]] void fail_pickle(const fs::path& path) {
  fail(ErrorKind::unsupported,
       cat(path.string(),
           " is a Python pickle; opening one can run any code that its author put in, so Reveille does not"),
       "use the safetensors or GGUF file of the same model, or convert it on a machine that may be "
       "lost: AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(NEW_FOLDER, safe_serialization=True)");
}

}  // namespace

WeightFileKind weight_file_kind(const fs::path& path) {
  std::string bytes = first_bytes(path, 16);
  if (bytes.starts_with("GGUF")) return WeightFileKind::gguf;
  if (has_pickle_content(bytes)) return WeightFileKind::pickle;
  if (bytes.size() > 8 && bytes[8] == '{') return WeightFileKind::safetensors;
  std::string ending = lower_ascii(path.extension().string());
  if (ending == ".gguf") return WeightFileKind::gguf;
  if (ending == ".safetensors") return WeightFileKind::safetensors;
  return has_pickle_name(path) ? WeightFileKind::pickle : WeightFileKind::other;
}

void refuse_pickle(const fs::path& path) {
  if (weight_file_kind(path) == WeightFileKind::pickle) fail_pickle(path);
}

void refuse_pickle_folder(const fs::path& folder) {
  std::vector<fs::path> pickles;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (!entry.is_regular_file()) continue;
    std::string ending = lower_ascii(entry.path().extension().string());
    if (ending == ".safetensors" || ending == ".gguf") return;
    // A trainer's own settings are no weights.
    if (has_pickle_name(entry.path()) && entry.path().filename() != "training_args.bin")
      pickles.push_back(entry.path());
  }
  if (!pickles.empty()) fail_pickle(*std::min_element(pickles.begin(), pickles.end()));
}

}  // namespace reveille::io
