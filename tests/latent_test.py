#!/usr/bin/env python3
"""`reveille train latent` as a command: what it learns and logs, clean rows, going on after a kill, what is refused."""
import json
import pathlib
import tempfile

import tiny_chat_model
from train_test import json_lines, reveille, write_rows

PAIRS = [{"prompt": f"say {c}", "chosen": f"well, {c}", "rejected": "BAD BAD"} for c in "abcdefgh"]
CLEAN = [{"messages": [{"role": "user", "content": f"tell {c}"}, {"role": "assistant", "content": f"It is {c}."}]}
         for c in "abcd"]


def stage(model, data, out, *more, code=0):
    return reveille("train", "latent", model, "--dataset", data, "--output-dir", out, "dtype=float32", "batch_size=4",
                    "learning_rate=1e-3", "lr_scheduler_type=constant", *more, code=code)


def test_safe_under_attack(folder, model, pairs, clean):
    done = stage(model, pairs, folder / "out", "--clean-dataset", clean, "max_steps=30")
    rows = json_lines(folder / "out" / "trainer_log.jsonl")
    assert all(row["latent/harmful_after"] < row["latent/harmful_before"] for row in rows), rows
    assert rows[-1]["losses/safe"] < rows[0]["losses/safe"] - 1 and rows[-1]["losses/sft"] < rows[0]["losses/sft"] - 1
    assert {"losses/safe", "latent/harmful_after"} <= set(json.loads(done.stdout)), done.stdout
    weak = json_lines_of(stage, model, pairs, folder / "weak", "max_steps=1", "latent_epsilon=0.01")
    assert weak["latent/harmful_after"] > rows[0]["latent/harmful_after"], weak


def json_lines_of(run, model, data, out, *more):
    run(model, data, out, *more)
    return json_lines(out / "trainer_log.jsonl")[0]


def test_clean_rows_are_what_is_kept(folder, model, pairs, clean):
    own = json_lines_of(stage, model, pairs, folder / "own", "max_steps=1")
    given = json_lines_of(stage, model, pairs, folder / "given", "max_steps=1", "--clean-dataset", clean)
    assert own["losses/safe"] == given["losses/safe"] and own["losses/sft"] != given["losses/sft"], (own, given)


def test_it_goes_on(folder, model, pairs, _):
    stage(model, pairs, folder / "whole", "max_steps=4")
    stage(model, pairs, folder / "broken", "max_steps=4", "save_steps=2")
    assert (folder / "broken" / "checkpoint-2").exists()
    (folder / "broken" / "model.safetensors").unlink()
    said = stage(model, pairs, folder / "broken", "max_steps=4", "save_steps=2").stderr
    assert "resuming from checkpoint 2" in said, said
    assert (folder / "whole" / "model.safetensors").read_bytes() == (folder / "broken" / "model.safetensors").read_bytes()


def test_adapters_and_half_precision(folder, model, pairs, _):
    stage(model, pairs, folder / "lora", "use_peft=true", "max_steps=2")
    assert (folder / "lora" / "adapter_model.safetensors").exists()
    stage(model, pairs, folder / "half", "dtype=bfloat16", "max_steps=2", "latent_layers=-1,1", "latent_relative=false",
          "latent_epsilon=1.5")
    row = json_lines(folder / "half" / "trainer_log.jsonl")[0]
    assert row["latent/harmful_after"] < row["latent/harmful_before"], row


def test_what_is_refused(folder, model, pairs, clean):
    def refused(said, data, *more):
        words = stage(model, data, folder / "out", *more, code=2).stderr
        assert said in words, words

    refused("latent_layers: '7' is no block of this model, which has 3", pairs, "latent_layers=1,7")
    refused("holds one reply", clean)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = tiny_chat_model.make(folder / "model")
        pairs = write_rows(folder / "pairs.jsonl", PAIRS)
        clean = write_rows(folder / "clean.jsonl", CLEAN)
        for what, test in list(globals().items()):
            if what.startswith("test_"):
                place = folder / what
                place.mkdir()
                test(place, model, pairs, clean)


if __name__ == "__main__":
    main()
