// A chat template that came with a model, judged alone and beside its reference's: rendered by our own interpreter with
// limits, on conversations of ours. A template is a program that stands between the user and the model, so one that
// puts words into the conversation when a message holds some string is a backdoor without weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "scan/file_notes.h"

namespace reveille::scan {

struct TemplateText {
  std::string source;
  std::string name;       // "default", "tool_use"
  std::string file;       // relative to the model's folder
  std::int64_t line = 0;  // of the JSON key that holds it; 0: the file is the template, and lines are its own; -1: none
};

// Those of a folder or GGUF file. The one that transformers would use comes first.
std::vector<TemplateText> templates_of(const std::filesystem::path& model);

// `reference`: none, or those of the reference.
void check_templates(const std::vector<TemplateText>& own, const std::vector<TemplateText>& reference, Notes& notes);

}  // namespace reveille::scan
