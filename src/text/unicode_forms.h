// Unicode's normal forms, NFC, NFD, NFKC and NFKD, as the reference tokenizers compute them: by the
// tables of Unicode 9.0, so that characters that are newer neither combine nor decompose.
//
// Method: UAX #15; decompositions and compositions come from utf8proc.
#pragma once

#include "text/normalizer.h"

namespace reveille::text {

enum class NormalForm { nfc, nfd, nfkc, nfkd };

// Bytes of a cluster that changes all stand for the whole cluster.
void apply_normal_form(Traced& text, NormalForm form);

// Lower case, character by character (Rust's char::to_lowercase, Unicode 17.0).
void append_lowercase(std::string& out, char32_t c);

}  // namespace reveille::text
