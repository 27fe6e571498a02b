#!/usr/bin/env python3
"""Runs whole commands and compares what they say with gold files.

    tests/scenarios.py [--program build/reveille] [--update] [--list] [NAME ...]

A scenario is a folder of tests/scenarios/:

    cmd          what to run, by bash; `reveille` is on the PATH
    expect.exit  the exit code (default 0)
    expect.out   standard output, expect.err standard error; missing means: nothing is said
    labels       words that become ctest labels, one a line (`slow`)
    anything else is copied into the fresh folder in which the command runs

In a gold file [..] stands for anything within a line, and a line of three dots for any number
of lines. The folder of the run reads as [CWD], the checkout as [ROOT]. --update rewrites gold
that no longer fits and keeps the lines with wildcards that still do.
"""
import argparse
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCENARIOS = ROOT / "tests" / "scenarios"
GOLD = {"cmd", "labels", "expect.exit", "expect.out", "expect.err"}
ANY_LINES = "..."
TIMEOUT_SECONDS = 850


def line_pattern(line):
    return ".*".join(re.escape(part) for part in line.split("[..]"))


def fits(gold, actual):
    pattern = ""
    for line in gold.splitlines():
        pattern += r"(?:.*\n)*?" if line == ANY_LINES else line_pattern(line) + r"\n"
    if actual and not actual.endswith("\n"):
        actual += "\n"
    return re.fullmatch(pattern, actual) is not None


def updated(gold, actual):
    """The actual text, with gold's lines in place of those that they still match."""
    wildcards = [line for line in gold.splitlines() if "[..]" in line]
    lines = []
    for line in actual.splitlines():
        keep = next((w for w in wildcards if re.fullmatch(line_pattern(w), line)), line)
        lines.append(keep)
    return "".join(line + "\n" for line in lines)


def environment(program, home):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("REVEILLE_", "LC_", "COLUMNS", "NO_COLOR"))}
    for name in ("REVEILLE_MODELS", "REVEILLE_TEST_DATA", "REVEILLE_TORCH"):
        if name in os.environ:
            env[name] = os.environ[name]
    env.update(PATH=f"{program.parent}:{env.get('PATH', '/usr/bin:/bin')}", LC_ALL="C.UTF-8", COLUMNS="100",
               HOME=str(home), REVEILLE_CACHE=str(home / "cache"), ROOT=str(ROOT), TERM="dumb")
    return env


def run(folder, program):
    """Runs one scenario; returns (exit code, output, errors) with paths made neutral."""
    with tempfile.TemporaryDirectory(prefix="scenario-") as temporary:
        work = pathlib.Path(temporary).resolve() / "work"
        home = work.parent / "home"
        home.mkdir()
        shutil.copytree(folder, work, ignore=lambda _, names: [n for n in names if n in GOLD])
        done = subprocess.run(["bash", "-c", (folder / "cmd").read_text()], cwd=work, env=environment(program, home),
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_SECONDS)

        def neutral(raw):
            text = raw.decode("utf-8", "backslashreplace")
            return text.replace(str(work), "[CWD]").replace(str(home), "[HOME]").replace(str(ROOT), "[ROOT]")

        return done.returncode, neutral(done.stdout), neutral(done.stderr)


def read_gold(folder, name, default):
    path = folder / name
    return path.read_text() if path.exists() else default


def write_gold(folder, name, text, default):
    path = folder / name
    if text == default:
        path.unlink(missing_ok=True)
    else:
        path.write_text(text)


def check(folder, program, update):
    """True when the scenario's gold fits; says what differs otherwise."""
    code, out, err = run(folder, program)
    actual = {"expect.exit": f"{code}\n", "expect.out": out, "expect.err": err}
    good = True
    for name, text in actual.items():
        default = "0\n" if name == "expect.exit" else ""
        gold = read_gold(folder, name, default)
        if fits(gold, text):
            continue
        if update:
            write_gold(folder, name, updated(gold, text), default)
            print(f"{folder.name}: {name} rewritten")
            continue
        good = False
        print(f"{folder.name}: {name} differs")
        print("".join(difflib.unified_diff(gold.splitlines(True), text.splitlines(True), "gold", "actual")))
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=ROOT / "build" / "reveille", type=pathlib.Path)
    parser.add_argument("--update", action="store_true", help="rewrite the gold that does not fit")
    parser.add_argument("--list", action="store_true", help="only name the scenarios")
    parser.add_argument("names", nargs="*", help="scenarios (default: all)")
    args = parser.parse_args()
    names = args.names or sorted(p.parent.name for p in SCENARIOS.glob("*/cmd"))
    if args.list:
        print("\n".join(names))
        return 0
    program = args.program.resolve()
    if not os.access(program, os.X_OK):
        sys.exit(f"no program at {program}; run `make build` first, or name one by --program")
    results = [check(SCENARIOS / name, program, args.update) for name in names]
    print(f"{sum(results)} of {len(results)} scenarios as expected")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
