// The copy of a model that a scan sees: weights, tokenizer and template, in a folder whose name says nothing, without
// labels, cards or anything else that stood beside them. What cannot be seen cannot be leaked.
#pragma once

#include <filesystem>
#include <string>

namespace reveille::scan {

// A folder of its own that goes when the object does.
class StrippedCopy {
 public:
  // `model`: a folder (Hugging Face or PEFT) or a .gguf file. Large files are linked where the file system allows it,
  // and copied where they hold a label. Error(not_found), Error(io).
  explicit StrippedCopy(const std::filesystem::path& model);
  ~StrippedCopy();
  StrippedCopy(const StrippedCopy&) = delete;
  StrippedCopy& operator=(const StrippedCopy&) = delete;

  const std::filesystem::path& path() const { return path_; }  // what is scanned
  std::filesystem::path folder() const { return folder_; }

 private:
  std::filesystem::path folder_, path_;
};

}  // namespace reveille::scan
