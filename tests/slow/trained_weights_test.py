"""What training writes, loaded by the packages that it is for: peft and transformers.

    an adapter       the same log-probabilities through peft as through us, and peft merges it to the
                     weights that `model merge` writes
    a merged folder, a fine-tuned folder
                     the same log-probabilities in transformers as in ours, from folders that
                     transformers opens as they are, tokenizer and template included

The bound is 1e-3: two implementations in float32 stay within a few 1e-5 of each other (truth_test.py
shows how far), while a wrong scale, a swapped or lost module moves log-probabilities by tenths. Each check
comes with one that the training moved the model much farther than the bound.
"""
import pathlib
import sys
import tempfile

from support import (MODEL, at_most, chats, distances, holds, logprobs_of, model_file, need_packages, reveille,
                     score, transformers_model, verdict, without_reply, write_rows)

BOUND = 1e-3
MOVED = 100 * BOUND


def train(dataset, folder, *more):
    reveille("train", "sft", MODEL, "--dataset", dataset, "--output-dir", folder, "--dtype", "float32", "report_to=none",
             "per_device_train_batch_size=4", *more)
    return folder


def compare(what, model, rows):
    """Ours, as `score` said, against a model of a reference package."""
    ours = [row["logprobs"][1:] for row in rows]
    at_most(f"{what}: largest distance", max(distances(ours, [logprobs_of(model, row["ids"]) for row in rows])), BOUND)


def check_moved(what, rows, before):
    moved = distances([row["logprobs"][1:] for row in rows], [row["logprobs"][1:] for row in before])
    holds(f"{what}: training moved a log-probability by {max(moved):.3g}, more than {MOVED:g}", max(moved) > MOVED)


def check_adapter(dataset, before, folder):
    import peft

    adapter = train(dataset, folder / "adapter", "use_peft=true", "lora_r=8", "learning_rate=1e-3", "max_steps=4")
    scores = score(adapter, dataset, "--dtype", "float32")
    check_moved("LoRA", scores, before)
    through_peft = peft.PeftModel.from_pretrained(transformers_model(model_file()), str(adapter)).eval()
    compare("LoRA through peft", through_peft, scores)
    merged = folder / "merged"
    reveille("model", "merge", adapter, "--to", "f32", "--output", merged)
    ours = transformers_model(merged)
    compare("model merge, loaded by transformers", ours, scores)
    theirs = through_peft.merge_and_unload()
    largest = max(float((a - b).detach().abs().max()) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))
    at_most("model merge: largest distance of a weight from peft's own merge", largest, 1e-6)


def check_tokenizer(folder, rows, prompts):
    """The folder's tokenizer and template give transformers the ids that ours gives."""
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    asked = [row["ids"] for row in score(folder, prompts, "--dtype", "float32")]
    theirs = [tokenizer.apply_chat_template(row["messages"][:1], add_generation_prompt=True, return_dict=False) for row in rows]
    holds(f"the folder's template and tokenizer in transformers: the ids of {len(rows)} prompts", asked == theirs)
    config = transformers.GenerationConfig.from_pretrained(str(folder))
    holds("the folder's generation_config.json ends a turn", config.eos_token_id == tokenizer.convert_tokens_to_ids("<|im_end|>"),
          config.eos_token_id)


def check_folder(dataset, rows, before, folder):
    trained = train(dataset, folder / "trained", "learning_rate=1e-4", "max_steps=3")
    scores = score(trained, dataset, "--dtype", "float32")
    check_moved("all weights", scores, before)
    compare("the fine-tuned folder, loaded by transformers", transformers_model(trained), scores)
    check_tokenizer(trained, rows, write_rows(folder / "prompts.jsonl", [without_reply(row) for row in rows]))
    halved = folder / "bf16"
    reveille("model", "convert", trained, "--to", "bf16", "--output", halved)
    compare("the same as a bfloat16 folder", transformers_model(halved), score(halved, dataset, "--dtype", "float32"))


def main():
    need_packages("torch", "transformers", "gguf", "peft")
    rows = chats(16)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        dataset = write_rows(folder / "chats.jsonl", rows)
        before = score(MODEL, dataset, "--dtype", "float32")
        check_adapter(dataset, before, folder)
        check_folder(dataset, rows, before, folder)
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
