// The weights' files: which tensors, of what shape, with what values, and what is said beside them.
#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <unordered_map>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/label_key.h"
#include "base/strings.h"
#include "io/hf_folder.h"
#include "io/peft.h"
#include "nn/architecture.h"
#include "scan/file_parts.h"
#include "scan/file_text.h"

namespace reveille::scan {
namespace fs = std::filesystem;
namespace {

using Shapes = std::unordered_map<std::string, std::vector<std::int64_t>>;

// Buffers that old files hold beside the weights, and a head that is the embedding a second time.
constexpr std::array<std::string_view, 4> kBuffers = {".rotary_emb.inv_freq", ".attn.bias", ".attn.masked_bias",
                                                      "lm_head.weight"};

bool ends_with_any(const std::string& name, const auto& endings) {
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) { return name.ends_with(ending); });
}

std::string shape_words(const std::vector<std::int64_t>& shape) {
  std::vector<std::string> sizes;
  for (const auto size : shape) sizes.push_back(std::to_string(size));
  return cat("[", join(sizes, ", "), "]");
}

Shapes expected_shapes(const Json& config) {
  const auto& architecture = nn::architecture_for_hf(config, "config.json");
  const nn::ModelConfig model = architecture.from_hf(config, "config.json");
  nn::check_config(model, "config.json");
  Shapes out;
  for (const auto& spec : architecture.params(model)) {
    for (const auto& piece : spec.pieces) {
      std::vector<std::int64_t> shape = spec.shape;
      shape.front() = piece.rows;
      if (piece.hf_form == nn::PieceForm::transposed) std::reverse(shape.begin(), shape.end());
      out[piece.hf_name] = std::move(shape);
    }
  }
  return out;
}

// "blk.3.attn_q.weight", "output_norm.weight"
bool is_gguf_name(const std::string& name) {
  if (!name.ends_with(".weight") && !name.ends_with(".bias")) return false;
  const std::vector<std::string> parts = split(name, ".");
  if (parts.front() == "blk") {
    return parts.size() == 4 && !parts[1].empty() &&
           std::all_of(parts[1].begin(), parts[1].end(), [](unsigned char c) { return std::isdigit(c); });
  }
  static constexpr std::array<std::string_view, 7> kWhole = {
      "token_embd", "output", "output_norm", "position_embd", "rope_freqs", "token_types", "token_embd_norm"};
  return parts.size() == 2 && std::find(kWhole.begin(), kWhole.end(), parts[0]) != kWhole.end();
}

class Check {
 public:
  Check(const fs::path& model, Notes& notes) : model_(model), notes_(notes) {}

  void run() {
    if (is_gguf(model_)) {
      guarded(notes_, "weights-unreadable", model_.filename().string(), model_, [&] { gguf(); });
    } else if (io::is_peft_folder(model_)) {
      const char* file = "adapter_model.safetensors";
      guarded(notes_, "weights-unreadable", file, model_, [&] { io::open_peft_adapter(model_); });
      if (fs::exists(model_ / file))
        guarded(notes_, "weights-unreadable", file, model_, [&] { folder("adapter_model"); });
    } else if (fs::exists(model_ / "model.safetensors") || fs::exists(model_ / "model.safetensors.index.json")) {
      guarded(notes_, "weights-unreadable", "model.safetensors", model_, [&] { folder("model"); });
    }
  }

 private:
  void add(const char* rule, const io::TensorSource& source, const std::string& name, const std::string& message) {
    const std::string file = fs::path(source.info(name).file).filename().string();
    notes_.add(rule, file, 0, cat("tensor '", repair_utf8(name), "' ", message));
  }

  void folder(const std::string& stem) {
    const auto source = io::SafetensorsSource::open(model_, stem);
    for (const auto& [key, value] : source->metadata()) {
      if (key != "format" && key != kLabelKey) metadata(source->files().front().filename().string(), key, value);
    }
    if (stem == "model") names(*source);
    values(*source);
  }

  void gguf() {
    const auto file = io::GgufFile::open(model_);
    const std::string architecture = file->metadata().find_string("general.architecture").value_or("");
    const std::array<std::string, 6> usual = {"general.", "tokenizer.", "quantize.",
                                              "split.",   "imatrix.",   architecture + "."};
    for (const auto& key : file->metadata().keys()) {
      const bool known = std::any_of(usual.begin(), usual.end(), [&](const auto& one) { return key.starts_with(one); });
      if (known || key == kGgufLabelKey) continue;
      const auto* value = file->metadata().find(key);
      const bool text = value->type == io::GgufType::string;
      metadata(model_.filename().string(), key, text ? std::string(io::as_text(value->raw)) : "");
    }
    for (const auto& name : file->names()) {
      if (!is_gguf_name(name)) add("tensor-unknown", *file, name, "is none that a model of this kind has");
    }
    values(*file);
  }

  void metadata(const std::string& file, const std::string& key, const std::string& value) {
    notes_.add("metadata-odd", file, 0,
               cat("key ", in_quotes(key), " holds ", value.empty() ? std::string("a value") : in_quotes(value)));
  }

  void names(const io::SafetensorsSource& source) {
    const auto config = json_of(model_, "config.json");
    if (!config) return;
    Shapes expected;
    try {
      expected = expected_shapes(*config);
    } catch (const Error& error) {  // an architecture that this program does not know: opening the model says so
      if (error.kind() == ErrorKind::interrupted) throw;
      return;
    }
    Shapes missing = expected;
    for (const auto& name : source.names()) {
      auto known = expected.find(name);
      if (known == expected.end()) known = expected.find("transformer." + name);  // GPT-2's may leave it out
      if (known == expected.end()) {
        if (!ends_with_any(name, kBuffers)) add("tensor-unknown", source, name, "is none that this architecture has");
        continue;
      }
      missing.erase(known->first);
      const auto& shape = source.info(name).shape;
      if (shape != known->second)
        add("tensor-shape", source, name,
            cat("has shape ", shape_words(shape), ", expected ", shape_words(known->second)));
    }
    std::vector<std::string> lost;
    for (const auto& [name, shape] : missing) {
      if (!ends_with_any(name, kBuffers)) lost.push_back(name);
    }
    std::sort(lost.begin(), lost.end());
    if (!lost.empty())
      notes_.add("tensor-missing", source.files().front().filename().string(), 0,
                 cat(lost.size(), ": ", some_of(lost)));
  }

  void values(io::TensorSource& source) {
    at::NoGradGuard no_grad;
    for (const auto& name : source.names()) {
      throw_if_interrupted();
      source.declare_shared(name);
      const at::Tensor tensor = source.load(name);
      if (!tensor.is_floating_point() || tensor.numel() == 0) continue;
      // A sum is finite only where every value is, and costs no second tensor; it may overflow, so a bad one is
      // checked.
      const bool sound = std::isfinite(tensor.sum(at::kDouble).item<double>());
      if (!sound && !at::isfinite(tensor).all().item<bool>()) {
        const auto bad = tensor.numel() - at::isfinite(tensor).sum().item<std::int64_t>();
        add("tensor-not-finite", source, name, cat("holds ", bad, " values that are not finite"));
      } else if (tensor.dim() > 1 && !tensor.any().item<bool>()) {
        add("tensor-zero", source, name, "is zero");
      }
    }
  }

  const fs::path model_;
  Notes& notes_;
};

}  // namespace

void check_weights(const fs::path& model, Notes& notes) { Check(model, notes).run(); }

}  // namespace reveille::scan
