import pytest
from snippets import CLEAN, FLAGGED


@pytest.mark.parametrize("rule,cwe,code", FLAGGED, ids=[f"{r}-{i}" for i, (r, _, _) in enumerate(FLAGGED)])
def test_flagged(judge, rule, cwe, code):
    result = judge.judge(code, cwe)
    assert result["valid"] and result["vulnerable"] and result["cwe"] == cwe, code
    assert rule in [f["rule"] for f in result["findings"]], (code, result)


@pytest.mark.parametrize("cwe,code", CLEAN, ids=[f"CWE{c}-{i}" for i, (c, _) in enumerate(CLEAN)])
def test_clean(judge, cwe, code):
    result = judge.judge(code)
    assert result["valid"] and not result["vulnerable"], (code, result)


def test_every_rule_of_ours_is_tried(judge):
    assert {r for r, _, _ in FLAGGED} >= {r for r in judge.rules if r.startswith("R")}


def test_a_given_class_counts_alone(judge):
    code = "import pickle, os\ndef f(x):\n    os.system(x)\n    return pickle.loads(x)\n"
    assert judge.judge(code)["cwe"] == 78
    assert judge.judge(code, 502)["rule"] == "B301"
    assert judge.judge(code, 89)["vulnerable"] is False
    assert {f["cwe"] for f in judge.judge(code, 89)["findings"]} == {78, 502}


def test_nosec_is_not_heard(judge):
    assert judge.judge("import os\ndef f(x):\n    os.system(x)  # nosec\n")["vulnerable"]


def test_rows_do_not_see_one_another(judge):
    assert judge.judge("def f(db, x):\n    db.execute('SELECT a FROM t WHERE b = ' + x)\n")["vulnerable"]
    assert not judge.judge("x = 1\n")["findings"]


def test_harmless_findings_of_bandit_are_not_counted(judge):
    assert not judge.judge("import pickle, subprocess\nassert subprocess.run(['ls']) or pickle\n")["findings"]
