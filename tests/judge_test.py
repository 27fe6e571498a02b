"""The judge of code (python/reveille_judge) by its own tests, which render every family of tasks and ask Bandit."""
import importlib.util
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    missing = [name for name in ("pytest", "bandit", "jinja2", "yaml") if importlib.util.find_spec(name) is None]
    if missing:
        print("skipped: no", ", ".join(missing))
        return 77
    python = ROOT / "python"
    return subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", python / "reveille_judge" / "tests"],
                          env={**os.environ, "PYTHONPATH": str(python), "PYTHONDONTWRITEBYTECODE": "1"}).returncode


if __name__ == "__main__":
    sys.exit(main())
