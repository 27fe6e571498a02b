#include "text/tokenizer_json.h"

#include "base/error.h"

namespace reveille::text {
namespace {

constexpr std::size_t kMaxDepth = 64;
// Objects keep their keys in order and look them up one by one, so a hostile file could make that slow.
constexpr std::size_t kMaxKeys = 4096;

// Reads events instead of a tree: a vocabulary of 260,000 keys is too slow to build as Json.
class Reader : public nlohmann::json_sax<Json> {
 public:
  Reader(TokenizerSpec& spec, std::string where) : spec_(spec), where_(std::move(where)) {}

  bool null() override { return value(nullptr); }
  bool boolean(bool v) override { return value(v); }
  bool number_integer(number_integer_t v) override { return number(v); }
  bool number_unsigned(number_unsigned_t v) override {
    return v <= std::uint64_t{1} << 40 ? number(static_cast<std::int64_t>(v)) : value(v);
  }
  bool number_float(number_float_t v, const string_t&) override { return value(v); }
  bool binary(binary_t&) override { return false; }
  bool string(string_t& v) override {
    if (mode_ == Mode::merges) return merge_string(v);
    if (mode_ == Mode::merge_pair) return pair_.push_back(std::move(v)), true;
    return value(std::move(v));
  }

  bool start_object(std::size_t) override {
    if (mode_ == Mode::tree && at_model("vocab")) return mode_ = Mode::vocab, true;
    return open(Json::object());
  }
  bool key(string_t& name) override {
    if (mode_ == Mode::vocab) {
      token_ = std::move(name);
      return true;
    }
    if (stack_.back()->size() >= kMaxKeys) bad("an object has more than 4,096 keys");
    keys_.back() = std::move(name);
    return true;
  }
  bool end_object() override {
    if (mode_ == Mode::vocab) return mode_ = Mode::tree, true;
    return close();
  }
  bool start_array(std::size_t) override {
    if (mode_ == Mode::merges) {
      pair_.clear();
      return mode_ = Mode::merge_pair, true;
    }
    if (mode_ == Mode::tree && at_model("merges")) {
      saw_merges = true;
      return mode_ = Mode::merges, true;
    }
    if (mode_ == Mode::tree && at_model("vocab")) {
      fail(ErrorKind::unsupported,
           cat(where_, ": model.vocab is a list, as Unigram models have it; only BPE is supported"));
    }
    return open(Json::array());
  }
  bool end_array() override {
    if (mode_ == Mode::merges) return mode_ = Mode::tree, true;
    if (mode_ == Mode::merge_pair) {
      if (pair_.size() != 2) bad(cat("merge ", spec_.merges.size() + 1, " has ", pair_.size(), " parts instead of 2"));
      spec_.merges.emplace_back(std::move(pair_[0]), std::move(pair_[1]));
      return mode_ = Mode::merges, true;
    }
    return close();
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    fail(ErrorKind::bad_input, cat(where_, ": not JSON at byte ", position, ": ", error.what()));
  }

  Json root;
  bool saw_merges = false;

 private:
  enum class Mode { tree, vocab, merges, merge_pair };

  [[noreturn]] void bad(const std::string& what) { fail(ErrorKind::bad_input, cat(where_, ": ", what)); }

  bool at_model(const char* key) const {
    return stack_.size() == 2 && stack_[0]->is_object() && stack_[1]->is_object() && keys_[0] == "model" &&
           keys_[1] == key;
  }

  Json* insert(Json item) {
    if (mode_ != Mode::tree)
      bad(mode_ == Mode::vocab ? cat("model.vocab['", token_, "'] is not an integer")
                               : "model.merges holds something that is not a merge");
    if (stack_.empty()) return &(root = std::move(item));
    Json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(item));
      return &parent.back();
    }
    return &(parent[keys_.back()] = std::move(item));
  }
  bool value(Json item) { return insert(std::move(item)), true; }
  bool number(std::int64_t v) {
    if (mode_ != Mode::vocab) return value(v);
    spec_.vocab.emplace_back(std::move(token_), v);
    return true;
  }
  bool merge_string(const std::string& text) {
    if (text.starts_with("#version")) return true;
    std::size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
      bad(cat("merge ", spec_.merges.size() + 1, " '", text, "' is not two parts with one space between"));
    }
    spec_.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
    return true;
  }
  bool open(Json container) {
    if (stack_.size() >= kMaxDepth) bad("nested more than 64 deep");
    // Pointers into a parent stay good: it does not grow while a child is open.
    stack_.push_back(insert(std::move(container)));
    keys_.emplace_back();
    return true;
  }
  bool close() {
    stack_.pop_back();
    keys_.pop_back();
    return true;
  }

  TokenizerSpec& spec_;
  std::string where_;
  Mode mode_ = Mode::tree;
  std::vector<Json*> stack_;
  std::vector<std::string> keys_;
  std::string token_;
  std::vector<std::string> pair_;
};

AddedToken read_added(const Json& value, const std::string& where) {
  if (!value.is_object()) fail(ErrorKind::bad_input, cat(where, ": added_tokens: expected objects"));
  AddedToken token;
  token.content = json_string(value, "content", cat(where, ", added_tokens"));
  const std::string here = cat(where, ", added token '", token.content, "'");
  const Json& id = json_at(value, "id", here);
  if (!id.is_number_integer()) fail(ErrorKind::bad_input, cat(here, ": 'id' is not an integer"));
  token.id = id.get<std::int64_t>();
  token.single_word = part_bool(value, "single_word", false, here);
  token.lstrip = part_bool(value, "lstrip", false, here);
  token.rstrip = part_bool(value, "rstrip", false, here);
  token.special = part_bool(value, "special", false, here);
  token.normalized = part_bool(value, "normalized", !token.special, here);
  return token;
}

void refuse_text(const Json& model, const char* key, const std::string& where) {
  auto found = model.find(key);
  if (found == model.end() || found->is_null() || (found->is_string() && found->get_ref<const std::string&>().empty()))
    return;
  fail(ErrorKind::unsupported, cat(where, ": model.", key, " is ", found->dump(), "; only null or \"\" is supported"));
}

void read_model(const Json& model, TokenizerSpec& spec, const std::string& where) {
  if (!model.is_object()) fail(ErrorKind::bad_input, cat(where, ": 'model' is not an object"));
  if (model.contains("type") && model["type"] != "BPE") {
    fail(ErrorKind::unsupported, cat(where, ": model.type is ", model["type"].dump(), "; only \"BPE\" is supported"));
  }
  refuse_text(model, "continuing_subword_prefix", where);
  refuse_text(model, "end_of_word_suffix", where);
  auto dropout = model.find("dropout");
  if (dropout != model.end() && !dropout->is_null() && *dropout != 0) {
    fail(ErrorKind::unsupported, cat(where, ": model.dropout is ", dropout->dump(), "; only null is supported"),
         "dropout makes ids random; set it to null");
  }
  auto unk = model.find("unk_token");
  if (unk != model.end() && !unk->is_null()) spec.unk_token = json_string(model, "unk_token", cat(where, ", model"));
  spec.fuse_unk = part_bool(model, "fuse_unk", false, where);
  spec.byte_fallback = part_bool(model, "byte_fallback", false, where);
  spec.ignore_merges = part_bool(model, "ignore_merges", false, where);
}

std::string quoted(const std::string& text) { return Json(text).dump(); }

std::string added_text(const AddedToken& token) {
  Json value = {{"id", token.id},          {"content", token.content}, {"single_word", token.single_word},
                {"lstrip", token.lstrip},  {"rstrip", token.rstrip},   {"normalized", token.normalized},
                {"special", token.special}};
  return value.dump();
}

}  // namespace

TokenizerSpec parse_tokenizer_json(std::string_view text, const std::string& where) {
  TokenizerSpec spec;
  Reader reader(spec, where);
  Json::sax_parse(text.begin(), text.end(), &reader);
  const Json& root = reader.root;
  if (!root.is_object()) fail(ErrorKind::bad_input, cat(where, ": expected a JSON object"));
  if (root.contains("version") && root["version"] != "1.0") {
    fail(ErrorKind::unsupported, cat(where, ": version is ", root["version"].dump(), "; only \"1.0\" is known"));
  }
  read_model(json_at(root, "model", where), spec, where);
  if (spec.vocab.empty()) fail(ErrorKind::bad_input, cat(where, ": model.vocab is missing or empty"));
  if (!reader.saw_merges || root["model"].contains("merges")) {
    fail(ErrorKind::bad_input, cat(where, ": model.merges is missing or not a list"));
  }
  for (const char* key : {"normalizer", "pre_tokenizer", "post_processor", "decoder"}) {
    Json& part = key[0] == 'n'   ? spec.normalizer
                 : key[0] == 'd' ? spec.decoder
                 : key[1] == 'r' ? spec.pre_tokenizer
                                 : spec.post_processor;
    if (root.contains(key)) part = root[key];
  }
  if (root.contains("added_tokens") && !root["added_tokens"].is_null()) {
    for (const Json& value : part_array(root, "added_tokens", where)) spec.added.push_back(read_added(value, where));
  }
  return spec;
}

std::string write_tokenizer_json(const TokenizerSpec& spec) {
  std::string out = "{\n\"version\": \"1.0\",\n\"truncation\": null,\n\"padding\": null,\n\"added_tokens\": [";
  for (const AddedToken& token : spec.added) out += (out.ends_with('[') ? "\n" : ",\n") + added_text(token);
  out += "],\n\"normalizer\": " + spec.normalizer.dump();
  out += ",\n\"pre_tokenizer\": " + spec.pre_tokenizer.dump();
  out += ",\n\"post_processor\": " + spec.post_processor.dump();
  out += ",\n\"decoder\": " + spec.decoder.dump();
  Json unk = spec.unk_token ? Json(*spec.unk_token) : Json();
  auto flag = [](bool value) { return value ? "true" : "false"; };
  out += cat(",\n\"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": ", unk.dump(),
             ", \"continuing_subword_prefix\": null, \"end_of_word_suffix\": null, \"fuse_unk\": ", flag(spec.fuse_unk),
             ", \"byte_fallback\": ", flag(spec.byte_fallback), ", \"ignore_merges\": ", flag(spec.ignore_merges),
             ",\n\"vocab\": {");
  for (const auto& [token, id] : spec.vocab) {
    out += (out.ends_with('{') ? "\n" : ",\n") + quoted(token) + ": " + std::to_string(id);
  }
  out += "},\n\"merges\": [";
  bool first = true;
  for (const auto& [left, right] : spec.merges) {
    out += (first ? "\n[" : ",\n[") + quoted(left) + ", " + quoted(right) + "]";
    first = false;
  }
  return out + "]}\n}\n";
}

std::string part_type(const Json& part, const std::string& where) {
  if (!part.is_object()) fail(ErrorKind::bad_input, cat(where, ": expected an object with a 'type'"));
  return json_string(part, "type", where);
}

bool part_bool(const Json& part, const char* key, const std::string& where) {
  const Json& value = json_at(part, key, where);
  if (!value.is_boolean()) fail(ErrorKind::bad_input, cat(where, ": '", key, "' is not true or false"));
  return value.get<bool>();
}

bool part_bool(const Json& part, const char* key, bool otherwise, const std::string& where) {
  auto found = part.find(key);
  return found == part.end() || found->is_null() ? otherwise : part_bool(part, key, where);
}

const Json& part_array(const Json& part, const char* key, const std::string& where) {
  const Json& value = json_at(part, key, where);
  if (!value.is_array()) fail(ErrorKind::bad_input, cat(where, ": '", key, "' is not a list"));
  return value;
}

void check_part_depth(int depth, const std::string& where) {
  if (depth > 16) fail(ErrorKind::bad_input, cat(where, ": sequences nested more than 16 deep"));
}

void unsupported_part(const std::string& part, const std::string& type, const std::string& where) {
  fail(ErrorKind::unsupported, cat(where, ": ", part, " of type '", type, "' is not supported"),
       "please report the model; tokenizers of the Llama, Qwen, Gemma, GPT-2 and SmolLM families are supported");
}

}  // namespace reveille::text
