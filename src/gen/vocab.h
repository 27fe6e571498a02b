// GGUF's tokenizer metadata as the record that the text room reads and writes.
#pragma once

#include "io/gguf_metadata.h"
#include "io/gguf_write.h"
#include "text/gguf_vocab.h"

namespace reveille::gen {

text::GgufVocab vocab_from_gguf(const io::GgufMetadata& metadata);
// The token list filled up to the embedding's rows, from whose number llama.cpp's loader expects it: [PADn], unused.
text::GgufVocab padded(text::GgufVocab vocab, std::int64_t rows);
void vocab_to_gguf(const text::GgufVocab& vocab, io::GgufWriter& writer);

}  // namespace reveille::gen
