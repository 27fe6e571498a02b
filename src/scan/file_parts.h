// The parts of the check of a model's files (file_checks.h), one file each. `reference` is another model's folder or
// GGUF file, or empty.
#pragma once

#include <filesystem>
#include <optional>

#include "scan/file_notes.h"
#include "scan/model_files.h"

namespace reveille::scan {

// file_folder.cc: programs, pickles, weights in two forms, what does not belong.
void check_folder(const std::filesystem::path& folder, Notes& notes);

// file_json.cc: keys that stand twice, code that a configuration names, in every JSON file.
void check_json_files(const std::filesystem::path& folder, Notes& notes);

// file_settings.cc: config.json and generation_config.json. `tokenizer` may be null.
void check_settings(const std::filesystem::path& folder, const std::filesystem::path& reference,
                    const TokenizerRecord* tokenizer, Notes& notes);

// file_tokenizer.cc. `reference` may be null.
void check_tokenizer(const TokenizerRecord& own, const TokenizerRecord* reference, const std::filesystem::path& model,
                     Notes& notes);

// file_weights.cc: names, shapes and values of tensors, and metadata, of a folder, an adapter's folder or a GGUF file.
void check_weights(const std::filesystem::path& model, Notes& notes);

}  // namespace reveille::scan
