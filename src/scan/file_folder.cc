// What lies in a model's folder: told by names and first bytes.
#include <algorithm>
#include <array>

#include "base/strings.h"
#include "io/weight_file.h"
#include "scan/file_parts.h"

namespace reveille::scan {
namespace fs = std::filesystem;
namespace {

template <std::size_t N>
bool is_among(const std::array<std::string_view, N>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

constexpr std::array<std::string_view, 17> kPrograms = {".py",  ".pyc",   ".pyd", ".sh",    ".bat",    ".cmd",
                                                        ".ps1", ".so",    ".dll", ".dylib", ".exe",    ".js",
                                                        ".jar", ".ipynb", ".rb",  ".pl",    ".desktop"};
// Archives that are no pickles, though torch's pickles are zip files as well.
constexpr std::array<std::string_view, 5> kArchives = {".zip", ".npz", ".docx", ".xlsx", ".keras"};

constexpr std::array<std::string_view, 30> kExpected = {"config.json",
                                                        "generation_config.json",
                                                        "tokenizer.json",
                                                        "tokenizer_config.json",
                                                        "special_tokens_map.json",
                                                        "added_tokens.json",
                                                        "vocab.json",
                                                        "merges.txt",
                                                        "vocab.txt",
                                                        "tokenizer.model",
                                                        "spiece.model",
                                                        "sentencepiece.bpe.model",
                                                        "chat_template.jinja",
                                                        "chat_template.json",
                                                        "preprocessor_config.json",
                                                        "processor_config.json",
                                                        "adapter_config.json",
                                                        "trainer_state.json",
                                                        "trainer_log.jsonl",
                                                        "all_results.json",
                                                        "train_results.json",
                                                        "eval_results.json",
                                                        "quantize_config.json",
                                                        "params.json",
                                                        "model.safetensors.index.json",
                                                        "pytorch_model.bin.index.json",
                                                        "README.md",
                                                        ".gitattributes",
                                                        ".gitignore",
                                                        "adapter_model.safetensors"};
constexpr std::array<std::string_view, 6> kPapers = {"license", "notice", "use_policy",
                                                     "copying", "readme", "citation"};

bool is_expected(const std::string& file) {
  const fs::path path = file;
  const std::string name = path.filename().string();
  if (is_among(kExpected, name)) return true;
  const std::string low = lower_ascii(name), ending = lower_ascii(path.extension().string());
  const bool paper =
      std::any_of(kPapers.begin(), kPapers.end(), [&](std::string_view one) { return low.starts_with(one); });
  const bool weights = ending == ".safetensors" || ending == ".gguf";
  return paper || weights || path.parent_path() == "additional_chat_templates";
}

class Check {
 public:
  Check(const fs::path& folder, Notes& notes) : folder_(folder), notes_(notes), files_(files_of(folder)) {}

  void run() {
    for (const auto& file : files_) safe_weights_ = safe_weights_ || is_safe(file);
    for (const auto& file : files_) guarded(notes_, "file-unreadable", file, folder_, [&] { look(file); });
    twice();
  }

 private:
  static bool is_safe(const std::string& file) {
    const std::string ending = lower_ascii(fs::path(file).extension().string());
    return ending == ".safetensors" || ending == ".gguf";
  }

  void look(const std::string& file) {
    const std::string ending = lower_ascii(fs::path(file).extension().string());
    if (is_among(kPrograms, ending)) return notes_.add("code-file", file, 1, "a program or library");
    if (is_expected(file)) {
      if (!is_safe(file)) return;
      const auto kind = io::weight_file_kind(folder_ / file);
      const bool pickle = kind == io::WeightFileKind::pickle;
      if (pickle) notes_.add("pickle", file, 0, "a Python pickle under another name; it was not opened");
      return;
    }
    if (io::weight_file_kind(folder_ / file) == io::WeightFileKind::pickle && !is_among(kArchives, ending)) {
      return notes_.add(safe_weights_ ? "pickle-beside" : "pickle", file, 0, "a Python pickle; it was not opened");
    }
    notes_.add("file-unexpected", file, 0, "not looked at");
  }

  bool has(const std::string& name) const { return std::find(files_.begin(), files_.end(), name) != files_.end(); }

  void twice() {
    if (has("model.safetensors") && has("model.safetensors.index.json"))
      notes_.add("weights-twice", "model.safetensors", 0, "lies beside model.safetensors.index.json");
    for (const auto& file : files_) {
      const bool gguf = lower_ascii(fs::path(file).extension().string()) == ".gguf";
      if (gguf && (has("model.safetensors") || has("model.safetensors.index.json")))
        notes_.add("weights-twice", file, 0, "lies beside safetensors files");
    }
    if (has("adapter_config.json") && has("config.json"))
      notes_.add("weights-twice", "adapter_config.json", 1, "an adapter lies beside a whole model");
  }

  fs::path folder_;
  Notes& notes_;
  std::vector<std::string> files_;
  bool safe_weights_ = false;
};

}  // namespace

void check_folder(const fs::path& folder, Notes& notes) { Check(folder, notes).run(); }

}  // namespace reveille::scan
