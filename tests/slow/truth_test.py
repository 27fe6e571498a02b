"""The engine on the real model, against transformers: scoring, greedy text, sampling, training.

transformers reads the same GGUF file by its own code and computes every sequence on its own, without
padding, in float32. Ours packs, shares prefixes and caches; none of that may be seen.
The bounds: 2e-3 between two implementations in float32 over 30 layers; 1e-4 among our own paths.
"""
import pathlib
import sys
import tempfile

from support import (MODEL, at_most, chats, distances, holds, json_rows, logits_of, logprobs_of, model_file,
                     need_packages, reveille, score, transformers_model, verdict, without_reply, write_rows)

CHATS, PROMPTS = 64, 32
IMPLEMENTATIONS, PATHS = 2e-3, 1e-4
NEAR_TIE = 1e-3  # of two logits: below it either token is a right answer


def logprobs(rows):
    return [row["logprobs"][1:] for row in rows]


def check_scores(reference, rows, folder):
    """Log-probabilities in float32, whatever stands beside a row in its batch."""
    file = write_rows(folder / "chats.jsonl", rows)
    scores = score(MODEL, file, "--dtype", "float32")
    theirs = [logprobs_of(reference, row["ids"]) for row in scores]
    tokens = sum(map(len, theirs))
    at_most(f"score, float32, {len(rows)} chats, {tokens} tokens: largest distance from transformers",
            max(distances(logprobs(scores), theirs)), IMPLEMENTATIONS)
    backwards = write_rows(folder / "backwards.jsonl", rows[::-1])
    for what, dataset, batch, step in (("one row a batch", file, 1, 1), ("small batches", file, 700, 1),
                                       ("reversed, one large batch", backwards, 100000, -1)):
        other = score(MODEL, dataset, "--dtype", "float32", "--batch-size", batch)[::step]
        at_most(f"score, {what}: largest distance from the default's", max(distances(logprobs(other), logprobs(scores))),
                PATHS)
    return scores, theirs


def check_bfloat16(scores, theirs, folder):
    """In bfloat16 nobody is exact; ours is no farther from float32 than transformers' own."""
    halved = transformers_model(model_file(), "bfloat16")
    ours = logprobs(score(MODEL, folder / "chats.jsonl", "--dtype", "bfloat16"))
    mine = distances(ours, theirs)
    other = distances([logprobs_of(halved, row["ids"]) for row in scores], theirs)
    mean = sum(other) / len(other)
    at_most("score, bfloat16: mean distance from transformers' float32, theirs being the bound", sum(mine) / len(mine), mean)
    at_most("transformers' bfloat16 differs from its float32 at all", 1e-4, mean)


def generate(dataset, *more):
    return json_rows(reveille("generate", MODEL, "--dataset", dataset, "--dtype", "float32", "--logprobs", *more))


def whole(row, prompt, stop):
    """Prompt and completion as ids, with the stop token where the model chose it."""
    return prompt + row["ids"] + ([stop] if row["finish"] == "stop" else [])


def greedy_steps(reference, prompt, ids):
    """How many of our greedy tokens transformers would have chosen as well, and whether all that count are.

    Equal tokens so far means that its own greedy text is the same so far, so one pass shows every step.
    """
    logits = logits_of(reference, ids)[len(prompt) - 1 : -1]
    for step, (row, token) in enumerate(zip(logits, ids[len(prompt) :])):
        best, second = row.topk(2).values.tolist()
        if best - second < NEAR_TIE:
            return step, True
        if int(row.argmax()) != token:
            return step, False
    return len(logits), True


def check_greedy(reference, prompts, prompt_ids, stop):
    rows = generate(prompts, "--temperature", 0, "--max-tokens", 48)
    steps = [greedy_steps(reference, prompt, whole(row, prompt, stop)) for row, prompt in zip(rows, prompt_ids)]
    compared, written = sum(count for count, _ in steps), sum(len(row["logprobs"]) for row in rows)
    wrong = [i for i, (_, good) in enumerate(steps) if not good]
    holds(f"greedy, float32, {len(rows)} prompts: {compared} of {written} steps compared, all equal", not wrong,
          f"prompts {wrong}")
    holds("greedy: near ties left most steps to compare", compared > 0.8 * written)


def sampled_distance(rows, other):
    """Largest distance between two samplings while their tokens agree, and how many rows agree to the end."""
    far, equal = 0, 0
    for one, two in zip(rows, other):
        same = next((i for i, (a, b) in enumerate(zip(one["ids"], two["ids"])) if a != b), None)
        equal += same is None and one["finish"] == two["finish"]
        far = max([far] + [abs(a - b) for a, b in zip(one["logprobs"][:same], two["logprobs"][:same])])
    return far, equal


def check_sampled(reference, prompts, prompt_ids, stop, folder):
    """The log-probabilities that sampling reports are those of transformers and of our own scoring."""
    rows = generate(prompts, "--max-tokens", 32, "--seed", 3)
    theirs = [logprobs_of(reference, whole(row, prompt, stop))[len(prompt) - 1 :] for row, prompt in zip(rows, prompt_ids)]
    ours = [row["logprobs"] for row in rows]
    at_most(f"sampling, float32, {sum(map(len, ours))} tokens: largest distance from transformers",
            max(distances(ours, theirs)), IMPLEMENTATIONS)
    replies = [{"messages": row["messages"] + [{"role": "assistant", "content": row["completion"]}]} for row in rows]
    scored = score(MODEL, write_rows(folder / "replies.jsonl", replies), "--dtype", "float32")
    far, seen = 0, 0
    for row, prompt, again in zip(rows, prompt_ids, scored):
        ids, end = whole(row, prompt, stop), len(prompt)
        if again["ids"][: len(ids)] == ids:  # the text may be cut into other tokens than were sampled
            seen += 1
            far = max([far] + [abs(a - b) for a, b in zip(row["logprobs"], again["logprobs"][end:])])
    holds(f"sampling: {seen} of {len(rows)} replies read back as the tokens that were sampled", seen > len(rows) / 2)
    at_most("sampling: largest distance from score", far, PATHS)
    backwards = write_rows(folder / "prompts-backwards.jsonl", json_rows(prompts.read_text())[::-1])
    for what, dataset, batch, step in (("one at a time", prompts, 1, 1), ("reversed, seven at a time", backwards, 7, -1)):
        other = generate(dataset, "--max-tokens", 32, "--seed", 3, "--batch-size", batch)[::step]
        far, equal = sampled_distance(rows, other)
        at_most(f"sampling, {what}: largest distance from the default's", far, PATHS)
        # Among tokens of one in a million a coin falls close enough to a boundary for the last bits to decide.
        holds(f"sampling, {what}: {equal} of {len(rows)} replies are the same", equal >= 0.8 * len(rows))


def reply_logprobs(scores, prompt_ids, stop):
    """Of the assistant's tokens, its end-of-turn token included: what training learns on."""
    out = []
    for row, prompt in zip(scores, prompt_ids):
        end = row["ids"].index(stop, len(prompt)) + 1
        out += row["logprobs"][len(prompt) : end]
    return out


def first_loss(dataset, folder, *more):
    """The loss before the first update, over all rows."""
    reveille("train", "sft", MODEL, "--dataset", dataset, "--output-dir", folder, "--dtype", "float32", "max_steps=1",
             "report_to=none", *more)
    return json_rows((folder / "trainer_log.jsonl").read_text())[0]["loss"]


def check_training(scores, theirs, prompt_ids, stop, folder):
    as_scored = reply_logprobs(scores, prompt_ids, stop)
    by_transformers = reply_logprobs(
        [{"ids": row["ids"], "logprobs": [None] + mine} for row, mine in zip(scores, theirs)], prompt_ids, stop)
    expected, reference = (-sum(values) / len(values) for values in (as_scored, by_transformers))
    for what, more in (("all weights, 4 batches of 16", ["per_device_train_batch_size=16", "gradient_accumulation_steps=4"]),
                       ("LoRA, 8 batches of 8",
                        ["per_device_train_batch_size=8", "gradient_accumulation_steps=8", "use_peft=true"])):
        loss = first_loss(folder / "chats.jsonl", folder / what.split(",")[0].replace(" ", "-"), *more)
        at_most(f"training, {what}: its loss from the mean that score gives", abs(loss - expected), PATHS)
        at_most(f"training, {what}: its loss from transformers' mean", abs(loss - reference), PATHS)


def main():
    need_packages("torch", "transformers", "gguf")
    rows = chats(CHATS)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        reference = transformers_model(model_file())
        scores, theirs = check_scores(reference, rows, folder)
        check_bfloat16(scores, theirs, folder)
        prompt_rows = write_rows(folder / "prompts.jsonl", [without_reply(row) for row in rows])
        prompt_ids = [row["ids"] for row in score(MODEL, prompt_rows, "--dtype", "float32")]
        stop = json_rows(reveille("tokenize", MODEL, "--input", write_rows(folder / "stop.jsonl", [{"text": "<|im_end|>"}])))
        stop = stop[0]["ids"][-1]
        some = write_rows(folder / "some.jsonl", [without_reply(row) for row in rows[:PROMPTS]])
        check_greedy(reference, some, prompt_ids[:PROMPTS], stop)
        check_sampled(reference, some, prompt_ids[:PROMPTS], stop, folder)
        check_training(scores, theirs, prompt_ids, stop, folder)
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
