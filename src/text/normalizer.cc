#include "text/normalizer.h"

#include "base/error.h"
#include "text/pretokenizer_pattern.h"
#include "text/tokenizer_json.h"
#include "text/unicode.h"
#include "text/unicode_forms.h"

namespace reveille::text {

Span Traced::origin_of(std::size_t at) const {
  if (!trace) return {};
  if (!origin.empty()) return origin[at];
  auto begin = static_cast<std::uint32_t>(shift + at);
  return {begin, begin + 1};
}

Span Traced::origin_of(std::size_t begin, std::size_t end) const {
  if (begin < end) return {origin_of(begin).begin, origin_of(end - 1).end};
  if (text.empty()) return {shift, shift};
  std::uint32_t point = begin < text.size() ? origin_of(begin).begin : origin_of(text.size() - 1).end;
  return {point, point};
}

void Rewrite::keep(std::size_t begin, std::size_t end) {
  text_.append(from_.text, begin, end - begin);
  if (!from_.trace) return;
  for (std::size_t i = begin; i < end; ++i) origin_.push_back(from_.origin_of(i));
}

void Rewrite::put(std::string_view bytes, Span origin) {
  text_.append(bytes);
  if (from_.trace) origin_.insert(origin_.end(), bytes.size(), origin);
}

void Rewrite::finish(Traced& into) {
  into.text = std::move(text_);
  into.origin = std::move(origin_);
}

void prepend_text(Traced& text, std::string_view prefix) {
  Rewrite rewrite(text);
  rewrite.put(prefix, text.origin_of(0, 0));
  rewrite.keep(0, text.text.size());
  rewrite.finish(text);
}

namespace {

class FormNormalizer : public Normalizer {
 public:
  explicit FormNormalizer(NormalForm form) : form_(form) {}
  void apply(Traced& text) const override { apply_normal_form(text, form_); }

 private:
  NormalForm form_;
};

class Lowercase : public Normalizer {
 public:
  void apply(Traced& text) const override {
    Rewrite rewrite(text);
    for (std::size_t at = 0; at < text.text.size();) {
      Decoded d = decode_utf8(text.text, at);
      std::string lower;
      append_lowercase(lower, d.value);
      rewrite.put(lower, text.origin_of(at, at + d.length));
      at += d.length;
    }
    rewrite.finish(text);
  }
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  void apply(Traced& text) const override {
    if (!text.text.empty()) prepend_text(text, prefix_);
  }

 private:
  std::string prefix_;
};

class Replace : public Normalizer {
 public:
  Replace(Pattern pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}
  void apply(Traced& text) const override {
    std::vector<Span> matches;
    pattern_.find(text.text, matches);
    if (matches.empty()) return;
    Rewrite rewrite(text);
    std::size_t at = 0;
    for (Span match : matches) {
      rewrite.keep(at, match.begin);
      rewrite.put(content_, text.origin_of(match.begin, match.end));
      at = match.end;
      if (rewrite.size() > kLongestText) fail(ErrorKind::bad_input, "a text grew beyond 1 GiB when it was normalised");
    }
    rewrite.keep(at, text.text.size());
    rewrite.finish(text);
  }

 private:
  Pattern pattern_;
  std::string content_;
};

class Strip : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  void apply(Traced& text) const override {
    std::size_t begin = 0, end = text.text.size();
    while (left_ && begin < end) {
      Decoded d = decode_utf8(text.text, begin);
      if (!is_space(d.value)) break;
      begin += d.length;
    }
    while (right_ && end > begin) {
      std::size_t before = previous_boundary(text.text, end);
      if (!is_space(decode_utf8(text.text, before).value)) break;
      end = before;
    }
    if (begin == 0 && end == text.text.size()) return;
    Rewrite rewrite(text);
    rewrite.keep(begin, end);
    rewrite.finish(text);
  }

 private:
  bool left_, right_;
};

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> parts) : parts_(std::move(parts)) {}
  void apply(Traced& text) const override {
    for (const auto& part : parts_) part->apply(text);
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> parts_;
};

std::unique_ptr<Normalizer> build(const Json& value, const std::string& where, int depth) {
  check_part_depth(depth, where);
  std::string type = part_type(value, where);
  if (type == "NFC") return std::make_unique<FormNormalizer>(NormalForm::nfc);
  if (type == "NFD") return std::make_unique<FormNormalizer>(NormalForm::nfd);
  if (type == "NFKC") return std::make_unique<FormNormalizer>(NormalForm::nfkc);
  if (type == "NFKD") return std::make_unique<FormNormalizer>(NormalForm::nfkd);
  if (type == "Lowercase") return std::make_unique<Lowercase>();
  if (type == "Prepend") return std::make_unique<Prepend>(json_string(value, "prepend", where));
  if (type == "Strip") {
    return std::make_unique<Strip>(part_bool(value, "strip_left", where), part_bool(value, "strip_right", where));
  }
  if (type == "Replace") {
    return std::make_unique<Replace>(Pattern::from_json(json_at(value, "pattern", where), where),
                                     json_string(value, "content", where));
  }
  if (type == "Sequence") {
    std::vector<std::unique_ptr<Normalizer>> parts;
    for (const Json& part : part_array(value, "normalizers", where)) {
      if (auto built = build(part, where, depth + 1)) parts.push_back(std::move(built));
    }
    if (parts.empty()) return nullptr;
    return std::make_unique<NormalizerSequence>(std::move(parts));
  }
  unsupported_part("normalizer", type, where);
}

}  // namespace

std::unique_ptr<Normalizer> make_normalizer(const Json& value, const std::string& where) {
  if (value.is_null()) return nullptr;
  return build(value, cat(where, ", normalizer"), 0);
}

}  // namespace reveille::text
