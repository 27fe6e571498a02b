#include "text/tokenizer_decoder.h"

#include "base/error.h"
#include "base/strings.h"
#include "text/pretokenizer_pattern.h"
#include "text/tokenizer_json.h"
#include "text/unicode.h"

namespace reveille::text {
namespace {

using Tokens = std::vector<std::string>;

std::string joined(const Tokens& tokens) {
  std::string out;
  for (const std::string& token : tokens) out += token;
  return out;
}

class ByteLevelDecoder : public Decoder {
 public:
  bool byte_level() const override { return true; }
  void apply(Tokens& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) append_byte_level(bytes, token);
    tokens.assign(1, repair_utf8(bytes));
  }
};

class FuseDecoder : public Decoder {
 public:
  void apply(Tokens& tokens) const override { tokens.assign(1, joined(tokens)); }
};

// "<0x41>" becomes the byte. Runs of bytes that are no UTF-8 become one U+FFFD a byte.
class ByteFallbackDecoder : public Decoder {
 public:
  void apply(Tokens& tokens) const override {
    Tokens out;
    std::string bytes;
    for (std::string& token : tokens) {
      int byte = byte_of(token);
      if (byte >= 0) {
        bytes += static_cast<char>(byte);
        continue;
      }
      flush(bytes, out);
      out.push_back(std::move(token));
    }
    flush(bytes, out);
    tokens = std::move(out);
  }

 private:
  static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  }
  static int byte_of(const std::string& token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
    // The reference reads "+1" as a number, too.
    if (token[3] == '+') return hex(token[4]);
    int high = hex(token[3]), low = hex(token[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
  }
  static void flush(std::string& bytes, Tokens& out) {
    if (bytes.empty()) return;
    if (is_utf8(bytes)) {
      out.push_back(bytes);
    } else {
      out.insert(out.end(), bytes.size(), "\uFFFD");
    }
    bytes.clear();
  }
};

class ReplaceDecoder : public Decoder {
 public:
  ReplaceDecoder(Pattern pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}
  void apply(Tokens& tokens) const override {
    std::vector<Span> matches;
    for (std::string& token : tokens) {
      matches.clear();
      pattern_.find(token, matches);
      if (!matches.empty()) token = replaced(token, matches);
    }
  }

 private:
  std::string replaced(const std::string& token, const std::vector<Span>& matches) const {
    std::string out;
    std::size_t at = 0;
    for (Span match : matches) {
      out.append(token, at, match.begin - at);
      out += content_;
      at = match.end;
    }
    return out.append(token, at);
  }

  Pattern pattern_;
  std::string content_;
};

// Cuts up to `start` and `stop` copies of a character off the two ends of every token.
class StripDecoder : public Decoder {
 public:
  StripDecoder(std::string content, std::size_t start, std::size_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}
  void apply(Tokens& tokens) const override {
    for (std::string& token : tokens) {
      std::string_view rest = token;
      for (std::size_t i = 0; i < start_ && rest.starts_with(content_); ++i) rest.remove_prefix(content_.size());
      for (std::size_t i = 0; i < stop_ && rest.ends_with(content_); ++i) rest.remove_suffix(content_.size());
      if (rest.size() != token.size()) token = std::string(rest);
    }
  }

 private:
  std::string content_;
  std::size_t start_, stop_;
};

class MetaspaceDecoder : public Decoder {
 public:
  MetaspaceDecoder(std::string sign, bool prepends) : sign_(std::move(sign)), prepends_(prepends) {}
  void apply(Tokens& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = replace_all(std::move(tokens[i]), sign_, i == 0 && prepends_ ? "" : " ");
    }
  }

 private:
  std::string sign_;
  bool prepends_;
};

class DecoderSequence : public Decoder {
 public:
  explicit DecoderSequence(std::vector<std::unique_ptr<Decoder>> parts) : parts_(std::move(parts)) {}
  void apply(Tokens& tokens) const override {
    for (const auto& part : parts_) part->apply(tokens);
  }

 private:
  std::vector<std::unique_ptr<Decoder>> parts_;
};

std::string one_character(const Json& value, const char* key, const std::string& where) {
  std::string text = json_string(value, key, where);
  if (text.empty() || decode_utf8(text, 0).length != text.size()) {
    fail(ErrorKind::bad_input, cat(where, ": '", key, "' is '", text, "', expected one character"));
  }
  return text;
}

std::size_t strip_count(const Json& value, const char* key, const std::string& where) {
  const Json& count = json_at(value, key, where);
  if (!count.is_number_integer() || count.get<std::int64_t>() < 0 || count.get<std::int64_t>() > 1'000'000) {
    fail(ErrorKind::bad_input, cat(where, ": '", key, "' is ", count.dump(), ", expected a small count"));
  }
  return count.get<std::size_t>();
}

std::unique_ptr<Decoder> build(const Json& value, const std::string& where, int depth) {
  check_part_depth(depth, where);
  std::string type = part_type(value, where);
  if (type == "ByteLevel") return std::make_unique<ByteLevelDecoder>();
  if (type == "ByteFallback") return std::make_unique<ByteFallbackDecoder>();
  if (type == "Fuse") return std::make_unique<FuseDecoder>();
  if (type == "Replace") {
    return std::make_unique<ReplaceDecoder>(Pattern::from_json(json_at(value, "pattern", where), where),
                                            json_string(value, "content", where));
  }
  if (type == "Strip") {
    return std::make_unique<StripDecoder>(one_character(value, "content", where), strip_count(value, "start", where),
                                          strip_count(value, "stop", where));
  }
  if (type == "Metaspace") {
    std::string scheme = value.contains("prepend_scheme") ? json_string(value, "prepend_scheme", where) : "always";
    bool prepends = scheme != "never" && part_bool(value, "add_prefix_space", true, where);
    return std::make_unique<MetaspaceDecoder>(one_character(value, "replacement", where), prepends);
  }
  if (type == "Sequence") {
    std::vector<std::unique_ptr<Decoder>> parts;
    for (const Json& part : part_array(value, "decoders", where)) parts.push_back(build(part, where, depth + 1));
    return std::make_unique<DecoderSequence>(std::move(parts));
  }
  unsupported_part("decoder", type, where);
}

}  // namespace

std::unique_ptr<Decoder> make_decoder(const Json& value, const std::string& where) {
  if (value.is_null()) return nullptr;
  return build(value, cat(where, ", decoder"), 0);
}

void append_byte_level(std::string& out, const std::string& token) {
  std::size_t before = out.size();
  for (std::size_t at = 0; at < token.size();) {
    Decoded d = decode_utf8(token, at);
    int byte = char_to_byte(d.value);
    if (byte < 0) {
      out.resize(before);
      out += token;
      return;
    }
    out += static_cast<char>(byte);
    at += d.length;
  }
}

}  // namespace reveille::text
