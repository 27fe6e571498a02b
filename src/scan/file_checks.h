// What a stranger's model may carry beside its weights, looked at before anything is loaded: chat template, generation
// settings, tokenizer, code, pickles, odd tensors and metadata. Nothing of it is run, apart from chat templates, which
// our own interpreter renders within limits. Rules: file_notes.h.
//
// The label that this program writes into its own organisms (base/label_key.h) and model cards are passed over: the
// notes of a model are the same with and without them.
#pragma once

#include <filesystem>
#include <vector>

#include "scan/result.h"

namespace reveille::scan {

// `model`: a Hugging Face folder, an adapter's folder or a GGUF file. `reference`: the model that it was made from, of
// any of these forms, or empty: then template and tokenizer are judged alone. What cannot be read becomes a note. Reads
// every tensor once. Error(not_found) where there is nothing at `model`.
std::vector<FileNote> check_files(const std::filesystem::path& model, const std::filesystem::path& reference = {});

}  // namespace reveille::scan
