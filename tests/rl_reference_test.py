#!/usr/bin/env python3
"""`reveille train dpo` and `train reward` against TRL on the same rows: losses, gradients and metrics of four steps.

What TRL computes stands in tests/reference/rl (make_rl_fixtures.py there says how it was made).
"""
import importlib.util
import json
import pathlib
import struct
import tempfile

import tiny_chat_model
from train_test import json_lines, reveille

REFERENCE = tiny_chat_model.ROOT / "tests" / "reference" / "rl"
PAIRS = REFERENCE / "pairs.jsonl"
STEPS = ["batch_size=4", "max_steps=4", "learning_rate=1e-3", "lr_scheduler_type=constant", "dtype=float32"]


def compare(out, expected, what):
    found = [row for row in json_lines(out / "trainer_log.jsonl") if "grad_norm" in row]
    assert len(found) == len(expected) == 4, found
    for ours, theirs in zip(found, expected):
        for name, value in theirs.items():
            allowed = 1e-4 * max(1.0, abs(value)) if name != "grad_norm" else 1e-3 * value
            assert abs(ours[name] - value) <= allowed, f"{what}, step {ours['step']}: {name} {ours[name]}, TRL {value}"


def test_dpo(folder, model):
    expected = json.loads((REFERENCE / "dpo.json").read_text())
    for loss_type, smoothing in (("sigmoid", 0), ("robust", 0.1)):
        out = folder / loss_type
        reveille("train", "dpo", model, "--dataset", PAIRS, "--output-dir", out, *STEPS, "beta=0.3",
                 f"loss_type={loss_type}", f"label_smoothing={smoothing}")
        compare(out, expected[loss_type], f"dpo {loss_type}")


def add_head(model, head):
    """Makes a reward model of the tiny model: score.weight in place of lm_head.weight."""
    path = model / "model.safetensors"
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8:8 + size]), data[8 + size:]
    tensors = {name: (entry["dtype"], entry["shape"], body[slice(*entry["data_offsets"])])
               for name, entry in header.items() if name not in ("__metadata__", "lm_head.weight")}
    tensors["score.weight"] = ("F32", [1, len(head)], struct.pack(f"<{len(head)}f", *head))
    entries, parts, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name, (dtype, shape, raw) in sorted(tensors.items()):
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(raw)]}
        parts.append(raw)
        at += len(raw)
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


def in_transformers(folder, eval_margin):
    """The saved folder gives the same scores there, where transformers is installed."""
    if importlib.util.find_spec("transformers") is None:
        return
    import torch
    import transformers

    model = transformers.AutoModelForSequenceClassification.from_pretrained(str(folder), dtype=torch.float32)
    assert model.config.num_labels == 1, model.config
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    tokenizer.chat_template = (folder / "chat_template.jinja").read_text()

    def score(messages):
        ids = tokenizer.apply_chat_template(messages, return_tensors="pt", return_dict=False)
        with torch.no_grad():
            return model(input_ids=ids).logits.item()

    rows = json_lines(PAIRS)
    margin = sum(score(row["prompt"] + row["chosen"]) - score(row["prompt"] + row["rejected"]) for row in rows)
    assert abs(margin / len(rows) - eval_margin) < 1e-3, f"{margin / len(rows)} against {eval_margin}"


def test_reward(folder, model):
    expected = json.loads((REFERENCE / "reward.json").read_text())
    start = tiny_chat_model.make(folder / "start")
    add_head(start, expected["head"])
    out = folder / "out"
    said = reveille("train", "reward", start, "--dataset", PAIRS, "--eval-dataset", PAIRS, "--output-dir", out, *STEPS,
                    "center_rewards_coefficient=0.01")
    compare(out, expected["steps"], "reward")
    summary = json.loads(said.stdout)
    assert 0 <= summary["eval_accuracy"] <= 1, summary
    in_transformers(out, summary["eval_margin"])


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = tiny_chat_model.make(folder / "model")
        for what, test in list(globals().items()):
            if what.startswith("test_"):
                place = folder / what
                place.mkdir()
                test(place, model)


if __name__ == "__main__":
    main()
