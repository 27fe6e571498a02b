#include "io/gguf.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/error.h"
#include "base/strings.h"
#include "io/gguf_types.h"
#include "io/weight_file.h"

namespace reveille::io {
namespace {

constexpr std::uint32_t kMaxDimensions = 4;  // GGML_MAX_DIMS
constexpr std::uint64_t kMaxNameBytes = 65535;
constexpr std::uint64_t kDefaultAlignment = 32;  // unless general.alignment says otherwise
constexpr std::uint64_t kMaxAlignment = 1 << 20;

const char* const kDamaged = "the file is cut short or damaged: copy or download it again";

struct TensorRecord {
  std::string name;
  const GgmlType* type = nullptr;
  std::vector<std::int64_t> shape;
  std::uint64_t offset = 0, bytes = 0;  // within the data
};

std::uint32_t read_version(ByteReader& reader) {
  const std::string& where = reader.where();
  if (as_text(reader.take(4, "the file's first four bytes")) != "GGUF") {
    fail(ErrorKind::bad_input, cat(where, " is no GGUF file: it should begin with 'GGUF'"));
  }
  auto version = reader.number<std::uint32_t>("the version");
  if (version != 0 && (version & 0xffffU) == 0) {
    fail(ErrorKind::unsupported, cat(where, " is a big-endian GGUF file"), "convert the model again on a PC");
  }
  if (version != 2 && version != 3) {
    fail(ErrorKind::unsupported, cat(where, " has GGUF version ", version, ", expected 2 or 3"),
         version == 1 ? "convert the model again with a newer llama.cpp" : "");
  }
  return version;
}

std::uint64_t alignment_of(const GgufMetadata& metadata, const std::string& where) {
  std::uint64_t alignment = metadata.find_u64("general.alignment").value_or(kDefaultAlignment);
  if (std::has_single_bit(alignment) && alignment <= kMaxAlignment) return alignment;
  fail(ErrorKind::bad_input, cat(where, ": metadata key 'general.alignment' is ", alignment,
                                 ", expected a power of two up to ", kMaxAlignment));
}

std::vector<std::int64_t> read_shape(ByteReader& reader, const std::string& name) {
  auto dimensions = reader.number<std::uint32_t>("a tensor's number of dimensions");
  if (dimensions > kMaxDimensions) {
    fail(ErrorKind::bad_input, cat(reader.where(), ": tensor '", name, "' has ", dimensions,
                                   " dimensions, expected at most ", kMaxDimensions));
  }
  std::vector<std::int64_t> shape(dimensions);
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    auto size = reader.number<std::uint64_t>("a tensor's dimensions");
    if (!std::in_range<std::int64_t>(size)) {
      fail(ErrorKind::bad_input, cat(reader.where(), ": tensor '", name, "' has a dimension of ", size));
    }
    shape[dimensions - 1 - i] = static_cast<std::int64_t>(size);
  }
  return shape;
}

TensorRecord read_record(ByteReader& reader) {
  TensorRecord record;
  record.name = as_text(reader.take(reader.number<std::uint64_t>("the length of a tensor's name"), "a tensor's name"));
  if (record.name.empty() || record.name.size() > kMaxNameBytes || !is_utf8(record.name)) {
    fail(ErrorKind::bad_input, cat(reader.where(), ": the tensor name '", repair_utf8(record.name.substr(0, 64)),
                                   "' should be 1 to ", kMaxNameBytes, " bytes of UTF-8"));
  }
  record.shape = read_shape(reader, record.name);
  auto number = reader.number<std::uint32_t>("a tensor's type");
  record.type = find_ggml_type(number);
  record.offset = reader.number<std::uint64_t>("a tensor's offset");
  if (!record.type) {
    fail(ErrorKind::unsupported, cat(reader.where(), ": tensor '", record.name, "' has the GGML type ", number,
                                     ", which Reveille does not know"));
  }
  auto bytes = stored_bytes(record.shape, record.type->block_elements, record.type->block_bytes);
  if (!bytes) {
    fail(ErrorKind::bad_input,
         cat(reader.where(), ": tensor '", record.name, "' has the shape ", shape_text(record.shape),
             ", which does not fit its type ", record.type->name, " (blocks of ", record.type->block_elements, ")"));
  }
  record.bytes = *bytes;
  return record;
}

void check_place(const TensorRecord& record, std::uint64_t data_bytes, std::uint64_t alignment,
                 const std::string& where) {
  if (record.offset % alignment != 0) {
    fail(ErrorKind::bad_input, cat(where, ": tensor '", record.name, "' lies at offset ", record.offset,
                                   ", expected a multiple of ", alignment));
  }
  if (record.offset > data_bytes || record.bytes > data_bytes - record.offset) {
    fail(ErrorKind::bad_input,
         cat(where, ": tensor '", record.name, "' (", record.bytes, " bytes at offset ", record.offset,
             ") lies outside the data, which has ", data_bytes, " bytes"),
         kDamaged);
  }
}

void check_no_overlap(const std::vector<TensorRecord>& records, const std::string& where) {
  std::vector<const TensorRecord*> order;
  for (const auto& record : records) {
    if (record.bytes > 0) order.push_back(&record);
  }
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->offset < b->offset; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (order[i]->offset < order[i - 1]->offset + order[i - 1]->bytes) {
      fail(ErrorKind::bad_input,
           cat(where, ": the tensors '", order[i - 1]->name, "' and '", order[i]->name, "' overlap"));
    }
  }
}

void refuse_split(const GgufMetadata& metadata, const std::string& where) {
  std::uint64_t parts = metadata.find_u64("split.count").value_or(1);
  if (parts <= 1) return;
  fail(ErrorKind::unsupported,
       cat(where, " is part ", metadata.find_u64("split.no").value_or(0) + 1, " of ", parts, " of a split model"),
       "join the parts: llama-gguf-split --merge FIRST_PART OUTPUT.gguf");
}

}  // namespace

std::unique_ptr<GgufFile> GgufFile::open(const std::filesystem::path& path) {
  refuse_pickle(path);
  std::unique_ptr<GgufFile> file(new GgufFile(path.string()));
  file->mapped_ = std::make_unique<MappedFile>(path);
  file->parse({file->mapped_->data(), file->mapped_->size()});
  return file;
}

std::unique_ptr<GgufFile> GgufFile::from_memory(std::span<const std::byte> bytes, const std::string& where) {
  std::unique_ptr<GgufFile> file(new GgufFile(where));
  file->parse(bytes);
  return file;
}

void GgufFile::parse(std::span<const std::byte> bytes) {
  constexpr std::uint64_t kSmallestRecord = 8 + 4 + 4 + 8;
  ByteReader reader(bytes, where());
  version_ = read_version(reader);
  auto tensors = reader.number<std::uint64_t>("the number of tensors");
  auto pairs = reader.number<std::uint64_t>("the number of metadata keys");
  metadata_ = GgufMetadata::parse(reader, pairs);
  refuse_split(metadata_, where());
  if (tensors > reader.remaining() / kSmallestRecord) {
    fail(ErrorKind::bad_input, cat(where(), ": claims ", tensors, " tensors, more than it has room for"), kDamaged);
  }
  std::vector<TensorRecord> records;
  for (std::uint64_t i = 0; i < tensors; ++i) records.push_back(read_record(reader));

  std::uint64_t alignment = alignment_of(metadata_, where());
  std::uint64_t padding = (alignment - reader.offset() % alignment) % alignment;
  // A file without tensors may end without padding.
  if (!records.empty()) reader.take(padding, "the padding before the data");
  auto data = reader.rest();
  for (auto& record : records) {
    check_place(record, data.size(), alignment, where());
    auto stored = data.subspan(record.offset, record.bytes);
    TensorInfo info{record.type->name, std::move(record.shape), record.bytes, where()};
    add({record.name, std::move(info), record.type->format, stored});
  }
  check_no_overlap(records, where());
}

}  // namespace reveille::io
