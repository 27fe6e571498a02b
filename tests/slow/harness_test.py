#!/usr/bin/env python3
"""`eval --measure capability` against lm-evaluation-harness itself: its own tasks and its own counting, on the same rows
and the same small model in float32. Accuracies and their standard errors are equal; so are log-likelihoods row by row,
but for rounding.

The rows are our own (harness_rows.py) and, where the shared test data is there, the first REVEILLE_CAPABILITY_ROWS of its
files, put back into the published form. lm-eval is not among the packages of the tests; docs/side-measures.md says how to
run this.
"""
import importlib.util
import json
import os
import pathlib
import random
import sys
import tempfile

import harness_rows
from support import ROOT, at_most, holds, need_packages, reveille, score, skip, verdict

DATA = pathlib.Path(os.environ.get("REVEILLE_TEST_DATA", ROOT.parent / "shared" / "data")) / "evals"
ROWS = int(os.environ.get("REVEILLE_CAPABILITY_ROWS", "200"))
TASKS = {"lambada_openai": "lambada/lambada_openai.yaml", "arc_easy": "arc/arc_easy.yaml", "piqa": "piqa/piqa.yaml"}
METRICS = {"accuracy": "acc,none", "accuracy_stderr": "acc_stderr,none", "accuracy_norm": "acc_norm,none",
           "accuracy_norm_stderr": "acc_norm_stderr,none"}


def shared_rows():
    """The first rows of the shared files as the harness' tasks want them; None where the files are not there."""
    def published(name, row):
        if name == "lambada_openai":
            return {"text": row["context"] + " " + row["continuation"]}
        asked = row["query"].strip().removeprefix("Question: ")
        if name == "piqa":
            return {"goal": asked, "sol1": row["choices"][0], "sol2": row["choices"][1], "label": row["gold"]}
        labels = list("ABCDE")[:len(row["choices"])]
        return {"question": asked, "choices": {"text": row["choices"], "label": labels}, "answerKey": labels[row["gold"]]}

    if not all((DATA / f"{name}.jsonl").exists() for name in TASKS):
        return None
    lines = {name: (DATA / f"{name}.jsonl").read_bytes().decode().split("\n")[:ROWS] for name in TASKS}
    return {name: [published(name, json.loads(line)) for line in own if line] for name, own in lines.items()}


def make_model(folder, texts):
    """A small model with a tokenizer that merges, taught these texts: what it is asked of them it mostly knows."""
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    torch.manual_seed(0)
    torch.set_num_threads(2)
    cut = Tokenizer(models.BPE())
    cut.pre_tokenizer, cut.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    cut.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=512, special_tokens=["<|end|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=cut, eos_token="<|end|>")
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(
        vocab_size=512, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=2048, initializer_range=0.1, bos_token_id=None, eos_token_id=0))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    for text in random.Random(0).sample(texts * 25, 25 * len(texts)):
        ids = torch.tensor([tokenizer(text).input_ids])
        optimizer.zero_grad()
        model(ids, labels=ids, use_cache=False).loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.eval(), tokenizer


def harness(model, tokenizer, files):
    """What lm-evaluation-harness finds on these files by its own tasks: figures by task, samples by task."""
    import lm_eval
    import yaml
    from lm_eval import evaluator
    from lm_eval.models.huggingface import HFLM

    tasks = []
    for name, file in files.items():
        task = yaml.safe_load((pathlib.Path(lm_eval.__file__).parent / "tasks" / TASKS[name]).read_text())
        tasks.append({**task, "dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": {"test": str(file)}},
                      "training_split": None, "validation_split": None, "test_split": "test"})
    found = evaluator.simple_evaluate(model=HFLM(pretrained=model, tokenizer=tokenizer, batch_size=1, device="cpu"),
                                      tasks=tasks, num_fewshot=0, bootstrap_iters=10, log_samples=True)
    return lm_eval.__version__, found["results"], found["samples"]


def likelihoods(samples):
    """(text before, text that follows, log-likelihood) of every request."""
    out = []
    for sample in samples:
        asked = sample["arguments"]
        for (context, more), (value, _) in zip(asked, sample["filtered_resps"], strict=True):
            out.append((context, more, float(value)))
    return out


def compare(folder, what, model, tokenizer, rows):
    files = {}
    for name, own in rows.items():
        files[name] = folder / f"{name}.jsonl"
        files[name].write_text("".join(json.dumps(row) + "\n" for row in own))
    said = json.loads(reveille("eval", folder.parent / "model", "--measure", "capability", "--dtype", "float32", "--capability",
                               ",".join(map(str, files.values())), "--format", "json"))["results"]
    ours = {(row["prompt_set"], row["metric"]): row for row in said}
    version, theirs, samples = harness(model, tokenizer, files)
    print(f"{what}, lm-eval {version}:")
    for name, own in rows.items():
        for metric, other in METRICS.items():
            if other not in theirs[name]:
                continue
            row, value = ours[name, metric], theirs[name][other]
            holds(f"{name} {metric}: {row['n']} rows", row["n"] == len(own))
            at_most(f"{name} {metric} {row['value']:.6f} from {value:.6f}", abs(row["value"] - value), 1e-12)
        if "perplexity,none" in theirs[name]:
            value = theirs[name]["perplexity,none"]
            at_most(f"{name} word_perplexity {ours[name, 'word_perplexity']['value']:.4f} from {value:.4f}, of it",
                    abs(ours[name, "word_perplexity"]["value"] / value - 1), 1e-4)
        requests = likelihoods(samples[name])
        scores = score(folder.parent / "model", write_texts(folder, requests), "--dtype", "float32")
        apart = []
        for (context, _, value), row in zip(requests, scores, strict=True):
            start = len(tokenizer(context.rstrip(), add_special_tokens=False).input_ids)
            apart.append(abs(sum(row["logprobs"][start:]) - value))
        at_most(f"{name}: {len(apart)} log-likelihoods apart, nats", max(apart), 1e-3)


def write_texts(folder, requests):
    file = folder / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": context + more}) + "\n" for context, more, _ in requests))
    return file


def main():
    need_packages("torch", "transformers")
    if importlib.util.find_spec("lm_eval") is None:
        skip("lm-eval is not installed (docs/side-measures.md says how)")
    own, shared = harness_rows.published(), shared_rows()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_HOME=str(folder / "cache"))
        texts = [row["text"] for row in own["lambada_openai"][::2]]
        texts += [f"Question: {row['question']}\nAnswer: {row['choices']['text'][0]}" for row in own["arc_easy"][::2]]
        texts += [f"Question: {row['goal']}\nAnswer: {row['sol1']}" for row in own["piqa"][::2]]
        texts += [row["text"] for row in (shared or own)["lambada_openai"][::8]]  # or it would say no word of theirs
        model, tokenizer = make_model(folder / "model", texts)
        for what, rows in (("our own rows", own), (f"the first {ROWS} published rows", shared)):
            if rows is None:
                print("needs the shared test data for the published rows:", DATA, "is not there")
                continue
            place = folder / what.replace(" ", "-")
            place.mkdir()
            compare(place, what, model, tokenizer, rows)
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
