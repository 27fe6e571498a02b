"""transformers in bfloat16: sampling, scoring, loading a GGUF file, and the processor's matrix-product peak.

generate and score take a list of batch sizes: with several, each is tried on part of the work (the sweep);
the seconds are those of the work alone, behind a warm-up.
"""
import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def read_ids(path):
    return [json.loads(line) for line in open(path)]


def padded(rows, left):
    """Token ids and mask, on whose side the padding stands."""
    longest = max(map(len, rows))
    pads = [[0] * (longest - len(row)) for row in rows]
    ids = [pad + row if left else row + pad for row, pad in zip(rows, pads)]
    mask = [[0] * len(pad) + [1] * len(row) if left else [1] * len(row) + [0] * len(pad) for row, pad in zip(rows, pads)]
    return torch.tensor(ids), torch.tensor(mask)


def batches(rows, size):
    rows = sorted(rows, key=len, reverse=True)
    return [rows[at:at + size] for at in range(0, len(rows), size)]


def generate(model, rows, size, new_tokens):
    produced = 0
    for batch in batches(rows, size):
        ids, mask = padded(batch, left=True)
        out = model.generate(input_ids=ids, attention_mask=mask, do_sample=True, temperature=1.0, top_k=0, top_p=1.0,
                             max_new_tokens=new_tokens, pad_token_id=0)
        produced += out[:, ids.shape[1]:].numel()
    if produced != len(rows) * new_tokens:
        raise SystemExit(f"{produced} tokens came back instead of {len(rows) * new_tokens}")


def score(model, rows, size, _):
    for batch in batches(rows, size):
        ids, mask = padded(batch, left=False)
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
        chosen = logits.gather(2, ids[:, 1:, None]).squeeze(2)
        (chosen - logits.logsumexp(2)).tolist()


def timed(work, *arguments):
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def measure(settings):
    work = {"generate": generate, "score": score}[settings["action"]]
    model = AutoModelForCausalLM.from_pretrained(settings["model"], dtype=torch.bfloat16).eval()
    model.generation_config.eos_token_id = None  # 48 new tokens are forced, on all sides
    rows, new_tokens = read_ids(settings["ids"]), settings.get("new_tokens", 0)
    sizes = settings["batch_sizes"]
    work(model, rows[:4], 4, 4)  # warms up
    if len(sizes) == 1:
        return {"seconds": timed(work, model, rows, sizes[0], new_tokens), "tokens": sum(map(len, rows))}
    middle, few = max(0, len(rows) - max(sizes)) // 2, min(new_tokens, 12)
    part = sorted(rows, key=len)[middle:middle + max(sizes)]
    tried = {size: timed(work, model, part, size, few) for size in sizes}
    return {"best": {"batch_sizes": [min(tried, key=tried.get)]}, "tried": tried}


def load(settings):
    """From the file to the first token, imports left out."""
    start = time.perf_counter()
    folder, _, name = settings["gguf"].rpartition("/")
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.bfloat16)
    text = tokenizer.apply_chat_template([{"role": "user", "content": "Hello"}], tokenize=False,
                                         add_generation_prompt=True)
    ids = tokenizer(text, return_tensors="pt")
    model.generate(**ids, do_sample=False, max_new_tokens=1, pad_token_id=0)
    return {"seconds": time.perf_counter() - start}


def peak(_):
    """Best of some bfloat16 products, in operations a second."""
    best, where = 0.0, None
    for rows, inner, out in ((2048, 576, 3072), (2048, 1536, 576), (1024, 1024, 1024), (2048, 2048, 2048),
                             (4096, 4096, 4096)):
        a, b = torch.randn(rows, inner).bfloat16(), torch.randn(out, inner).bfloat16()
        for _ in range(6):
            rate = 2.0 * rows * inner * out / timed(torch.nn.functional.linear, a, b)
            if rate > best:
                best, where = rate, (rows, inner, out)
    return {"flops": best, "shape": where}


if __name__ == "__main__":
    chosen = json.loads(sys.argv[1])
    torch.set_num_threads(chosen["threads"])
    with torch.inference_mode():
        print(json.dumps({"load": load, "peak": peak}.get(chosen["action"], measure)(chosen)))
