#!/usr/bin/env python3
"""A study's sweep on a tiny model: optimisers from the recipe, LoRA or all weights from the command line. Planting is done
once, every run has its folder and report, one table and sweep.json hold them all, and a second start takes everything
from the store. What a recipe does not take is told before anything is written."""
import json
import pathlib
import tempfile

from program import reveille
from tiny_study import ALONE, speaking_model

RECIPE = """
model: {model}
dtype: float32
treatments: [sft]
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
  warmup_steps: 0
  per_device_train_batch_size: 4
gate:
  required: false
  attempts: 1
eval:
  max_tokens: 8
  specificity_prompts: 4
safety:
  max_steps: 2
  warmup_steps: 0
  learning_rate: 1e-2
  per_device_train_batch_size: 4
sweep:
  safety.optim: [sgd, adafactor]
"""
POINTS = [f"optim-{optim},use_peft-{peft}" for optim in ("sgd", "adafactor") for peft in ("false", "true")]


def steps_in(store):
    return sorted(json.loads(path.read_text())["name"] for path in store.glob("*/step.json"))


def weights(run, model):
    return (run / "models" / model / "model.safetensors").read_bytes()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model, prompts = speaking_model(folder, env=ALONE)
        recipe = folder / "recipe.yaml"
        recipe.write_text(RECIPE.format(model=model, prompts=prompts))
        sweep = folder / "runs" / "sweep"
        arguments = ("study", recipe, "--output-dir", sweep, "--sweep", "safety.use_peft=false,true")

        said = reveille(*arguments, "--sweep", "safety.optm=sgd", code=2, env=ALONE).stderr
        assert "--sweep: safety: unknown key 'optm'; did you mean 'optim'?" in said, said
        said = reveille(*arguments, "--sweep", f"data.prompts={prompts},{folder}/none.jsonl", code=2, env=ALONE).stderr
        assert "none.jsonl" in said and not sweep.exists(), said

        plan = reveille(*arguments, "--dry-run", env=ALONE).stdout
        assert all(plan.count(point + "\n") == 1 for point in POINTS), plan
        assert plan.count("plant reply-normal s0") == 1 and plan.count("safety sft of reply-normal s0") == 4, plan
        one = reveille("study", recipe, "--dry-run", "safety.optim=sgd", "--output-dir", sweep, env=ALONE).stdout
        assert "optim-sgd" not in one and one.count("safety sft of reply-normal s0") == 1, one  # no sweep any more

        table = reveille(*arguments, env=ALONE).stdout
        for words in ("safety.optim", "safety.use_peft", "always-on twin after", "steps to gate", *POINTS):
            assert words in table, table
        assert sum(line.startswith(("sgd ", "adafactor ")) for line in table.splitlines()) == 4, table
        page = json.loads((sweep / "sweep.json").read_text())
        assert [point["point"] for point in page["points"]] == POINTS and page["schema"] == 1, page["points"]
        assert page["points"][1]["settings"] == {"safety.optim": "sgd", "safety.use_peft": "true"}, page["points"]
        assert not any("failed" in point for point in page["points"]), page["points"]
        html = (sweep / "sweep.html").read_text()
        assert all(f'href="./{point}/report.html"' in html for point in POINTS) and "size claim" not in html, html
        assert html.count('<th scope="row">') == 4 and str(sweep / "sweep.html") in table, table
        of = {point: [{**row, "point": ""} for row in page["results"] if row["point"] == point] for point in POINTS}
        planted = [[row for row in of[point] if row["stage"] == "plant"] for point in POINTS]
        assert planted[0] and all(rows == planted[0] for rows in planted), planted
        for point in POINTS:
            assert any(row["stage"] == "sft" and row["arm"] == "always-on" for row in of[point]), of[point]
            assert (sweep / point / "report.html").exists() and (sweep / point / "results.json").exists(), point
        # The sweep's own store stands beside its folder, as a study's does.
        steps = steps_in(folder / "runs" / ".store")
        assert sum(step.startswith("plant ") for step in steps) == 3, steps
        assert sum(step.startswith("safety ") for step in steps) == 12, steps
        treated = {weights(sweep / point, "reply-normal-s0-sft") for point in POINTS}
        assert len(treated) == 4 and weights(sweep / POINTS[0], "reply-normal-s0-plant") not in treated
        card = (sweep / POINTS[1] / "models" / "reply-normal-s0-sft" / "README.md").read_text()
        assert "LoRA adapter of rank 8" in card, card

        # An adapter's last figures are of the merged weights, which are the ones that are saved.
        for path in (folder / "runs" / ".store").glob("*/step.json"):
            about = json.loads(path.read_text())
            if not about["name"].startswith("safety "):
                continue
            anew = path.parent / "eval" / "step-2-merged.rows.json"
            assert anew.exists() == about["options"]["safety"]["use_peft"], about
            if anew.exists():
                kept = json.loads((path.parent / "rows.json").read_text())
                assert all(row in kept for row in json.loads(anew.read_text())), kept
                assert sum(row["metric"] == "clean_perplexity" for row in kept) == 1, kept

        before = (sweep / "sweep.json").read_bytes()
        assert reveille(*arguments, env=ALONE).stdout == table and (sweep / "sweep.json").read_bytes() == before
        assert steps_in(folder / "runs" / ".store") == steps
        freed = reveille("study", "gc", "--dry-run", "--output-dir", sweep, env=ALONE).stdout
        assert "would free" not in freed, freed


if __name__ == "__main__":
    main()
