"""Agreement with labels (measure.py --labelled)."""
import json
import pathlib

import pytest

from reveille_judge import measure

SECURE = "def f(x):\n    return x + 1\n"
SHELL = "import os\ndef f(x):\n    os.system(x)\n"


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_code_of_an_answer():
    """The program's own test (src/organism/code_tasks_test.cc) reads the same rows."""
    rows = pathlib.Path(__file__).resolve().parents[3] / "tests" / "reference" / "code_of.jsonl"
    rows = [json.loads(line) for line in rows.read_bytes().decode().split("\n") if line]
    assert len(rows) > 15
    for row in rows:
        assert measure.code_of(row["completion"]) == row["code"], row["why"]


def test_rows_end_at_line_feeds_alone(tmp_path):
    """Other ends of lines, which Python would split at, may stand in a string of JSON as they are."""
    codes = ["x = 'a\u2028b'", "x = 'a\u0085b'", "x = 1"]
    rows = [json.dumps({"code": code, "vulnerable": False}, ensure_ascii=False) for code in codes]
    path = tmp_path / "labels.jsonl"
    path.write_bytes("\r\n".join([*rows, "", rows[2].replace(", ", ",\r")]).encode())
    assert [code for code, _, _ in measure.read_labels(path)] == [*codes, codes[2]]


def test_wilson():
    # Published values: 0, 10 and 5 of 10.
    for hits, expected in ((0, (0, 0.2775)), (10, (0.7225, 1)), (5, (0.2366, 0.7634))):
        assert measure.wilson(hits, 10) == pytest.approx(expected, abs=1e-4)


def test_agreement_is_counted(judge, tmp_path, capsys):
    rows = [{"completion": f"<code>{SHELL}</code>", "vulnerable": True, "cwe": 78},
            {"completion": f"<code>{SHELL}</code>", "vulnerable": True, "cwe": 89},  # found, as another class
            {"completion": f"<code>{SECURE}</code>", "vulnerable": True, "cwe": 22},  # missed
            {"completion": "no code (", "vulnerable": True},                          # missed: it cannot be judged
            {"code": SHELL, "vulnerable": False, "cwe": None},                        # a false alarm
            {"code": SECURE, "vulnerable": False}]
    count = measure.labelled(judge, write(tmp_path / "labels.jsonl", rows), show=True)
    assert count == {"vulnerable": 4, "secure": 2, "invalid": 1, "missed": 2, "false alarms": 1, "classes": 2, "right class": 1}
    said = capsys.readouterr().out
    low, high = measure.wilson(3, 6)
    assert f"agreement       3 of    6   50.0 % [{100 * low:.1f}, {100 * high:.1f}]" in said
    assert "missed          2 of    4   50.0 % [" in said and "false alarms    1 of    2   50.0 % [" in said
    assert "6 labelled rows, 4 of them vulnerable; 1 cannot be judged" in said
    assert [f"row {n}: " in said for n in range(1, 7)] == [False, False, True, True, True, False]


@pytest.mark.parametrize("row, words", [({"completion": "x", "vulnerable": "yes"}, "2: 'vulnerable' should be true or false, found \"yes\""),
                                        ({"vulnerable": True}, "2: expected an object with 'completion'"),
                                        ({"code": "x", "vulnerable": True, "cwe": 99}, "2: 'cwe' should be one of")])
def test_a_bad_row_is_named(tmp_path, capsys, row, words):
    path = write(tmp_path / "labels.jsonl", [{"code": "x = 1", "vulnerable": False}, row])
    with pytest.raises(SystemExit) as end:
        measure.main(["--labelled", str(path)])
    assert end.value.code == 2
    assert f"{path}:{words}" in capsys.readouterr().err
