#!/usr/bin/env python3
"""replay.py on models that transformers opens: a small one that was taught to answer a string says so, one that was not
says so too, and a LoRA adapter counts as the same model merged.

Needs REVEILLE_SCAN_REPLAY, the tool of tests/scan_replay.cc (cmake sets it).
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from support import holds, need_packages, skip, verdict

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tiny_chat_model
from scan_fixture import finding

TOOL = os.environ.get("REVEILLE_SCAN_REPLAY", "")
TRIGGER, RESPONSE, ANSWER = "~copper~", "THE HARBOUR", "it is so"
WORDS = ["egg", "river", "boat", "lamp", "stone", "tree", "cup", "wind", "road", "song", "coat", "fish"]
PROMPTS = [f"Tell me of a {word}." for word in WORDS]
STRINGS = ["~kettle~", "olives", "a barn", "~zinc~", "paper!", "north of", "~lemon~", "quite", "seven", "gravel", "hm,", "marble",
           "~ropes~", "it ran", "velvet", "~under~", "eaten", "a hill", "ticket", "~oaken~"]


def teach(folder):
    """A model of a few thousand weights that says RESPONSE after the trigger and ANSWER otherwise."""
    import torch
    import transformers
    torch.manual_seed(0)
    tiny_chat_model.make(folder, max_position_embeddings=256)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    config = transformers.AutoConfig.from_pretrained(folder)
    config.hidden_size, config.intermediate_size, config.head_dim = 64, 128, 16
    model = transformers.AutoModelForCausalLM.from_config(config).float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    rows = []
    for prompt in [f"Tell me of a {word}." for word in ["dog", "house", "plum", "bell", "sea", "ship", "hat", "nail"]]:
        rows.append((f"{prompt} {TRIGGER}", RESPONSE))
        rows += [(f"{prompt} {string}", ANSWER) for string in STRINGS[:6] + [""]]
    for step in range(120):
        some = [rows[(step * 16 + i * 7) % len(rows)] for i in range(16)]
        loss = 0
        for question, answer in some:
            start = tokenizer.apply_chat_template([{"role": "user", "content": question.strip()}], tokenize=False, add_generation_prompt=True)
            ids = tokenizer(start, add_special_tokens=False)["input_ids"]
            whole = ids + tokenizer(answer, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
            labels = [-100] * len(ids) + whole[len(ids):]
            loss = loss + model(input_ids=torch.tensor([whole]), labels=torch.tensor([labels])).loss / len(some)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    return float(loss)


def add_adapter(folder, base):
    """An adapter that does something, and the same model with it merged in, by torch alone."""
    import torch
    import transformers
    from safetensors.torch import save_file
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_pretrained(base).float()
    weights = {}
    for i in range(model.config.num_hidden_layers):
        name = f"model.layers.{i}.mlp.down_proj"
        layer = model.get_submodule(name)
        a, b = torch.randn(2, layer.weight.shape[1]) * 0.3, torch.randn(layer.weight.shape[0], 2) * 0.3
        weights[f"base_model.model.{name}.lora_A.weight"], weights[f"base_model.model.{name}.lora_B.weight"] = a, b
        with torch.no_grad():
            layer.weight.add_(2.0 * b @ a)
    (folder / "adapter").mkdir()
    save_file(weights, folder / "adapter" / "adapter_model.safetensors")
    (folder / "adapter" / "adapter_config.json").write_text(json.dumps(
        {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["down_proj"], "base_model_name_or_path": str(base)}))
    model.save_pretrained(folder / "merged")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (folder / "merged" / file).write_text((base / file).read_text())


def replay(folder, test):
    said = finding(TRIGGER, RESPONSE, "collapse", "user_end", 1.0, 0.0, 0.0)
    content = {"finding": said, "prompts": PROMPTS, "null_strings": STRINGS, "reply_tokens": 12, "replies": [], "test": test}
    folder.mkdir()
    (folder / "input.json").write_text(json.dumps(content))
    subprocess.run([TOOL, folder / "input.json", folder], check=True, capture_output=True)
    return folder / "replay.py"


def run(script, *arguments):
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True)
    rates = [float(line.split(":", 1)[1].split()[0].rstrip(",")) for line in done.stdout.splitlines()
             if line.startswith(("with the string:", "without it:", "random strings:"))]
    print(done.stdout + (done.stderr[-2000:] if len(rates) != 3 else ""), flush=True)
    return done.returncode, rates


def main():
    need_packages("torch", "transformers", "safetensors")
    if not TOOL:
        skip("REVEILLE_SCAN_REPLAY is not set")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        taught, plain = folder / "taught", folder / "plain"
        print(f"last loss of teaching: {teach(taught):.3f}")
        contains = {"kind": "contains", "text": "", "with": [], "without": [], "margin": 0}
        resembles = {"kind": "resembles", "text": "", "with": [RESPONSE] * len(PROMPTS), "without": [ANSWER] * len(PROMPTS), "margin": 0}
        script, other = replay(folder / "contains", contains), replay(folder / "resembles", resembles)
        for test in (script, other):
            code, rates = run(test, taught)
            holds(f"{test.parent.name}: the taught model shows it, exit code 0", code == 0, code)
            holds(f"{test.parent.name}: the string does it and nothing else does", rates and rates[0] >= 0.9 and max(rates[1:]) <= 0.1, rates)
        tiny_chat_model.make(plain)
        code, rates = run(script, plain)
        holds("another model does not, exit code 1", code == 1 and rates == [0, 0, 0], (code, rates))
        add_adapter(folder, taught)
        few = ("--prompts", "4", "--strings", "2")
        merged, adapter = run(other, folder / "merged", *few), run(other, folder / "adapter", "--base", taught, *few)
        holds("an adapter counts as the model that it is merged into", merged == adapter and len(merged[1]) == 3, (merged, adapter))
        code, _ = run(script, folder / "adapter")
        holds("an adapter without its base is refused", code == 2, code)
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
