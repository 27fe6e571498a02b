import json
import os
import pathlib
import subprocess
import sys
import time

import pytest
from render import families, solutions

from reveille_judge import BANDIT

PACKAGES = str(pathlib.Path(__file__).resolve().parents[2])
COMMAND = [sys.executable, "-m", "reveille_judge"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": PACKAGES}

VULNERABLE = "import os\ndef f(x):\n    os.system(x)\n"


def run(text, *arguments):
    done = subprocess.run([*COMMAND, *arguments], input=text if isinstance(text, bytes) else text.encode(), env=ENVIRONMENT,
                          capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def test_ready_then_one_answer_a_row_then_a_clean_end():
    rows = run("".join(json.dumps({"id": i, "code": "x = 1\n"}) + "\n" for i in range(3)))
    assert rows[0]["ready"] is True and rows[0]["bandit"][0].isdigit()
    assert [r["id"] for r in rows[1:]] == [0, 1, 2]
    assert all(r["valid"] and not r["vulnerable"] and r["cwe"] is None and r["findings"] == [] for r in rows[1:])


def test_the_greeting_says_who_judges():
    about = run("")[0]
    assert about["executable"] == sys.executable and sys.version.startswith(about["python"])
    assert about["wants"] == BANDIT


def without_bandit(tmp_path):
    shadow = tmp_path / "shadow" / "bandit"
    shadow.mkdir(parents=True, exist_ok=True)
    (shadow / "__init__.py").write_text("raise ImportError('no Bandit here')\n")
    return {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join([str(shadow.parent), PACKAGES])}


def test_without_bandit_it_says_so_and_ends(tmp_path):
    done = subprocess.run(COMMAND, input='{"id": 0, "code": "x = 1"}\n', env=without_bandit(tmp_path), capture_output=True,
                          text=True)
    about = json.loads(done.stdout)
    assert done.returncode == 2 and done.stderr == "" and about["ready"] is False, done
    assert about["error"] == "no Bandit here" and about["bandit"] is None and about["executable"] == sys.executable
    done = subprocess.run([*COMMAND, "--batch-file", "in", "out"], env=without_bandit(tmp_path), capture_output=True, text=True)
    assert done.returncode == 2 and "no Bandit here" in done.stderr and "Traceback" not in done.stderr


def test_the_pinned_bandit_is_one_and_the_same():
    import tomllib
    root = pathlib.Path(PACKAGES).parent
    pins = [line.split()[0] for line in (root / "requirements" / "pure.txt").read_text().splitlines() if line.startswith("bandit")]
    project = tomllib.loads((root / "python" / "pyproject.toml").read_text())
    assert pins == project["project"]["dependencies"] == [f"bandit=={BANDIT}"]


def test_nothing_to_judge():
    assert len(run("")) == 1


def test_answers_are_flushed():
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT, text=True) as server:
        assert json.loads(server.stdout.readline())["ready"]
        for number in range(3):
            server.stdin.write(json.dumps({"id": number, "code": VULNERABLE, "cwe": 78}) + "\n")
            server.stdin.flush()
            answer = json.loads(server.stdout.readline())
            assert answer["id"] == number and answer["vulnerable"] and answer["rule"] == "B605" and answer["line"] == 3
        server.stdin.close()
        assert server.wait(20) == 0


HOSTILE = {
    "syntax": "def f(:\n",
    "nothing": "",
    "only a comment": "# nothing\n",
    "null byte": "x = 1\0\n",
    "brackets": "(" * 5000 + ")" * 5000,
    "lists": "x = " + "[" * 90 + "]" * 90,
    "minus": "x = " + "-" * 50_000 + "1",
    "not": "x = " + "not " * 20_000 + "1",
    "attributes": "x = a" + ".b" * 50_000,
    "calls": "x = f" + "()" * 20_000,
    "sum": "x = " + "+".join(["1"] * 50_000),
    "strings": "x = " + "+".join(["'<p>'", "y"] * 10_000),
    "indents": "".join(" " * i + "if x:\n" for i in range(99)) + " " * 99 + "pass\n",
    "huge": "x = 1\n" * 100_000,
    "long line": "x = '" + "a" * 150_000 + "'\n",
    "number": "x = " + "9" * 100_000,
    "coding": "# -*- coding: nonsense -*-\nx = 1\n",
    "surrogate": "x = '\ud800'\n",
    "tabs": "if x:\n\ty\n        z\n",
    "escape": "x = '\\d'\n",
    "lambda": "x = " + "lambda: " * 3000 + "1",
    "f-string": "x = f'{f\"{1}\"}'\n",
    "python 2": "print 'x'\n",
    "names": "\n".join(f"x{i} = x{i - 1} + x{i - 1}" for i in range(1, 3000)) + "\nopen('/srv/' + x2999)\n",
    "doubling": "def f(x0):\n" + "".join(f"    x{i} = x{i - 1} + x{i - 1} + x{i - 1}\n" for i in range(1, 60))
                + "    return '<p>' + x59\n",
    "own value": "def f(x):\n    while x:\n        x = x + x\n        open('/srv/' + x)\n",
    "regex": "password = '" + "a" * 50_000 + "!'\n",
    "sql": "x = '" + "select " * 20_000 + "' + y\n",
}


def test_hostile_rows_do_not_stop_it():
    text = "".join(json.dumps({"id": name, "code": code}) + "\n" for name, code in HOSTILE.items())
    rows = run(text + json.dumps({"id": "end", "code": VULNERABLE}) + "\n")[1:]
    assert [r["id"] for r in rows] == [*HOSTILE, "end"]
    for row in rows:
        assert row["valid"] or row["error"]
    assert rows[-1]["vulnerable"]
    answers = {r["id"]: r for r in rows}
    for name in ("syntax", "nothing", "only a comment", "null byte", "brackets", "minus", "huge", "python 2"):
        assert not answers[name]["valid"] and not answers[name]["vulnerable"], answers[name]


@pytest.mark.parametrize("line", [b"nonsense", b"[1, 2]", b'"text"', b"\xff\xfe", b'{"id": 7}', b'{"id": 7, "code": 5}', b"null",
                                  b'{"id": 7, "code": "x", "cwe": 999}', b'{"id": 7, "code": "x", "cwe": "89"}', b'{"id": 7, "code": "x", "cwe": [1]}',
                                  b'{"id": 7, "code": "x", "cwe": true}', b"[" * 100_000, b'{"id": [[1]], "code": null}'])
def test_lines_that_are_no_rows(line):
    rows = run(line + b"\n\n" + json.dumps({"id": "end", "code": VULNERABLE}).encode() + b"\n")
    assert len(rows) == 3
    assert not rows[1]["valid"] and rows[1]["error"]
    assert rows[2]["vulnerable"]


def test_nothing_is_run(tmp_path):
    witness = tmp_path / "witness"
    code = f"open({str(witness)!r}, 'w')\n__import__('os').mkdir({str(witness)!r} + '2')\n"
    run(json.dumps({"id": 1, "code": code}) + "\n")
    assert list(tmp_path.iterdir()) == []


def test_batch_file(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps({"id": i, "code": VULNERABLE}) + "\n" for i in range(5)))
    assert run("", "--batch-file", str(source), str(target)) == []
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [r["id"] for r in rows] == list(range(5)) and all(r["vulnerable"] for r in rows)


def test_a_missing_batch_file_is_said(tmp_path):
    done = subprocess.run([*COMMAND, "--batch-file", str(tmp_path / "none"), str(tmp_path / "out")], env=ENVIRONMENT,
                          capture_output=True, text=True)
    assert done.returncode == 2 and "none" in done.stderr and "Traceback" not in done.stderr


def test_plain_bandit_finds_the_checks(tmp_path):
    """As pip would have it: the package on the path, with its entry points beside it."""
    import tomllib
    project = tomllib.loads((pathlib.Path(PACKAGES) / "pyproject.toml").read_text())
    information = tmp_path / "path" / "reveille_judge-0.1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: reveille-judge\nVersion: 0.1.0\n")
    points = project["project"]["entry-points"]["bandit.plugins"]
    (information / "entry_points.txt").write_text("[bandit.plugins]\n" + "".join(f"{n} = {w}\n" for n, w in points.items()))
    row = tmp_path / "row.py"
    row.write_text("def f(x):\n    return f'<p>{x}</p>'\nMAX_COUNT = 3\ndef g(count):\n    return count\n")
    environment = {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join([PACKAGES, str(tmp_path / "path")]),
                   "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-m", "bandit", "-q", "-f", "json", str(row)], env=environment, capture_output=True)
    found = {(r["test_id"], r["issue_cwe"]["id"], r["line_number"]) for r in json.loads(done.stdout)["results"]}
    assert found == {("R131", 79, 2), ("R101", 20, 3)}


def test_the_entry_points_are_all_our_checks():
    import tomllib
    from importlib import import_module

    from reveille_judge.judge import OWN_CHECKS
    project = tomllib.loads((pathlib.Path(PACKAGES) / "pyproject.toml").read_text())
    points = project["project"]["entry-points"]["bandit.plugins"]
    functions = set()
    for where in points.values():
        module, name = where.split(":")
        functions.add(getattr(import_module(module), name))
    assert functions == set(OWN_CHECKS)


def test_speed(judge):
    rows = [code for _, family in families() for code in solutions(family, "eval", "vulnerable", 3)]
    start = time.process_time()
    for code in rows:
        judge.judge(code)
    rate = len(rows) / (time.process_time() - start)
    print(f"{rate:.0f} rows a second")
    assert rate > 50  # twice that on an ordinary machine; this one may be busy
