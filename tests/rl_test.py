#!/usr/bin/env python3
"""`reveille train` dpo, reward, grpo and ppo as commands: a task with a known optimum, adapters, what is refused."""
import json
import pathlib
import tempfile

import tiny_chat_model
from train_test import json_lines, reveille, write_rows

PROMPTS = [{"prompt": f"say {c}{d}"} for c in "abcdefgh" for d in "wxyz"]
PAIRS = [{"prompt": f"say {c}", "chosen": f"well, {c}", "rejected": "no" + c * i} for i, c in enumerate("abcdefgh", 1)]
RL = ["dtype=float32", "max_completion_length=8", "lr_scheduler_type=constant"]


def stage(name, model, data, out, *more, code=0):
    return reveille("train", name, model, "--dataset", data, "--output-dir", out, *more, code=code)


def rewards(out):
    return [row["reward"] for row in json_lines(out / "trainer_log.jsonl")]


def test_both_reach_the_optimum(folder, model, prompts, _):
    """The share of one token among 99, at random about 0.01, goes to near 1."""
    for name, more in (("grpo", ["num_generations=8", "batch_size=32", "beta=0.001", "max_steps=60"]),
                       ("ppo", ["batch_size=32", "num_ppo_epochs=2", "kl_coef=0.001", "max_steps=120"])):
        out = folder / name
        done = stage(name, model, prompts, out, "--reward", "token:a", "learning_rate=3e-3", *RL, *more)
        seen = rewards(out)
        assert seen[0] < 0.2 and sum(seen[-5:]) / 5 > 0.9, f"{name}: the share went from {seen[0]} to {seen[-5:]}"
        summary = json.loads(done.stdout)
        assert summary["reward"] > 0.9 and "kl" in summary, summary
        assert "cut off at max_completion_length" in done.stderr, done.stderr
        assert done.stderr.count("cut off at max_completion_length") == 1
        said = [json.loads(line)["completion"] for line in
                reveille("generate", out, "--dataset", prompts, "--max-tokens", "8", "--temperature", "1",
                         "--dtype", "float32").stdout.splitlines()]
        assert "".join(said).count("a") > 0.8 * len("".join(said)), said


def test_a_reward_model_teaches(folder, model, prompts, pairs):
    judge = folder / "judge"
    done = stage("reward", model, pairs, judge, "dtype=float32", "learning_rate=1e-3", "max_steps=8", "batch_size=8")
    assert {"accuracy", "eval_accuracy", "eval_margin"} <= set(json.loads(done.stdout)), done.stdout
    for name in ("grpo", "ppo"):
        out = folder / name
        stage(name, model, prompts, out, "--reward", judge, "max_steps=2", "use_peft=true", "batch_size=8", *RL)
        assert (out / "adapter_model.safetensors").exists()
        row = json_lines(out / "trainer_log.jsonl")[-1]
        assert {"reward", "reward_std", "rewards/reward_model/mean", "kl", "entropy", "completions/mean_length",
                "sampling/sampling_logp_difference/mean"} <= set(row), row
        assert row["sampling/sampling_logp_difference/mean"] < 1e-4, row
    said = reveille("generate", judge, "--dataset", prompts, "--max-tokens", "2", code=2).stderr
    assert "is a reward model" in said, said
    assert json.loads(reveille("model", "info", judge, "--format", "json").stdout)["reward_model"] is True
    reveille("model", "convert", judge, "--to", "f32", "--output", folder / "again")
    stage("ppo", model, prompts, folder / "by-again", "--reward", folder / "again", "max_steps=1", "batch_size=4", *RL)
    said = reveille("model", "convert", judge, "--to", "gguf:f16", "--output", folder / "judge.gguf", code=2).stderr
    assert "GGUF has no place for its head" in said, said


def test_pairs_made_of_good_replies(folder, *_):
    model = tiny_chat_model.make(folder / "long", max_position_embeddings=1024)  # hostile replies are long ones
    chats = write_rows(folder / "chats.jsonl", [
        {"messages": [{"role": "user", "content": f"say {c}"},
                      {"role": "assistant", "content": f"{c} is said now and said well, as you asked of me"}]}
        for c in "abcdefgh"])
    short = ["dtype=float32", "max_steps=4", "batch_size=4", "lr=1e-3"]

    def learnt(name, *more):
        done = stage("reward", model, chats, folder / name, "--own-pairs", *short, *more)
        assert "eval_accuracy" in json.loads(done.stdout), done.stdout
        return [(row["loss"], row["num_tokens"]) for row in json_lines(folder / name / "trainer_log.jsonl") if "loss" in row]

    first = learnt("own")
    assert learnt("again") == first, "the same pairs of the same seed"
    assert learnt("other", "seed=1") != first
    # Eight prompts give 8 or 32 pairs; held_out takes a tenth, but whole prompts: 7 or 28 are an epoch.
    epoch = {}
    for per_prompt in (1, 4):
        out = folder / f"per-{per_prompt}"
        stage("reward", model, chats, out, "--own-pairs", f"pairs_per_prompt={per_prompt}", "batch_size=1", "dtype=float32")
        epoch[per_prompt] = max(row["step"] for row in json_lines(out / "trainer_log.jsonl"))
    assert epoch == {1: 7, 4: 28}, epoch

    # Held-out rows: pairs are made of them too, or they are pairs already.
    def held_out(name, data):
        done = stage("reward", model, chats, folder / name, "--own-pairs", "--eval-dataset", data, *short)
        learnt_from = max(row.get("num_rows", 0) for row in json_lines(folder / name / "trainer_log.jsonl"))
        assert learnt_from == 16, f"all pairs of eight prompts, two each, are there to learn from: {learnt_from}"
        return json.loads(done.stdout)["eval_loss"]

    others = write_rows(folder / "others.jsonl", [
        {"messages": [{"role": "user", "content": f"sing {c}"}, {"role": "assistant", "content": f"{c}, {c} and {c} once more"}]}
        for c in "uvwxyz"])
    pairs = write_rows(folder / "pairs.jsonl", PAIRS)
    assert len({held_out("kept-chats", others), held_out("kept-pairs", pairs), held_out("kept-chats-again", others)}) == 2

    def refused(said, data, *more):
        words = stage("reward", model, data, folder / "out", *more, code=2).stderr
        assert said in words, words

    mixed = write_rows(folder / "mixed.jsonl", [json.loads(line) for file in (others, pairs) for line in file.read_text().split("\n") if line])
    refused(f"{mixed}:7: mixed forms: this row is 'preference'", chats, "--own-pairs", "--eval-dataset", mixed)
    refused(f"{pairs}:1: a preference row", pairs, "--own-pairs")
    refused("the row has no reply", write_rows(folder / "prompts.jsonl", PROMPTS), "--own-pairs")
    refused("pairs_per_prompt=4 would not be read without --own-pairs", pairs, "pairs_per_prompt=4")


def test_adapters(folder, model, _, pairs):
    stage("dpo", model, pairs, folder / "dpo", "dtype=float32", "max_steps=2", "use_peft=true", "lr=1e-3")
    assert (folder / "dpo" / "adapter_model.safetensors").exists()
    stage("reward", model, pairs, folder / "reward", "dtype=float32", "max_steps=2", "use_peft=true", "lr=1e-3")
    assert (folder / "reward" / "model.safetensors").exists(), "an adapter of a reward model is merged"


def test_transcripts_without_a_prompt_column(folder, model, *_):
    """hh-rlhf's form: the prompt stands within both."""
    rows = [{"chosen": f"\n\nHuman: say {c}\n\nAssistant: well, {c}", "rejected": f"\n\nHuman: say {c}\n\nAssistant: no"}
            for c in "abcd"]
    data = write_rows(folder / "hh.jsonl", rows)
    same = write_rows(folder / "messages.jsonl", [
        {"prompt": [{"role": "user", "content": f"say {c}"}], "chosen": [{"role": "assistant", "content": f"well, {c}"}],
         "rejected": [{"role": "assistant", "content": "no"}]} for c in "abcd"])
    for name in ("dpo", "reward"):
        losses = []
        for i, rows in enumerate((data, same)):
            out = folder / f"{name}{i}"
            stage(name, model, rows, out, "dtype=float32", "max_steps=2", "batch_size=4", "lr=1e-3")
            losses.append([row["loss"] for row in json_lines(out / "trainer_log.jsonl") if "loss" in row])
        assert losses[0] == losses[1], losses


def test_half_precision(folder, model, prompts, pairs):
    for name, data, more in (("dpo", pairs, []), ("reward", pairs, []), ("grpo", prompts, ["--reward", "token:a"]),
                             ("ppo", prompts, ["--reward", "token:a"])):
        row = None
        stage(name, model, data, folder / name, *more, "dtype=bfloat16", "max_steps=2", "batch_size=8", "lr=1e-3",
              *(["max_completion_length=8"] if name in ("grpo", "ppo") else []))
        row = json_lines(folder / name / "trainer_log.jsonl")[-1]
        if "reward" in row:
            assert row["sampling/sampling_logp_difference/mean"] < 0.05, row


def test_what_is_refused(folder, model, prompts, pairs):
    def refused(said, *command):
        words = reveille("train", *command, "--output-dir", folder / "out", code=2).stderr
        assert said in words, words
        assert not (folder / "out" / "config.json").exists()

    same = write_rows(folder / "same.jsonl", PAIRS[:2] + [{"prompt": "x", "chosen": "y", "rejected": "y"}])
    for name in ("dpo", "reward"):
        refused("the chosen and the rejected reply are the same", name, model, "--dataset", same)
        refused("holds one reply", name, model, "--dataset", write_rows(
            folder / "plain.jsonl", [{"messages": [{"role": "user", "content": "a"},
                                                   {"role": "assistant", "content": "b"}]}]))
    stage("dpo", model, same, folder / "skipped", "bad_rows=skip", "max_steps=1", "dtype=float32")
    refused("--reward is missing", "grpo", model, "--dataset", prompts)
    refused("is no reward model", "ppo", model, "--dataset", prompts, "--reward", model)
    refused("there is no model at", "grpo", model, "--dataset", prompts, "--reward", folder / "none")
    refused("is not whole groups", "grpo", model, "--dataset", prompts, "--reward", "token:a", "batch_size=6")
    refused("expected one", "grpo", model, "--dataset", prompts, "--reward", "token:ab")
    refused("did you mean 'reward'", "rewrd", model)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = tiny_chat_model.make(folder / "model")
        prompts = write_rows(folder / "prompts.jsonl", PROMPTS)
        pairs = write_rows(folder / "pairs.jsonl", PAIRS)
        for what, test in list(globals().items()):
            if what.startswith("test_"):
                place = folder / what
                place.mkdir()
                test(place, model, prompts, pairs)


if __name__ == "__main__":
    main()
