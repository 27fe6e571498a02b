#!/usr/bin/env python3
"""`eval --measure capability` on the published rows against the same count done with transformers.

lm-evaluation-harness' rules written out in a few lines: contexts and continuations tokenised together and cut at the
length of the context, no BOS, no template; LAMBADA counts greedy last words, the others the likeliest choice, whole
and by character. The same model, the same rows, float32.
"""
import json
import math
import os
import pathlib
import sys

from support import MODEL, ROOT, at_most, holds, model_file, need_packages, reveille, skip, transformers_model, verdict

ROWS = int(os.environ.get("REVEILLE_CAPABILITY_ROWS", "100"))
DATA = pathlib.Path(os.environ.get("REVEILLE_TEST_DATA", ROOT.parent / "shared" / "data")) / "evals"
FILES = [DATA / f"{name}.jsonl" for name in ("lambada_openai", "arc_easy", "piqa")]


def continuation(model, tokenizer, context, more):
    """Sum of log p over the continuation's tokens, and whether each of them is the likeliest."""
    import torch

    kept = context.rstrip()
    more = context[len(kept):] + more
    whole = tokenizer(kept + more, add_special_tokens=False).input_ids
    start = len(tokenizer(kept, add_special_tokens=False).input_ids)
    with torch.no_grad():
        logprobs = model(torch.tensor([whole]), use_cache=False).logits[0, start - 1:-1].float().log_softmax(-1)
    wanted = torch.tensor(whole[start:])
    return logprobs.gather(1, wanted[:, None]).sum().item(), bool((logprobs.argmax(-1) == wanted).all())


def counts(model, tokenizer, rows):
    right = {"accuracy": [], "accuracy_norm": []}
    for row in rows:
        if "continuation" in row:
            right["accuracy"].append(continuation(model, tokenizer, row["context"], " " + row["continuation"])[1])
            continue
        context = row["query"].strip() + "\nAnswer:"
        sums = [continuation(model, tokenizer, context, " " + choice)[0] for choice in row["choices"]]
        by_character = [total / len(choice) for total, choice in zip(sums, row["choices"])]
        for name, values in (("accuracy", sums), ("accuracy_norm", by_character)):
            right[name].append(values.index(max(values)) == row["gold"])
    return {name: sum(hits) / len(hits) for name, hits in right.items() if hits}


def main():
    if not all(file.exists() for file in FILES):
        skip(f"needs the shared test data ({DATA} is not there)")
    need_packages("torch", "transformers")
    import transformers

    path = model_file()
    model = transformers_model(path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
    found = json.loads(reveille("eval", MODEL, "--measure", "capability", "--capability", ",".join(map(str, FILES)),
                                "--capability-limit", ROWS, "--dtype", "float32", "--format", "json"))["results"]
    ours = {(row["prompt_set"], row["metric"]): row for row in found}
    for file in FILES:
        rows = [json.loads(line) for line in file.read_text().split("\n")[:ROWS]]
        for metric, theirs in counts(model, tokenizer, rows).items():
            row, error = ours[file.stem, metric], ours[file.stem, metric + "_stderr"]["value"]
            holds(f"{file.stem} {metric}: {row['n']} rows", row["n"] == len(rows))
            at_most(f"{file.stem} {metric} {row['value']:.3f} from transformers' {theirs:.3f}", abs(row["value"] - theirs),
                    error)
            at_most("   and its stderr from the harness'", abs(error - math.sqrt(row["value"] * (1 - row["value"]) / (len(rows) - 1))),
                    1e-12)
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
