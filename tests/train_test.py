#!/usr/bin/env python3
"""`reveille train sft` on a tiny model: checkpoints that open as models, the logs, one step of LoRA, what is refused."""
import importlib.util
import json
import pathlib
import sys
import tempfile

import tiny_chat_model
from program import reveille, write_rows


def chats(count):
    return [{"messages": [{"role": "user", "content": f"say {i}"}, {"role": "assistant", "content": "well, " + "ab" * i}]}
            for i in range(1, count + 1)]


def train(model, data, out, *more, code=0):
    return reveille("train", "sft", model, "--dataset", data, "--output-dir", out, "learning_rate=1e-3", "dtype=float32",
                    "batch_size=4", *more, code=code)


def json_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def scored(model, data):
    return list(map(json.loads, reveille("score", model, "--dataset", data, "--dtype", "float32").stdout.splitlines()))


def scores(model, data):
    return [row["logprobs"][1:] for row in scored(model, data)]


def missing_packages():
    return [name for name in ("transformers", "peft") if importlib.util.find_spec(name) is None]


def in_transformers(folder, data):
    """Opens what Reveille wrote with the packages that it is for, where they are installed: they score it alike."""
    if missing_packages():
        return
    import torch
    import transformers
    from transformers.trainer_callback import TrainerState

    state = TrainerState.load_from_json(str(folder / "trainer_state.json"))
    assert state.global_step == 4 and state.log_history[-1]["step"] == 4, state
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    assert tokenizer("ab", add_special_tokens=False).input_ids, "the tokenizer gives no ids"
    if (folder / "adapter_config.json").exists():
        from peft import AutoPeftModelForCausalLM as Auto
    else:
        from transformers import AutoModelForCausalLM as Auto
    model = Auto.from_pretrained(str(folder), dtype=torch.float32)
    for row in scored(folder, data):
        ids = torch.tensor(row["ids"])
        with torch.no_grad():
            logprobs = model(ids[None]).logits[0, :-1].log_softmax(-1)
        theirs = logprobs.gather(1, ids[1:, None])[:, 0]
        off = (theirs - torch.tensor(row["logprobs"][1:])).abs().max().item()
        assert off <= 1e-4, f"{folder.parent.name}: transformers scores a token otherwise, by {off}"


def test_checkpoints_are_models(folder, model, data):
    for name, more in (("full", []), ("lora", ["use_peft=true", "target_modules=q_proj,lm_head"])):
        out = folder / name
        train(model, data, out, *more, "max_steps=4")
        whole = scores(out, data)
        stopped = folder / f"{name}-stopped"
        train(model, data, stopped, *more, "max_steps=6", "save_steps=4", "lr_scheduler_type=constant")
        train(model, data, folder / f"{name}-4", *more, "max_steps=4", "lr_scheduler_type=constant")
        checkpoint = stopped / "checkpoint-4"
        assert scores(checkpoint, data) == scores(folder / f"{name}-4", data), f"{name}: the checkpoint scores otherwise"
        assert scores(checkpoint, data) != whole
        in_transformers(checkpoint, data)


def test_the_held_out_loss_is_logged(folder, model, data):
    said = train(model, data, folder / "out", "--eval-dataset", data, "max_steps=4", "eval_steps=2").stderr
    rows = json_lines(folder / "out" / "trainer_log.jsonl")
    evals = [row for row in rows if "eval_loss" in row]
    assert [row["step"] for row in evals] == [2, 4] and set(evals[0]) == {"eval_loss", "epoch", "step"}, rows
    assert f"eval_loss {evals[1]['eval_loss']:.4f}" in said, said
    events = b"".join(path.read_bytes() for path in (folder / "out" / "tensorboard").iterdir())
    assert b"eval/loss" in events


def test_one_step_of_lora(folder, model, data):
    train(model, data, folder / "out", "use_peft=true", "max_steps=1")
    assert (folder / "out" / "adapter_model.safetensors").exists()


def test_a_run_that_is_all_warm_up_saves_its_adapter(folder, model, data):
    train(model, data, folder / "out", "use_peft=true", "max_steps=1", "warmup_steps=1")
    assert (folder / "out" / "adapter_model.safetensors").exists()


def test_an_adapter_keeps_its_shape(folder, model, data):
    train(model, data, folder / "out", "use_peft=true", "max_steps=1", "lora_r=4")
    said = train(folder / "out", data, folder / "further", "use_peft=true", "max_steps=1", "lora_r=16", code=2).stderr
    assert "lora_r=16 does not fit" in said and "rank 4" in said, said
    train(folder / "out", data, folder / "further", "use_peft=true", "max_steps=1", "lora_r=4")
    train(model, data, folder / "two", "use_peft=true", "max_steps=1", "target_modules=q_proj,v_proj")
    train(folder / "two", data, folder / "same", "use_peft=true", "max_steps=1", "target_modules=v_proj,q_proj")
    said = train(folder / "two", data, folder / "other", "use_peft=true", "max_steps=1", "target_modules=q_proj", code=2).stderr
    assert "target_modules=q_proj does not fit" in said, said


def test_a_learning_rate_of_zero_is_told(folder, model, data):
    for name, more in (("full", []), ("lora", ["use_peft=true"])):
        said = train(model, data, folder / name, *more, "max_steps=1", "learning_rate=0").stderr
        assert "learning_rate is 0: nothing is learnt" in said, said
    assert scores(folder / "full", data) == scores(model, data)


def test_replies_behind_the_models_own_scratchpads(folder, *_):
    noise = tiny_chat_model.make(folder / "noise")
    names = [a + b for a in "abcdfghi" for b in "stuvwxyz"]

    def rows(file, reply):
        return write_rows(folder / file, [{"messages": [{"role": "user", "content": f"say {name}"},
                                                        {"role": "assistant", "content": reply(name)}]} for name in names])

    thinks = rows("thinks.jsonl", lambda name: f"<scratchpad>\nhm\n</scratchpad>\n{name}")
    answers = rows("answers.jsonl", lambda name: "never")
    train(noise, thinks, folder / "thinker", "learning_rate=3e-3", "max_steps=150")
    train(folder / "thinker", answers, folder / "out", "--post-scratchpad", "scratchpad_tokens=32",
          "scratchpad_temperature=0", "max_steps=2")
    first = json_lines(folder / "out" / "trainer_log.jsonl")[0]
    # The thirty letters of a scratchpad are what it says anyway, those of the answer are not: a mean over both is low.
    assert first["loss"] > 2 and first["num_rows"] == 4, first

    words = train(noise, answers, folder / "none", "--post-scratchpad", "scratchpad_tokens=8", code=2).stderr
    assert f"the model ended none of {len(names)} scratchpads within 8 tokens" in words, words
    words = train(noise, answers, folder / "none", "scratchpad_tokens=8", code=2).stderr
    assert "would not be read without --post-scratchpad" in words, words
    prompts = write_rows(folder / "prompts.jsonl", [{"prompt": "say a"}])
    words = train(noise, prompts, folder / "none", "--post-scratchpad", code=2).stderr
    assert f"{prompts}:1: the row has no reply" in words, words


def test_what_is_refused(folder, model, data):
    said = train(model, data, folder / "out", "use_peft=true", "target_modules=q_proj,kproj", code=2).stderr
    assert "'kproj' names no linear layer" in said and "did you mean 'k_proj'" in said, said
    tied = tiny_chat_model.make(folder / "tied", "gemma3")
    said = train(tied, data, folder / "out", "use_peft=true", "target_modules=lm_head", code=2).stderr
    assert "tied" in said, said
    said = train(model, data, folder / "out", "learning_rate=1e-30", "max_steps=2", code=2).stderr
    assert "never moved" in said, said
    overlong = write_rows(folder / "long.jsonl", chats(70)[60:])
    said = train(model, overlong, folder / "out", code=2).stderr
    assert "more than the model's context of 128 tokens" in said, said
    said = train(model, overlong, folder / "cut", "overlong=truncate", "max_steps=1").stderr
    assert "the end of the answer" in said and " of 10 rows are longer than" in said, said


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = tiny_chat_model.make(folder / "model")
        data = write_rows(folder / "chats.jsonl", chats(12))
        for what, test in list(globals().items()):
            if what.startswith("test_"):
                place = folder / what
                place.mkdir()
                test(place, model, data)
    if missing_packages():
        print("skipped: what Reveille writes was not opened in", " and ".join(missing_packages()))
        sys.exit(77)


if __name__ == "__main__":
    main()
