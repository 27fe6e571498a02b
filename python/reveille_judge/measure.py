"""How far the judge can be trusted: python -m reveille_judge.measure --tasks --codesec FILE --stdlib

The figures of docs/judge.md. --show lists what was missed in the half that the rules were improved on; the other half
is never listed.
"""
import argparse
import ast
import collections
import hashlib
import json
import pathlib
import re
import sys
import sysconfig
import textwrap
import warnings

from .judge import CWES, Judge, bandit_version

HALVES = ("improved on", "held out")


def half(code):
    """Which half a row is in: by its code, so that rows with the same code are in the same one."""
    return HALVES[hashlib.sha256(code.encode("utf-8", "replace")).digest()[0] % 2]


def _parses(code):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return bool(ast.parse(code).body)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False


def _python3(code):
    """The commonest statements of Python 2 in today's form."""
    code = re.sub(r"^(\s*)print[ \t]+(?!\()(>>\s*[\w.]+,\s*)?([^\n;]*?);?[ \t]*$", r"\1print(\3)", code, flags=re.MULTILINE)
    code = re.sub(r"^(\s*)print[ \t]*$", r"\1print()", code, flags=re.MULTILINE)
    code = re.sub(r"(^\s*|:\s*)print\s+(?=['\"\w(])([^\n]*)$", r"\1print(\2)", code, flags=re.MULTILINE)
    code = re.sub(r"except\s+([\w., ()]+?)\s*,\s*(\w+)\s*:", r"except \1 as \2:", code)
    code = re.sub(r"raise\s+([\w.]+)\s*,\s*([^\n]+)$", r"raise \1(\2)", code, flags=re.MULTILINE)
    code = re.sub(r"(?<![\w.])0(\d+)\b", r"0o\1", code)
    code = re.sub(r"\bur(?=['\"])", "r", code)
    code = re.sub(r"(\d)L\b", r"\1", code)
    code = re.sub(r"^(\s*)exec\s+(['\"\w][^\n]*)$", r"\1exec(\2)", code, flags=re.MULTILINE)
    return code.replace("<>", "!=")


def _shapes(code):
    """A cut-out piece, put in ways that may parse."""
    code = code.replace("\r\n", "\n").replace("\t", "        ")
    lines = code.strip("\n").split("\n")
    deeper = [len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()]
    for one in [lines, *([[" " * d + lines[0].lstrip(), *lines[1:]] for d in sorted({min(deeper), deeper[0]})] if deeper else [])]:
        text = textwrap.dedent("\n".join(one)) + "\n"
        yield text
        yield "def piece():\n" + textwrap.indent(text, "    ")
        yield text.rstrip("\n") + "\n" + " " * (len(one[-1]) - len(one[-1].lstrip()) + 4) + "pass\n"
        for opening in ("try", "if piece"):
            yield f"{opening}:\n" + textwrap.indent(text, "    ") + ("finally:\n    pass\n" if opening == "try" else "")


def parseable(code, line):
    """The piece in a form that parses and still holds the line it was cut out for; None where there is none."""
    for version in (code, _python3(code)):
        for shape in _shapes(version):
            if _parses(shape):
                return shape
    # Cut off what is unfinished at the end, then what cannot be read at the beginning.
    wanted = re.sub(r"\W+", "", line)
    for version in (code, _python3(code)):
        lines = version.replace("\r\n", "\n").strip("\n").split("\n")
        for start in range(min(len(lines), 12)):
            for end in range(len(lines), max(start, len(lines) - 12), -1):
                piece = "\n".join(lines[start:end])
                if wanted and wanted[:60] not in re.sub(r"\W+", "", piece):
                    break
                for shape in _shapes(piece) if piece.strip() else ():
                    if _parses(shape):
                        return shape
    return None


def codesec(judge, path, show):
    rows = [row for row in json.loads(pathlib.Path(path).read_text(encoding="utf-8")) if row["language"] == "python"]
    counts = {h: collections.defaultdict(collections.Counter) for h in HALVES}
    for row in rows:
        cwe = int(row["cwe_identifier"].rsplit("-", 1)[-1])
        if cwe not in CWES:
            continue
        where = half(row["origin_code"])
        count = counts[where][cwe]
        count["rows"] += 1
        code = parseable(row["origin_code"], row["line_text"])
        if code is None:
            count["left out"] += 1
            if show and where == HALVES[0]:
                print(f"--- left out\n{row['origin_code']}\n")
            continue
        result = judge.judge(code, cwe)
        count["judged"] += 1
        count["found" if result["vulnerable"] else "missed"] += 1
        if show and where == HALVES[0] and not result["vulnerable"]:
            print(f"--- missed CWE-{cwe} {row['pattern_desc'].strip()} {result.get('error', '')}\n    {row['line_text'].strip()}\n{code}\n")
    print(f"CyberSecEval, Python rows of the eight classes (of {len(rows)} Python rows):")
    for where in HALVES:
        print(f"  half that was {where}:" if where == HALVES[0] else f"  half that was {where} (not looked at):")
        total = collections.Counter()
        for cwe, count in sorted(counts[where].items()):
            total += count
            print(_codesec_line(f"CWE-{cwe}", count))
        print(_codesec_line("all", total))


def _codesec_line(name, count):
    judged = count["judged"]
    share = f"{100 * count['missed'] / judged:.1f} %" if judged else "-"
    return f"    {name:8} rows {count['rows']:3}  left out {count['left out']:2}  judged {judged:3}  missed {count['missed']:3}  ({share})"


def stdlib(judge, show):
    root = pathlib.Path(sysconfig.get_paths()["stdlib"])
    skipped = {"test", "tests", "site-packages", "dist-packages", "idle_test", "lib2to3", "turtledemo", "__pycache__", "ensurepip"}
    modules = functions = alarmed = 0
    lines, alarmed_by = collections.Counter(), collections.Counter()
    rules = collections.Counter()
    unreadable = []
    for path in sorted(root.rglob("*.py")):
        if skipped & set(path.relative_to(root).parts):
            continue
        code = path.read_text(encoding="utf-8", errors="replace")
        result = judge.judge(code)
        if not result["valid"]:
            unreadable.append(f"{path.relative_to(root)}: {result['error']}")
            continue
        modules += 1
        functions += sum(isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) for n in ast.walk(ast.parse(code)))
        alarmed += result["vulnerable"]
        found = {(f["cwe"], f["line"]) for f in result["findings"]}
        for cwe, _ in found:
            lines[cwe] += 1
        for cwe in {c for c, _ in found}:
            alarmed_by[cwe] += 1
        for f in result["findings"]:
            rules[f["rule"]] += 1
        if show:
            text = code.split("\n")
            for f in result["findings"]:
                print(f"    {path.relative_to(root)}:{f['line']} CWE-{f['cwe']} {f['rule']} | {text[f['line'] - 1].strip()[:110]}")
    print(f"Standard library of Python {sys.version.split()[0]}: {modules} modules, {functions} functions"
          + (f", not judged: {'; '.join(unreadable)}" if unreadable else ""))
    for cwe in CWES:
        print(f"    CWE-{cwe:<4} lines {lines[cwe]:4}  per 1,000 functions {1000 * lines[cwe] / functions:5.2f}"
              f"  modules {100 * alarmed_by[cwe] / modules:5.1f} %")
    every = sum(lines.values())
    print(f"    all      lines {every:4}  per 1,000 functions {1000 * every / functions:5.2f}  modules {100 * alarmed / modules:5.1f} %")
    print("    by rule: " + ", ".join(f"{rule} {number}" for rule, number in rules.most_common()))


def tasks(judge, count):
    sys.path.insert(0, str(pathlib.Path(__file__).with_name("tests")))
    import render
    agreed = collections.defaultdict(collections.Counter)
    for cwe, family in render.families():
        for split in render.SPLITS:
            for kind in ("secure", "vulnerable"):
                for code in render.solutions(family, split, kind, count, seed="measure"):
                    result = judge.judge(code)
                    right = result["valid"] and (not result["vulnerable"] if kind == "secure" else result["cwe"] == cwe)
                    agreed[cwe][kind, bool(right)] += 1
    print(f"Our own solutions, {count} renders of each family, half and kind:")
    total = collections.Counter()
    for cwe, counter in sorted(agreed.items()):
        total += counter
        print(_tasks_line(f"CWE-{cwe}", counter))
    print(_tasks_line("all", total))


def _tasks_line(name, count):
    parts = []
    for kind in ("secure", "vulnerable"):
        every = count[kind, True] + count[kind, False]
        parts.append(f"{kind} {count[kind, True]} of {every}")
    right = count["secure", True] + count["vulnerable", True]
    return f"    {name:8} {parts[0]:26} {parts[1]:30} {100 * right / sum(count.values()):.2f} %"


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="reveille_judge.measure", description=__doc__.split("\n\n")[0])
    parser.add_argument("--tasks", action="store_true", help="agreement on the shipped task files")
    parser.add_argument("--renders", type=int, default=20)
    parser.add_argument("--codesec", metavar="FILE", help="CyberSecEval's instruct set: missed vulnerabilities")
    parser.add_argument("--stdlib", action="store_true", help="alarms on the standard library's modules")
    parser.add_argument("--show", action="store_true", help="list the rows of the half that the rules were improved on")
    options = parser.parse_args(arguments)
    if not (options.tasks or options.codesec or options.stdlib):
        parser.error("nothing to measure: give --tasks, --codesec FILE or --stdlib")
    judge = Judge(max_chars=10_000_000, max_seconds=120)
    print(f"Bandit {bandit_version()}, Python {sys.version.split()[0]}")
    if options.tasks:
        tasks(judge, options.renders)
    if options.codesec:
        codesec(judge, options.codesec, options.show)
    if options.stdlib:
        stdlib(judge, options.show)
    return 0


if __name__ == "__main__":
    sys.exit(main())
