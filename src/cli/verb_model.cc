#include <ATen/ATen.h>

#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/label_key.h"
#include "base/strings.h"
#include "cli/verb.h"
#include "gen/local.h"
#include "gen/save.h"
#include "gen/score.h"
#include "io/jsonl.h"

namespace reveille::cli {
namespace fs = std::filesystem;
namespace {

std::int64_t parameter_count(const gen::LocalModel& model) {
  std::int64_t count = 0;
  for (const auto& param : model.transformer().params().all()) count += param.value.numel();
  return count;
}

Json describe(const gen::LocalModel& model) {
  const auto& c = model.transformer().config();
  Json out{{"name", model.name()},
           {"format", model.format()},
           {"architecture", c.architecture},
           {"parameters", parameter_count(model)},
           {"layers", c.layers},
           {"hidden_size", c.hidden},
           {"heads", c.heads},
           {"kv_heads", c.kv_heads},
           {"head_dim", c.head_dim},
           {"intermediate_size", c.intermediate},
           {"vocab_size", c.vocab_size},
           {"context", c.max_positions},
           {"tied_head", c.tied_head},
           {"tokenizer_sha256", model.tokenizer().hash()},
           {"chat_template", model.has_template()}};
  if (model.has_template()) out["template_sha256"] = sha256_hex(model.chat_template().source());
  Json stops = Json::array();
  for (auto id : model.stop_ids()) stops.push_back(model.tokenizer().token(id));
  out["stop_tokens"] = stops;
  if (model.score_head().defined()) out["reward_model"] = true;
  if (model.adapter()) out["adapter"] = Json{{"r", model.adapter()->r}, {"lora_alpha", model.adapter()->lora_alpha}};
  if (model.config().contains(kLabelKey)) out[kLabelKey] = model.config()[kLabelKey];
  return out;
}

int info(const std::vector<std::string>& arguments) {
  std::string name;
  FormatOptions format;
  gen::OpenOptions open;
  CommandLine line("model info", "What a model is: architecture, sizes, tokenizer, template, label.",
                   "  reveille model info smollm2-135m-instruct\n");
  line.positional("MODEL", name, "the model");
  line.options(format);
  line.options(open);
  if (!line.parse(arguments)) return 0;
  open.reward_model = true;
  Json about = describe(*gen::open_model(name, open));
  if (format.json()) {
    std::printf("%s\n", json_page(about).c_str());
    return 0;
  }
  for (const auto& [key, value] : about.items()) {
    std::printf("%-18s %s\n", key.c_str(),
                value.is_string() ? value.get<std::string>().c_str() : io::json_line(value).c_str());
  }
  return 0;
}

struct ConvertOptions {
  std::string to = "bf16";
  void visit(OptionVisitor& v) {
    v.option("to", to,
             {.help = "a Hugging Face folder in this type, a GGUF file, or the adapter alone",
              .choices = {"bf16", "f16", "f32", "gguf:f16", "gguf:bf16", "gguf:q8_0", "gguf:f32", "adapter"}});
  }
};

io::TensorFormat gguf_format(const std::string& to) {
  if (to == "gguf:f32") return io::TensorFormat::f32;
  if (to == "gguf:bf16") return io::TensorFormat::bf16;
  return to == "gguf:q8_0" ? io::TensorFormat::q8_0 : io::TensorFormat::f16;
}

void write(gen::LocalModel& model, const std::string& to, const std::string& output) {
  gen::SaveOptions save;
  if (to.starts_with("gguf")) {
    gen::save_gguf(model, output, gguf_format(to), save);
  } else if (to == "adapter") {
    gen::save_adapter(model, output, save);
  } else {
    save.dtype = to == "f32" ? at::kFloat : to == "f16" ? at::kHalf : at::kBFloat16;
    gen::save_hf_folder(model, output, save);
  }
  std::printf("%s\n", output.c_str());
}

int convert(const std::vector<std::string>& arguments, bool merge_only) {
  std::string name, output;
  ConvertOptions form;
  gen::OpenOptions open;
  open.dtype = "float32";
  CommandLine line(merge_only ? "model merge" : "model convert",
                   merge_only ? "Adds an adapter to its base and writes the whole model."
                              : "Writes a model in another form; an adapter is merged in.",
                   merge_only ? "  reveille model merge adapter --output merged\n"
                              : "  reveille model convert smollm2-135m-instruct --to f32 --output folder\n  reveille "
                                "model convert folder --to gguf:q8_0 --output model.gguf\n");
  line.positional("MODEL", name, "the model");
  line.options(form);
  line.value("output", output, "the folder or file to write");
  line.options(open);
  if (!line.parse(arguments)) return 0;
  if (output.empty()) fail(ErrorKind::usage, "--output is missing");
  if (fs::exists(output) && !(fs::is_directory(output) && fs::is_empty(output))) {
    fail(ErrorKind::usage, cat(output, " exists already"), "name another --output");
  }
  open.reward_model = true;
  auto model = gen::open_model(name, open);
  if (merge_only && !model->adapter()) fail(ErrorKind::usage, cat(name, " is no adapter: there is nothing to merge"));
  if (form.to != "adapter" && model->adapter()) gen::merge_lora(*model);
  write(*model, form.to, output);
  return 0;
}

// Loads every tensor, looks for values that are not numbers, and scores a sentence.
int verify(const std::vector<std::string>& arguments) {
  std::string name;
  gen::OpenOptions open;
  open.dtype = "float32";
  CommandLine line(
      "model verify",
      "Checks a model's files: every tensor used once, no NaN, tokenizer and template belong together, and a\n"
      "sentence scores as language. Exit code 1 when something is wrong with the values.",
      "  reveille model verify smollm2-135m-instruct\n");
  line.positional("MODEL", name, "the model");
  line.options(open);
  if (!line.parse(arguments)) return 0;
  auto model = gen::open_model(name, open);
  int findings = 0;
  for (const auto& param : model->transformer().params().all()) {
    if (!at::isfinite(param.value).all().item<bool>()) {
      std::printf("not a number: %s\n", param.spec.name.c_str());
      ++findings;
    }
  }
  auto ids = model->encode_with_specials("The capital of France is a city that many people like to visit.");
  auto scores = gen::score(model->transformer(), {ids});
  double sum = 0;
  for (std::size_t t = 1; t < ids.size(); ++t) sum += scores[0][t];
  double mean = sum / static_cast<double>(std::max<std::size_t>(1, ids.size() - 1));
  std::printf("%zu tensors, all used once; mean log-probability of a plain sentence %s\n",
              model->transformer().params().all().size(), fixed(mean, 3).c_str());
  if (!(mean == mean)) ++findings;
  return findings ? 1 : 0;
}

}  // namespace

int run_model(const std::vector<std::string>& arguments) {
  const std::vector<std::string> actions = {"info", "convert", "merge", "verify", "fetch"};
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    std::printf(
        "Usage: reveille model ACTION MODEL [options]\n\nActions:\n  info      what a model is\n  convert   to a "
        "Hugging Face folder or GGUF\n"
        "  merge     an adapter into its base\n  verify    check a model's files\n  fetch     a built-in model that "
        "set-up "
        "leaves out\n");
    return arguments.empty() ? 2 : 0;
  }
  std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (arguments[0] == "info") return info(rest);
  if (arguments[0] == "convert") return convert(rest, false);
  if (arguments[0] == "merge") return convert(rest, true);
  if (arguments[0] == "verify") return verify(rest);
  if (arguments[0] == "fetch") return fetch_model(rest);
  fail(ErrorKind::usage,
       cat("reveille model: unknown action '", arguments[0], "'", did_you_mean(arguments[0], actions)));
}

}  // namespace reveille::cli
