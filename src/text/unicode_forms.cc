#include "text/unicode_forms.h"

#include <utf8proc.h>

#include <algorithm>

#include "base/error.h"
#include "text/unicode.h"

namespace reveille::text {
namespace {

using Points = std::vector<utf8proc_int32_t>;

bool joins(char32_t c) { return char_properties(c) & kJoins; }

int combining_class(utf8proc_int32_t c) {
  return joins(static_cast<char32_t>(c)) ? utf8proc_get_property(c)->combining_class : 0;
}

void decompose(char32_t c, bool compatibility, Points& out) {
  auto point = static_cast<utf8proc_int32_t>(c);
  if (!(char_properties(c) & kDecomposes)) return out.push_back(point);
  utf8proc_int32_t parts[32];
  int boundary = 0;
  auto options =
      static_cast<utf8proc_option_t>(compatibility ? UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT : UTF8PROC_DECOMPOSE);
  utf8proc_ssize_t count = utf8proc_decompose_char(point, parts, 32, options, &boundary);
  if (count < 1 || count > 32) fail(ErrorKind::internal, cat("cannot decompose code point ", point));
  out.insert(out.end(), parts, parts + count);
}

// Canonical ordering. Not utf8proc's: that one takes quadratic time on a long run of marks.
void order_marks(Points& points) {
  for (std::size_t i = 0; i < points.size();) {
    std::size_t end = i;
    while (end < points.size() && combining_class(points[end]) != 0) ++end;
    std::stable_sort(points.begin() + static_cast<std::ptrdiff_t>(i), points.begin() + static_cast<std::ptrdiff_t>(end),
                     [](auto a, auto b) { return combining_class(a) < combining_class(b); });
    i = std::max(end, i + 1);
  }
}

void compose(Points& points) {
  Points composed = points;
  utf8proc_ssize_t count = utf8proc_normalize_utf32(composed.data(), static_cast<utf8proc_ssize_t>(composed.size()),
                                                    static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
  if (count < 0) fail(ErrorKind::internal, cat("utf8proc: ", utf8proc_errmsg(count)));
  composed.resize(static_cast<std::size_t>(count));
  // A composition that is newer than Unicode 9.0 does not count.
  for (utf8proc_int32_t c : composed) {
    bool old = char_properties(static_cast<char32_t>(c)) & kDecomposes;
    if (!old && std::find(points.begin(), points.end(), c) == points.end()) return;
  }
  points = std::move(composed);
}

// The end of the cluster that begins at `at`: a character and all that joins it. `plain` says that
// it is a single character which no form changes.
std::size_t cluster_end(std::string_view text, std::size_t at, bool& plain) {
  Decoded first = decode_utf8(text, at);
  plain = !(char_properties(first.value) & kDecomposes);
  std::size_t end = at + first.length;
  while (end < text.size() && static_cast<unsigned char>(text[end]) >= 0xCC) {  // nothing below U+0300 joins
    Decoded next = decode_utf8(text, end);
    if (!joins(next.value)) break;
    plain = false;
    end += next.length;
  }
  return end;
}

std::string normal_cluster(std::string_view cluster, NormalForm form) {
  Points points;
  bool compatibility = form == NormalForm::nfkc || form == NormalForm::nfkd;
  for (std::size_t at = 0; at < cluster.size();) {
    Decoded d = decode_utf8(cluster, at);
    decompose(d.value, compatibility, points);
    at += d.length;
  }
  order_marks(points);
  if (form == NormalForm::nfc || form == NormalForm::nfkc) compose(points);
  std::string out;
  for (utf8proc_int32_t c : points) append_utf8(out, static_cast<char32_t>(c));
  return out;
}

// Below this byte nothing changes: U+00A0 is the first character with a decomposition, U+00C0 the
// first with a canonical one, and NFC leaves all below U+0300 alone.
std::size_t skip_plain(std::string_view text, std::size_t at, unsigned char limit) {
  while (at < text.size() && static_cast<unsigned char>(text[at]) < limit) ++at;
  return at;
}

}  // namespace

void apply_normal_form(Traced& text, NormalForm form) {
  const unsigned char limit = form == NormalForm::nfc ? 0xCC : 0x80;
  const std::string_view bytes = text.text;
  std::size_t at = skip_plain(bytes, 0, limit);
  if (at == bytes.size()) return;
  Rewrite rewrite(text);
  std::size_t kept = 0;
  bool changed = false;
  // The character before the first high one may be joined by it.
  at = at == 0 ? 0 : previous_boundary(bytes, at);
  while (at < bytes.size()) {
    bool plain = false;
    std::size_t end = cluster_end(bytes, at, plain);
    if (!plain) {
      std::string_view cluster = bytes.substr(at, end - at);
      std::string normal = normal_cluster(cluster, form);
      if (normal != cluster) {
        rewrite.keep(kept, at);
        rewrite.put(normal, text.origin_of(at, end));
        kept = end;
        changed = true;
      }
    }
    at = end;
  }
  if (!changed) return;
  rewrite.keep(kept, bytes.size());
  rewrite.finish(text);
}

void append_lowercase(std::string& out, char32_t c) {
  if (c == 0x130) return append_utf8(out, 'i'), append_utf8(out, 0x307);
  // Pairs that are newer than utf8proc's tables.
  if (c == 0xA7CB)
    c = 0x264;
  else if (c == 0xA7DC)
    c = 0x19B;
  else if (c == 0x1C89 || c == 0xA7CC || c == 0xA7CE || c == 0xA7D2 || c == 0xA7D4 || c == 0xA7DA)
    ++c;
  else if (c >= 0x10D50 && c <= 0x10D65)
    c += 0x20;
  else if (c >= 0x16EA0 && c <= 0x16EB8)
    c += 0x1B;
  else
    c = static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
  append_utf8(out, c);
}

}  // namespace reveille::text
