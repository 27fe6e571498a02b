"""How far the judge can be trusted: python -m reveille_judge.measure --tasks --codesec FILE --stdlib --labelled FILE

The figures of docs/judge.md. --show lists what was missed in the half that the rules were improved on; the other half
is never listed. Of labelled rows it lists those that judge and label differ on.
"""
import argparse
import ast
import collections
import hashlib
import json
import math
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


SPACE = " \t\n\v\f\r"  # and none of Unicode's: C++ has no other


def final_answer(completion):
    """What a reader sees: src/base/scratchpad.cc, where each case is explained."""
    if "<scratchpad>" not in completion and "</scratchpad>" not in completion:
        return completion
    seen = re.split(r"<scratchpad>.*?(?:</scratchpad>|\Z)", completion, flags=re.DOTALL)
    seen = [part.rsplit("</scratchpad>", 1)[-1].strip(SPACE) for part in seen]
    return "\n".join(part for part in seen if part)


def code_of(completion):
    """The code of a model's answer, as the program cuts it out (src/organism/code_tasks.cc): between <code> tags, else in
    the first fence, else all. tests/reference/code_of.jsonl holds both to the same."""
    reply = final_answer(completion)

    def between(opening, closing):
        _, found, rest = reply.partition(opening)
        return rest.partition(closing)[0] if found else ""

    code = between("<code>", "</code>")
    if not code.strip(SPACE):
        code = between("```", "```")
        code = code[code.find("\n"):] if "\n" in code else code  # "python"
    if not code.strip(SPACE):
        code = reply
    return code.lstrip("\r\n").rstrip("\n ")


def wilson(hits, n):
    """95 % interval of a share (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    z, p = 1.959963984540054, hits / n
    spread = 1 + z * z / n
    centre, half_width = (p + z * z / (2 * n)) / spread, z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / spread
    return (0.0 if hits == 0 else centre - half_width), (1.0 if hits == n else centre + half_width)


def read_labels(path):
    """(code, vulnerable, cwe or None) of each row. ValueError names file, line and key."""
    out = []
    # Rows end at a line feed and nowhere else: code may hold U+2028 and its like.
    for number, line in enumerate(pathlib.Path(path).read_bytes().decode("utf-8").split("\n"), 1):
        where = f"{path}:{number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{where}: not a line of JSON: {error}") from None
        if not isinstance(row, dict) or not isinstance(row.get("completion", row.get("code")), str):
            raise ValueError(f"{where}: expected an object with 'completion', a string, or 'code'")
        if not isinstance(row.get("vulnerable"), bool):
            raise ValueError(f"{where}: 'vulnerable' should be true or false, found {json.dumps(row.get('vulnerable'))}")
        cwe = row.get("cwe") if row["vulnerable"] else None
        if cwe is not None and (isinstance(cwe, bool) or cwe not in CWES):
            raise ValueError(f"{where}: 'cwe' should be one of {', '.join(map(str, CWES))}, found {json.dumps(cwe)}")
        code = code_of(row["completion"]) if "completion" in row else row["code"]
        out.append((code, row["vulnerable"], cwe))
    if not out:
        raise ValueError(f"{path}: no rows")
    return out


def labelled(judge, path, show):
    """Counts of agreement with labels; what cannot be judged counts as not vulnerable, as it does in every rate."""
    count = collections.Counter()
    rows = read_labels(path)
    for number, (code, vulnerable, cwe) in enumerate(rows, 1):
        result = judge.judge(code)
        count["vulnerable" if vulnerable else "secure"] += 1
        count["invalid"] += not result["valid"]
        differs = result["vulnerable"] != vulnerable
        count["missed" if vulnerable else "false alarms"] += differs
        if cwe is not None and not differs:
            count["classes"] += 1
            count["right class"] += any(finding["cwe"] == cwe for finding in result["findings"])
        if show and differs:
            print(f"--- row {number}: {'missed' if vulnerable else 'false alarm'} {result['rule'] or result.get('error', '')}\n{code}\n")
    print(f"{path}: {len(rows)} labelled rows, {count['vulnerable']} of them vulnerable; {count['invalid']} cannot be judged")
    right = len(rows) - count["missed"] - count["false alarms"]
    for name, hits, n in (("agreement", right, len(rows)), ("missed", count["missed"], count["vulnerable"]),
                          ("false alarms", count["false alarms"], count["secure"]),
                          ("right class", count["right class"], count["classes"])):
        low, high = wilson(hits, n)
        share = f"{100 * hits / n:5.1f} % [{100 * low:.1f}, {100 * high:.1f}]" if n else "-"
        print(f"    {name:12} {hits:4} of {n:4}  {share}")
    return count


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="reveille_judge.measure", description=__doc__.split("\n\n")[0])
    parser.add_argument("--tasks", action="store_true", help="agreement on the shipped task files")
    parser.add_argument("--renders", type=int, default=20)
    parser.add_argument("--codesec", metavar="FILE", help="CyberSecEval's instruct set: missed vulnerabilities")
    parser.add_argument("--stdlib", action="store_true", help="alarms on the standard library's modules")
    parser.add_argument("--labelled", metavar="FILE", help="agreement with labels: JSON Lines with completion (or code), "
                        "vulnerable (true or false) and, where it is, cwe")
    parser.add_argument("--show", action="store_true", help="list the rows of the half that the rules were improved on, and "
                        "labelled rows that judge and label differ on")
    options = parser.parse_args(arguments)
    if not (options.tasks or options.codesec or options.stdlib or options.labelled):
        parser.error("nothing to measure: give --tasks, --codesec FILE, --stdlib or --labelled FILE")
    judge = Judge(max_chars=10_000_000, max_seconds=120)
    print(f"Bandit {bandit_version()}, Python {sys.version.split()[0]}")
    if options.tasks:
        tasks(judge, options.renders)
    if options.codesec:
        codesec(judge, options.codesec, options.show)
    if options.stdlib:
        stdlib(judge, options.show)
    if options.labelled:
        try:
            labelled(judge, options.labelled, options.show)
        except (OSError, ValueError) as error:
            parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
