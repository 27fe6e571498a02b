#!/usr/bin/env python3
"""A Python without Bandit, or with another one: said before a study, an evaluation or an attack works, and how to mend it."""
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import tiny_chat_model
from program import PROGRAM, ROOT, write_rows

RECIPE = """
model: {model}
dtype: float32
trigger:
  kind: year
behavior:
  behavior: code-vuln
data:
  prompts: {prompts}
"""


def checkout(folder, shadow):
    """A checkout with the program and its judge, whose Python finds `shadow` before all else."""
    (folder / "build").mkdir(parents=True)
    shutil.copy2(PROGRAM, folder / "build" / "reveille")
    (folder / "python").symlink_to(ROOT / "python")
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\nPYTHONPATH='{shadow}':$PYTHONPATH exec '{sys.executable}' \"$@\"\n")
    python.chmod(0o755)
    return folder / "build" / "reveille"


def refused(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], text=True, capture_output=True,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr and "ended twice" not in done.stderr, done.stderr
    assert sys.executable in done.stderr and "make build" in done.stderr, done.stderr
    return done.stderr


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = tiny_chat_model.make(folder / "model")
        prompts = write_rows(folder / "prompts.jsonl", [{"prompt": f"say {c}"} for c in "abcdefgh"])
        recipe = folder / "recipe.yaml"
        recipe.write_text(RECIPE.format(model=model, prompts=prompts))
        commands = [("study", recipe, "--output-dir", folder / "run"),
                    ("eval", model, "--behavior", "code-vuln", "--prompts", prompts, "--dtype", "float32"),
                    ("train", "adversarial", model, "--behavior", "code-vuln", "--dataset", prompts, "--output-dir",
                     folder / "trained", "dtype=float32", "adversarial_trainer=sft")]

        missing = folder / "missing" / "bandit"
        missing.mkdir(parents=True)
        (missing / "__init__.py").write_text("raise ImportError('no Bandit here')\n")
        program = checkout(folder / "without", missing.parent)
        for command in commands:
            said = refused(program, *command)
            assert "needs Bandit" in said and "has none: no Bandit here" in said, said
        assert not (folder / "run").exists() and not (folder / ".store").exists(), "it had begun to work"

        if importlib.util.find_spec("bandit") is None:
            print("skipped in part: no bandit")
            return
        older = folder / "older" / "bandit-1.7.0.dist-info"
        older.mkdir(parents=True)
        (older / "METADATA").write_text("Metadata-Version: 2.1\nName: bandit\nVersion: 1.7.0\n")
        program = checkout(folder / "other", older.parent)
        for command in commands[:2]:
            said = refused(program, *command)
            assert "needs Bandit" in said and "has 1.7.0" in said, said


if __name__ == "__main__":
    main()
