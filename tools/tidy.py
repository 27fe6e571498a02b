#!/usr/bin/env python3
"""Runs clang-tidy over the compile commands of build-tidy/, in parallel, within a time limit.

A file found clean is remembered by the hash of its text, of every header of ours and of
.clang-tidy; it is not looked at again until one of them changes.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build-tidy"
LIMIT_SECONDS = float(os.environ.get("TIDY_SECONDS", "1500"))


def chosen_files(names):
    commands = json.loads((FOLDER / "compile_commands.json").read_text())
    files = sorted({pathlib.Path(c["file"]) for c in commands})
    files = [f for f in files if f.is_relative_to(ROOT / "src") and not f.name.endswith("_test.cc")]
    wanted = {(ROOT / n).resolve() for n in names}
    return [f for f in files if not wanted or f in wanted]


def common_hash():
    state = hashlib.sha256()
    for path in [ROOT / ".clang-tidy", *sorted((ROOT / "src").rglob("*.h"))]:
        state.update(path.read_bytes())
    return state


def check(path, key, deadline):
    """None when clean, "late" when there was no time left, else what clang-tidy found."""
    mark = FOLDER / "tidy" / key
    if mark.exists():
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        return "late"
    try:
        # -fno-openmp: clang has no omp.h of its own here, and what it would find is no different.
        done = subprocess.run(["clang-tidy", "--quiet", "--extra-arg=-fno-openmp", "-p", str(FOLDER), str(path)],
                              capture_output=True, text=True, timeout=left)
    except subprocess.TimeoutExpired:
        return "late"
    if done.returncode:
        return done.stdout + done.stderr
    mark.touch()
    return None


def main():
    (FOLDER / "tidy").mkdir(exist_ok=True)
    files, state, deadline = chosen_files(sys.argv[1:]), common_hash(), time.monotonic() + LIMIT_SECONDS
    bad, late = 0, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {}
        for path in files:
            own = state.copy()
            own.update(str(path).encode() + path.read_bytes())
            jobs[pool.submit(check, path, own.hexdigest(), deadline)] = path
        for job in concurrent.futures.as_completed(jobs):
            result = job.result()
            late += result == "late"
            if result and result != "late":
                bad += 1
                print(result, flush=True)
    unseen = f", {late} not looked at within {LIMIT_SECONDS:.0f} s" if late else ""
    print(f"tidy: {len(files) - bad - late} files clean, {bad} with findings{unseen}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
