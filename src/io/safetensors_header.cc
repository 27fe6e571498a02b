#include "io/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/error.h"
#include "io/tensor_convert.h"

namespace reveille::io {
namespace {

constexpr std::size_t kMaxDimensions = 64;  // more than torch's own functions take

// Reads the header as a stream of events: no tree is built, so a header of many megabytes costs
// no more memory than its entries, and a key that stands twice is seen.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderReader(SafetensorsHeader& header, const std::string& file) : header_(header), file_(file) {}

  bool key(string_t& name) override {
    if (depth_ == 1) return start_entry(name);
    if (!keys_.insert(name).second) reject(cat("has key '", name, "' twice"));
    if (!in_metadata_ && name != "dtype" && name != "shape" && name != "data_offsets") {
      reject(cat("has an unknown key '", name, "'"));
    }
    key_ = name;
    return true;
  }

  bool start_object(std::size_t) override {
    if (depth_ > 1) reject(cat("has an object at key '", key_, "'"));
    if (++depth_ == 2 && !in_metadata_) header_.tensors.push_back({entry_});
    return true;
  }

  bool end_object() override {
    if (--depth_ == 1 && !in_metadata_ && keys_.size() != 3) {
      reject("should have the keys dtype, shape and data_offsets");
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_array_ || in_metadata_ || key_ == "dtype") reject("has an array in the wrong place");
    in_array_ = true;
    offsets_ = 0;
    return true;
  }

  bool end_array() override {
    in_array_ = false;
    if (key_ == "data_offsets" && offsets_ != 2) reject("should have two data_offsets");
    return true;
  }

  bool string(string_t& text) override {
    if (depth_ != 2 || in_array_ || (!in_metadata_ && key_ != "dtype")) reject(cat("has a string at key '", key_, "'"));
    if (in_metadata_) {
      header_.metadata[key_] = text;
    } else {
      header_.tensors.back().dtype = text;
    }
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (!in_array_) reject(cat("has a number at key '", key_, "'"));
    SafetensorsEntry& entry = header_.tensors.back();
    if (key_ == "shape") {
      if (value > std::numeric_limits<std::int64_t>::max()) reject(cat("has a dimension of ", value));
      if (entry.shape.size() >= kMaxDimensions) reject(cat("has more than ", kMaxDimensions, " dimensions"));
      entry.shape.push_back(static_cast<std::int64_t>(value));
    } else {
      (offsets_++ == 0 ? entry.begin : entry.end) = value;
    }
    return true;
  }

  bool number_integer(number_integer_t value) override {
    reject(cat("has the number ", value, " at key '", key_, "'"));
  }
  bool number_float(number_float_t, const string_t& text) override {
    reject(cat("has the number ", text, " at key '", key_, "'"));
  }
  bool boolean(bool) override { reject(cat("has a truth value at key '", key_, "'")); }
  bool null() override { reject(cat("has null at key '", key_, "'")); }
  bool binary(binary_t&) override { return false; }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
    fail(ErrorKind::bad_input, cat(file_, ": the header is not valid JSON (", error.what(), ")"),
         "the file is damaged: copy or download it again");
  }

 private:
  bool start_entry(const std::string& name) {
    entry_ = name;
    keys_.clear();
    key_.clear();
    in_metadata_ = name == "__metadata__";
    if (!names_.insert(name).second) reject("is there twice");
    return true;
  }

  [[noreturn]] void reject(const std::string& why) const {
    std::string what = entry_.empty() && depth_ < 2 ? "the header" : cat("tensor '", entry_, "'");
    fail(ErrorKind::bad_input, cat(file_, ": ", what, " ", why));
  }

  SafetensorsHeader& header_;
  const std::string& file_;
  int depth_ = 0, offsets_ = 0;
  bool in_array_ = false, in_metadata_ = false;
  std::string entry_, key_;
  std::unordered_set<std::string> names_, keys_;
};

TensorFormat format_named(const SafetensorsEntry& entry, const std::string& file) {
  for (int i = 0; i <= static_cast<int>(TensorFormat::boolean); ++i) {
    auto format = static_cast<TensorFormat>(i);
    if (entry.dtype == safetensors_name(format)) return format;
  }
  fail(ErrorKind::unsupported,
       cat(file, ": tensor '", entry.name, "' has dtype '", entry.dtype, "', which Reveille does not read"),
       "it reads F64, F32, F16, BF16, I64, I32, I16, I8, U8 and BOOL");
}

void check_entry(SafetensorsEntry& entry, std::uint64_t data_bytes, const std::string& file) {
  if (entry.begin > entry.end || entry.end > data_bytes) {
    fail(ErrorKind::bad_input,
         cat(file, ": tensor '", entry.name, "' lies at bytes ", entry.begin, " to ", entry.end,
             " of the data, which has ", data_bytes, " bytes"),
         "the file is cut short or damaged: copy or download it again");
  }
  entry.format = format_named(entry, file);
  auto bytes = stored_bytes(entry.shape, 1, format_traits(entry.format).block_bytes);
  if (!bytes) {
    fail(ErrorKind::bad_input,
         cat(file, ": tensor '", entry.name, "' has an impossible shape ", shape_text(entry.shape)));
  }
  if (*bytes != entry.end - entry.begin) {
    fail(ErrorKind::bad_input,
         cat(file, ": tensor '", entry.name, "' of shape ", shape_text(entry.shape), " and dtype ", entry.dtype,
             " should take ", *bytes, " bytes, but its data_offsets give it ", entry.end - entry.begin));
  }
}

// The tensors, in the order of their data, must cover it exactly.
void check_coverage(const SafetensorsHeader& header, std::uint64_t data_bytes, const std::string& file) {
  std::vector<const SafetensorsEntry*> order;
  for (const auto& entry : header.tensors) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return a->begin != b->begin ? a->begin < b->begin : a->end < b->end;
  });
  std::uint64_t covered = 0;
  for (const auto* entry : order) {
    if (entry->begin != covered) {
      fail(ErrorKind::bad_input,
           cat(file, ": tensor '", entry->name, "' begins at byte ", entry->begin, " of the data, expected ", covered,
               entry->begin < covered ? " (it overlaps another tensor)" : " (there is a hole before it)"));
    }
    covered = entry->end;
  }
  if (covered != data_bytes) {
    fail(ErrorKind::bad_input,
         cat(file, ": the tensors end at byte ", covered, " of the data, which has ", data_bytes));
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes, const std::string& file) {
  if (json.empty() || json.front() != '{') fail(ErrorKind::bad_input, cat(file, ": the header should begin with '{'"));
  SafetensorsHeader header;
  HeaderReader reader(header, file);
  nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  for (auto& entry : header.tensors) check_entry(entry, data_bytes, file);
  check_coverage(header, data_bytes, file);
  return header;
}

}  // namespace reveille::io
