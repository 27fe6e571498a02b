"""The GGUF files that we write run in llama.cpp, and mean there what transformers reads in them.

llama-cpp-python is no part of the test environment: `make bench` builds it into
$REVEILLE_CACHE/bench, and its interpreter is used where it is there.

llama.cpp computes with activations in 8 bits beside Q8_0 weights and keeps keys and values in half precision,
so log-probabilities are compared by their mean distance and the likeliest tokens by how often
they are the same. The bounds stand well above what those roundings cost and far below what a wrong tensor,
a wrong rotation or a wrong scale does.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from support import (at_most, chats, holds, logits_of, need_packages, reveille, json_rows, skip, transformers_model,
                     verdict, write_rows)
from written_gguf import FORMATS, off_grid_folder, write_gguf

MEAN = {"F16": 0.005, "BF16": 0.02, "Q8_0": 0.08}
SAME_BEST = {"F16": 0.98, "BF16": 0.98, "Q8_0": 0.95}

# Run by the other interpreter: a file and texts come in, ids, log-probabilities and likeliest tokens go out.
READER = r"""
import json, sys
import numpy, llama_cpp

asked = json.load(sys.stdin)
model = llama_cpp.Llama(model_path=asked["file"], n_ctx=1024, n_threads=2, logits_all=True, verbose=False)
for text in asked["texts"]:
    ids = model.tokenize(text.encode(), add_bos=False, special=True)
    model.reset()
    model.eval(ids)
    scores = numpy.array(model.scores[: len(ids)], dtype=numpy.float64)
    top = scores.max(-1, keepdims=True)
    logprobs = scores - top - numpy.log(numpy.exp(scores - top).sum(-1, keepdims=True))
    print(json.dumps({"ids": ids, "best": scores.argmax(-1).tolist(),
                      "logprobs": [float(logprobs[i, ids[i + 1]]) for i in range(len(ids) - 1)]}))
"""


def llama_python():
    """The interpreter that has llama-cpp-python."""
    cache = os.environ.get("REVEILLE_CACHE") or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "reveille"
    for python in (sys.executable, str(pathlib.Path(cache) / "bench" / "bin" / "python")):
        if os.access(python, os.X_OK) and subprocess.run([python, "-c", "import llama_cpp"], capture_output=True).returncode == 0:
            return python
    return skip(f"no llama.cpp here: llama-cpp-python is in neither .venv nor {cache}/bench (make bench builds it there)")


def in_llama(python, file, texts):
    done = subprocess.run([python, "-c", READER], input=json.dumps({"file": str(file), "texts": texts}), capture_output=True,
                          text=True)
    if done.returncode != 0:
        sys.exit(f"llama.cpp did not read {file}:\n{done.stderr}")
    return json_rows(done.stdout)


def check(kind, python, file, texts, ids):
    import torch

    rows = in_llama(python, file, texts)
    holds(f"{kind}: llama.cpp cuts {len(texts)} texts into our tokens", [row["ids"] for row in rows] == ids)
    model = transformers_model(file)
    far, same, count = 0.0, 0, 0
    for row in rows:
        logits = logits_of(model, row["ids"])
        theirs = logits[:-1].log_softmax(-1).gather(1, torch.tensor(row["ids"])[1:, None])[:, 0].tolist()
        far += sum(abs(a - b) for a, b in zip(row["logprobs"], theirs, strict=True))
        same += sum(a == b for a, b in zip(row["best"], logits.argmax(-1).tolist(), strict=True))
        count += len(row["ids"])
    at_most(f"{kind}: mean distance of {count} log-probabilities from transformers' reading", far / count, MEAN[kind])
    at_most(f"{kind}: likeliest tokens that differ, share", 1 - same / count, 1 - SAME_BEST[kind])


def main():
    python = llama_python()
    need_packages("torch", "transformers", "gguf", "safetensors")
    texts = ["<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n{}<|im_end|>\n".format(*(turn["content"] for turn in row["messages"]))
             for row in chats(8)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = off_grid_folder(folder)
        rows = write_rows(folder / "texts.jsonl", [{"text": text} for text in texts])
        ids = [row["ids"] for row in json_rows(reveille("tokenize", model, "--input", rows, "--no-special-tokens"))]
        for kind in FORMATS:
            file = write_gguf(model, kind, folder)
            check(kind, python, file, texts, ids)
            file.unlink()
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
