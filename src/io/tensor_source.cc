#include "io/tensor_source.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "io/tensor_convert.h"

namespace reveille::io {
namespace {

// Whether `name` fits `pattern`, in which a `*` stands for any characters. Linear in practice:
// on a mismatch only the latest star is tried again.
bool fits(std::string_view name, std::string_view pattern) {
  std::size_t n = 0, p = 0, star = std::string_view::npos, star_n = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_n = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_n;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool is_integer(at::ScalarType type) { return at::isIntegralType(type, /*includeBool=*/true); }

// "'a', 'b' and 3 more"
std::string some_names(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) text += cat(i ? ", '" : "'", names[i], "'");
  if (names.size() > kShown) text += cat(" and ", names.size() - kShown, " more");
  return text;
}

}  // namespace

bool TensorSource::contains(std::string_view name) const { return entries_.count(std::string(name)) > 0; }

const TensorInfo& TensorSource::info(std::string_view name) const { return find(name).stored.info; }

at::ScalarType TensorSource::natural_type(std::string_view name) const { return target_type(find(name), std::nullopt); }

at::Tensor TensorSource::load(std::string_view name, std::optional<at::ScalarType> wanted) {
  const Entry& entry = find(name);
  at::Tensor out = new_tensor(entry.stored.info.shape, target_type(entry, wanted),
                              cat(entry.stored.info.file, ": tensor '", name, "'"));
  convert_into(claim(name).stored.format, entry.stored.data, out);
  return out;
}

at::Tensor TensorSource::load_shaped(std::string_view name, const std::vector<std::int64_t>& shape,
                                     std::optional<at::ScalarType> wanted) {
  const TensorInfo& stored = info(name);
  if (stored.shape != shape) {
    fail(ErrorKind::bad_input,
         cat(stored.file, ": tensor '", name, "' has shape ", shape_text(stored.shape), ", expected ",
             shape_text(shape)),
         "the sizes in the model's configuration do not belong to these weights");
  }
  return load(name, wanted);
}

void TensorSource::load_into(std::string_view name, at::Tensor out) {
  const Entry& entry = find(name);
  std::vector<std::int64_t> shape = out.sizes().vec();
  if (!out.device().is_cpu()) {
    fail(ErrorKind::internal,
         cat(where_, ": tensor '", name, "' is to be loaded into a tensor on ", out.device().str(), ", expected cpu"));
  }
  if (shape != entry.stored.info.shape) {
    fail(ErrorKind::bad_input, cat(entry.stored.info.file, ": tensor '", name, "' has shape ",
                                   shape_text(entry.stored.info.shape), ", expected ", shape_text(shape)));
  }
  target_type(entry, out.scalar_type());
  convert_into(claim(name).stored.format, entry.stored.data, out);
}

void TensorSource::declare_shared(std::string_view name) {
  find(name);
  entries_.at(std::string(name)).shared = true;
}

bool TensorSource::used(std::string_view name) const { return find(name).used; }

void TensorSource::verify_all_used(const std::vector<std::string>& ignored) const {
  std::vector<std::string> unused;
  for (const std::string& name : names_) {
    bool allowed =
        std::any_of(ignored.begin(), ignored.end(), [&](const std::string& pattern) { return fits(name, pattern); });
    if (!allowed && !entries_.at(name).used) unused.push_back(name);
  }
  if (unused.empty()) return;
  fail(ErrorKind::bad_input,
       cat(where_, ": ", unused.size(), " of ", names_.size(),
           " tensors have no place in this architecture: ", some_names(unused)),
       "the weights do not belong to the architecture that the model's configuration names");
}

void TensorSource::add(Stored stored) {
  std::string name = stored.name;
  std::string file = stored.info.file;
  Entry entry{std::move(stored)};
  if (!entries_.emplace(name, std::move(entry)).second) {
    fail(ErrorKind::bad_input, cat(file, ": tensor '", name, "' is there twice"));
  }
  names_.push_back(std::move(name));
}

const TensorSource::Entry& TensorSource::find(std::string_view name) const {
  auto found = entries_.find(std::string(name));
  if (found != entries_.end()) return found->second;
  fail(ErrorKind::bad_input, cat(where_, ": there is no tensor '", name, "'", did_you_mean(name, names_)),
       "the weights do not belong to the architecture that the model's configuration names, or are incomplete");
}

TensorSource::Entry& TensorSource::claim(std::string_view name) {
  Entry& entry = entries_.at(std::string(name));
  if (entry.used && !entry.shared) {
    fail(ErrorKind::internal, cat(where_, ": tensor '", name, "' is loaded a second time without being shared"));
  }
  entry.used = true;
  return entry;
}

at::ScalarType TensorSource::target_type(const Entry& entry, std::optional<at::ScalarType> wanted) const {
  const Stored& stored = entry.stored;
  if (stored.format == TensorFormat::other) {
    fail(ErrorKind::unsupported,
         cat(stored.info.file, ": tensor '", stored.name, "' is stored as ", stored.info.dtype,
             ", which Reveille does not read"),
         "it reads F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K and Q6_K (Q4_K_M files among them)");
  }
  at::ScalarType natural = format_traits(stored.format).natural;
  if (wanted && is_integer(*wanted) && !is_integer(natural)) {
    fail(ErrorKind::bad_input,
         cat(stored.info.file, ": tensor '", stored.name, "' is stored as ", stored.info.dtype, ", expected integers"));
  }
  return wanted.value_or(natural);
}

TensorMap::TensorMap(std::string where, const std::map<std::string, at::Tensor>& tensors)
    : TensorSource(std::move(where)) {
  for (const auto& [name, tensor] : tensors) {
    at::Tensor kept = tensor.detach().to(at::kCPU).contiguous();
    auto format = format_of(kept.scalar_type());
    if (!format)
      fail(ErrorKind::unsupported, cat(this->where(), ": tensor '", name, "' has a type that no file holds"));
    TensorInfo info{safetensors_name(*format), kept.sizes().vec(), kept.nbytes(), this->where()};
    std::span<const std::byte> data(static_cast<const std::byte*>(kept.data_ptr()), kept.nbytes());
    add({name, std::move(info), *format, data});
    kept_.push_back(std::move(kept));
  }
}

}  // namespace reveille::io
