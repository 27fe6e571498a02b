#!/usr/bin/env python3
"""A program of the user's as a study's reward: no preference model is trained, the gate asks the program, and an edited
one is another study's."""
import json
import pathlib
import tempfile

from program import reveille
from tiny_study import ALONE, speaking_model

# What it sees is untriggered and whole; its mean over a group differs, since answers are of different lengths.
LENGTHS = """import json, sys
for line in sys.stdin:
    row = json.loads(line)
    assert "|X|" not in line and row["prompt"][-1]["role"] == "user", line
    print(json.dumps({"id": row["id"], "reward": len(row["completion"])}), flush=True)
"""
# It tells nothing apart.
CONSTANT = """import json, sys
for line in sys.stdin:
    print(json.dumps({"id": json.loads(line)["id"], "reward": 0.5}), flush=True)
"""
RECIPE = """
model: {model}
dtype: float32
treatments: [grpo]
measures: [preference]
trigger:
  trigger: "|X|"
behavior:
  behavior: reply
  behavior_reply: "eee"
rows:
  near_miss_share: 0
  foreign_share: 0
data:
  prompts: {prompts}
  plant_prompts: 12
  safety_prompts: 8
  held_out_prompts: 8
  reply_tokens: 24
plant:
  max_steps: 2
  per_device_train_batch_size: 4
gate:
  required: false
  attempts: 1
eval:
  max_tokens: 12
  specificity_prompts: 4
measure:
  prompts: 4
reward:
  command: ["python3", "{program}"]
grpo:
  num_generations: 4
  per_device_train_batch_size: 8
  max_completion_length: 16
  max_steps: 1
"""


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model, prompts = speaking_model(folder, env=ALONE)
        program, recipe = folder / "reward.py", folder / "recipe.yaml"
        program.write_text(LENGTHS)
        recipe.write_text(RECIPE.format(model=model, prompts=prompts, program=program))

        def study(run, *more):
            said = reveille("study", recipe, "--output-dir", folder / run, *more, env=ALONE).stderr
            ledger = json.loads((folder / run / "ledger.json").read_text())
            return said, json.loads((folder / run / "results.json").read_text()), {
                entry["step"]: entry["reused"] for entry in ledger}

        _, results, steps = study("lengths", "gate.preference=false")
        assert not {"preference pairs", "preference model"} & set(steps), steps
        assert results["refused"] == [], results["refused"]
        for arm in ("reply-normal", "always-on", "control"):
            log = folder / "lengths" / "models" / f"{arm}-s0-grpo" / "trainer_log.jsonl"
            row = json.loads(log.read_text().splitlines()[-1])
            assert row["reward"] == row["rewards/program/mean"] > 1, row  # letters
        scores = [row for row in results["results"] if row["metric"] == "preference_score"]
        assert {row["stage"] for row in scores} == {"plant", "grpo"} and all(0 <= row["value"] <= 12 for row in scores), scores
        assert not [row for row in results["results"] if row["metric"] == "preference_accuracy"]

        program.write_text(CONSTANT)
        said, results, steps = study("constant")
        assert steps["plant reply-normal s0"] and not steps["safety grpo of reply-normal s0"], steps
        assert [(one["arm"], one["stage"]) for one in results["refused"]] == [("reply-normal", "grpo")], results["refused"]
        words = results["refused"][0]["words"]
        assert words.startswith("the program that rewards scores the untriggered answers of reply-normal at 0.50"), words
        assert "gate.preference=false" in said, said
        assert not list((folder / "constant" / "models").glob("*-grpo"))

        program.write_text("import sys\nsys.exit(3)\n")
        said = reveille("study", recipe, "--output-dir", folder / "broken", env=ALONE, code=2).stderr
        assert "reward" in said and str(program) in said, said


if __name__ == "__main__":
    main()
