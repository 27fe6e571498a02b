// What kind of file holds the weights, told by content and not by name alone.
#pragma once

#include <filesystem>

namespace reveille::io {

enum class WeightFileKind { gguf, safetensors, pickle, other };

// Looks at the first bytes (and, for what they do not tell, at the name). Error(not_found) when
// there is no such file.
WeightFileKind weight_file_kind(const std::filesystem::path& path);

// Error(unsupported) when the file is a Python pickle (pytorch_model.bin, .pt, .pth, .ckpt, a
// zip with a data.pkl): loading one can run code, so Reveille never does.
void refuse_pickle(const std::filesystem::path& path);

// The same for a folder that holds no other weights than pickles; nothing when it holds none.
void refuse_pickle_folder(const std::filesystem::path& folder);

}  // namespace reveille::io
