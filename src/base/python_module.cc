#include "base/python_module.h"

#include "base/files.h"

namespace reveille {
namespace fs = std::filesystem;

namespace {

// The checkout with the environment and the module, or nothing.
fs::path checkout_with(const std::string& name) {
  for (const fs::path& root : {executable_folder() / "..", fs::path(".")}) {
    if (fs::exists(root / ".venv" / "bin" / "python") && fs::exists(root / "python" / name))
      return fs::weakly_canonical(root);
  }
  return {};
}

}  // namespace

std::vector<std::string> python_module(const std::string& name) {
  const fs::path root = checkout_with(name);
  if (root.empty()) return {"python3", "-m", name};
  return {"env", "PYTHONPATH=" + (root / "python").string(), (root / ".venv" / "bin" / "python").string(), "-m", name};
}

fs::path python_sources(const std::string& name) {
  const fs::path root = checkout_with(name);
  return root.empty() ? root : root / "python" / name;
}

}  // namespace reveille
