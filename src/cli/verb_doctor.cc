#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/strings.h"
#include "base/version.h"
#include "cli/verb.h"
#include "gen/built_in.h"
#include "gen/local.h"
#include "nn/ops.h"
#include "nn/rate.h"

namespace reveille::cli {
namespace fs = std::filesystem;
namespace {

// A file of the system's that may not be there.
std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Physical memory, or what the container allows, in bytes.
double memory_bytes() {
  double bytes = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  for (const char* limit : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    double allowed = std::atof(text_of(limit).c_str());  // "max" reads as 0
    if (allowed > 0) bytes = std::min(bytes, allowed);
  }
  return bytes;
}

// The cards that the driver knows, whatever this libtorch can do with them.
std::string gpu_names() {
  std::string out;
  std::error_code error;
  for (auto it = fs::directory_iterator("/proc/driver/nvidia/gpus", error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    const std::string about = text_of(it->path() / "information");
    const std::size_t at = about.find("Model:");
    if (at == std::string::npos) continue;
    out += (out.empty() ? "" : ", ") + std::string(trim(about.substr(at + 6, about.find('\n', at) - at - 6)));
  }
  return out;
}

std::string gpu_words() {
  const std::string names = gpu_names();
  const bool usable = at::globalContext().hasCUDA();
  if (usable) return cat(names.empty() ? "CUDA" : names, " (use it with --device cuda)");
  if (names.empty()) return "none (not needed)";
  return cat(names, ", but this libtorch is a CPU build or finds no driver: it is not used. README, \"Machines\"");
}

std::string cpu_features() {
  std::string out;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) out += "avx2 ";
  if (__builtin_cpu_supports("avx512f")) out += "avx512f ";
  if (__builtin_cpu_supports("avx512bf16")) out += "avx512_bf16 ";
  if (text_of("/proc/cpuinfo").find(" amx_bf16") != std::string::npos) out += "amx_bf16 ";
#endif
  return out.empty() ? "none that matter" : out.substr(0, out.size() - 1);
}

struct Findings {
  Json rows = Json::array();
  int missing = 0;
  void add(const std::string& name, const std::string& value, const std::string& advice = {}) {
    rows.push_back(Json{{"check", name}, {"value", value}, {"advice", advice}});
    if (!advice.empty()) ++missing;
  }
};

// A model that is fetched only when asked for is not missing.
void check_model(const BuiltInModel& model, Findings& out) {
  const std::string title = model.fetched() ? "model " + std::string(model.name) : "embedded model";
  const std::string again =
      model.fetched() ? cat("run 'reveille model fetch ", model.name, "'") : "run 'make clean build'";
  try {
    fs::path path = gen::built_in_path(std::string(model.name));
    std::string hash = sha256_file(path);
    out.add(title, cat(path.filename().string(), " sha256 ", hash),
            hash == model.sha256 ? "" : "the file is not the one that was released: " + again);
  } catch (const Error& error) {
    if (model.fetched() && error.kind() == ErrorKind::not_found) {
      out.add(title, cat("not fetched (not needed; 'reveille model fetch ", model.name, "')"));
    } else {
      out.add(title, error.message(), error.hint());
    }
  }
}

void check_bandit(Findings& out) {
  for (const fs::path& root : {executable_folder() / "..", fs::path(".")}) {
    fs::path bandit = root / ".venv" / "bin" / "bandit";
    if (fs::exists(bandit)) return out.add("static analyser", fs::weakly_canonical(bandit).string());
  }
  out.add("static analyser", "bandit is not installed", "run 'make build', which installs it into .venv");
}

}  // namespace

int run_doctor(const std::vector<std::string>& arguments) {
  FormatOptions format;
  CommandLine line("doctor",
                   "What this machine has, what is missing, how fast it is. Exit code 1 when something is missing.",
                   "  reveille doctor\n");
  line.options(format);
  if (!line.parse(arguments)) return 0;
  Findings out;
  out.add("program", version_line());
  out.add("CPU features", cpu_features());
  out.add("kernels", nn::kernel_name());
  out.add("cores", cat(sysconf(_SC_NPROCESSORS_ONLN), " (", at::get_num_threads(), " threads used)"));
  const double bytes = memory_bytes();
  out.add("memory", human_bytes(bytes),
          bytes < 6e9 ? "full fine-tuning of the built-in model takes about 5 GiB; use use_peft=true" : "");
  out.add("disk here", human_bytes(static_cast<double>(free_bytes("."))) + " free");
  out.add("GPU", gpu_words());
  const bool half = gen::resolve_dtype("auto", at::kCPU) == at::kBFloat16;
  out.add("matrix products fp32", fixed(nn::product_rate(at::kFloat), 0) + " GFLOP/s" + (half ? "" : " (used)"));
  out.add("matrix products bf16", fixed(nn::product_rate(at::kBFloat16), 0) + " GFLOP/s" +
                                      (half ? " (used)" : ": this CPU has no bf16 instructions; float32 is used"));
  for (const auto& model : kBuiltInModels) check_model(model, out);
  check_bandit(out);
  if (format.json()) {
    std::printf("%s\n", json_page(out.rows).c_str());
  } else {
    for (const auto& row : out.rows) {
      std::printf("%-22s %s\n", row["check"].get<std::string>().c_str(), row["value"].get<std::string>().c_str());
      if (!row["advice"].get<std::string>().empty())
        std::printf("%-22s -> %s\n", "", row["advice"].get<std::string>().c_str());
    }
  }
  return out.missing ? 1 : 0;
}

}  // namespace reveille::cli
