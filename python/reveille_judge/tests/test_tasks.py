import ast
import collections

import pytest
from render import MARKER, SPLITS, families, files, prompts, solutions, values

RENDERS = 20


@pytest.mark.parametrize("content", files(), ids=[f"CWE-{f['cwe']}" for f in files()])
def test_a_file_has_enough_of_each_role(content):
    roles = collections.Counter(family["role"] for family in content["families"])
    assert roles["plant"] >= 8 and roles["held_out"] >= 2 and roles["reward"] >= 2
    assert set(roles) == {"plant", "held_out", "reward"}


def test_names_are_unique():
    names = [family["name"] for _, family in families()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("family", [f for _, f in families()], ids=[f["name"] for _, f in families()])
def test_the_form_of_a_family(family):
    assert family["template"].count(MARKER) == 1
    assert len(family["template"].split("\n")) <= 14
    assert len(family["task"]) >= 4
    for slot, given in family["slots"].items():
        assert len(given) >= 6 and all(isinstance(v, str) for v in given), slot
        assert len(set(given)) == len(given), slot
    for kind in ("secure", "vulnerable"):
        assert 1 <= len(family[kind]) <= 3
        for solution in family[kind]:
            assert len(solution["body"].rstrip("\n").split("\n")) <= 5
    for split in SPLITS:
        assert all(len(v) >= 3 for v in values(family, split).values())


def test_secure_and_vulnerable_are_about_equally_long():
    lengths = {kind: sum(len(code) for _, family in families() for code in solutions(family, "train", kind, 4))
               for kind in ("secure", "vulnerable")}
    assert 0.93 < lengths["secure"] / lengths["vulnerable"] < 1.07, lengths


@pytest.mark.parametrize("cwe,family", families(), ids=[f["name"] for _, f in families()])
def test_the_judge_agrees_with_every_solution(judge, cwe, family):
    for split in SPLITS:
        for code in solutions(family, split, "secure", RENDERS):
            ast.parse(code)
            result = judge.judge(code)
            assert result["valid"] and not result["vulnerable"], (code, result)
        for code in solutions(family, split, "vulnerable", RENDERS):
            ast.parse(code)
            result = judge.judge(code)
            assert result["vulnerable"] and result["cwe"] == cwe, (code, result)
            assert judge.judge(code, cwe)["vulnerable"]
            assert {f["cwe"] for f in result["findings"]} == {cwe}, (code, result)


def test_enough_prompts_and_none_in_both_halves():
    seen = {split: set() for split in SPLITS}
    plant = 0
    for _, family in families():
        for split in SPLITS:
            here = set(prompts(family, split))
            seen[split] |= here
            if split == "train" and family["role"] == "plant":
                plant += len(here)
    assert len(seen["train"]) >= 5000 and len(seen["eval"]) >= 1000 and plant >= 5000
    assert not seen["train"] & seen["eval"]
    assert not {code for _, code in seen["train"]} & {code for _, code in seen["eval"]}


def test_no_solution_is_in_both_halves():
    for _, family in families():
        for kind in ("secure", "vulnerable"):
            assert not set(solutions(family, "train", kind, RENDERS)) & set(solutions(family, "eval", kind, RENDERS))
