#include "base/python_module.h"

#include <filesystem>

#include "base/files.h"

namespace reveille {
namespace fs = std::filesystem;

std::vector<std::string> python_module(const std::string& name) {
  for (const fs::path& root : {executable_folder() / "..", fs::path(".")}) {
    const fs::path python = root / ".venv" / "bin" / "python", package = root / "python";
    if (fs::exists(python) && fs::exists(package / name))
      return {"env", "PYTHONPATH=" + fs::weakly_canonical(package).string(),
              (fs::weakly_canonical(root) / ".venv" / "bin" / "python").string(), "-m", name};
  }
  return {"python3", "-m", name};
}

}  // namespace reveille
