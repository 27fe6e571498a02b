"""llama.cpp through llama-cpp-python: all prompts as sequences of one batch, the embedded Q4_1 file.

What all prompts begin with is computed once and copied, as llama.cpp's own example `batched` does. The end of
a turn is not heeded: every sequence gets all its tokens. With "sweep", threads, flash attention, the kind of
key/value cache and the sampler are tried on a few tokens, and the best is told.
"""
import ctypes
import json
import os
import sys
import time

import llama_cpp as lib
import numpy as np

TRIED = {"unified": [False, True], "flash": [0, 1], "ubatch": [512, 2048], "sampler": ["numpy", "chain"]}
QUIET = lib.llama_log_callback(lambda *_: None)


class Context:
    def __init__(self, model, prompts, new_tokens, settings):
        self.prompts, self.count = prompts, len(prompts)
        self.shared = min(len(os.path.commonprefix(prompts)), min(map(len, prompts)) - 1)
        longest = max(map(len, prompts)) + new_tokens + 1
        params = lib.llama_context_default_params()
        params.n_seq_max, params.kv_unified = self.count, settings["unified"]
        # Cells: shared ones are not doubled in a unified cache, every stream has its own otherwise.
        params.n_ctx = self.count * (-(-longest // 256) * 256 if not settings["unified"] else longest)
        params.n_batch = max(2048, sum(map(len, prompts)))
        params.n_ubatch, params.flash_attn_type = settings["ubatch"], settings["flash"]
        params.n_threads = params.n_threads_batch = settings["threads"]
        params.no_perf = True
        self.context = lib.llama_init_from_model(model, params)
        if not self.context:
            raise SystemExit("llama.cpp made no context")
        self.memory = lib.llama_get_memory(self.context)
        self.vocab = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
        self.batch = lib.llama_batch_init(params.n_batch, 0, 1)
        self.chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        lib.llama_sampler_chain_add(self.chain, lib.llama_sampler_init_dist(0))  # temperature 1 changes nothing
        self.random, self.wanted = np.random.default_rng(0), []

    def close(self):
        lib.llama_sampler_free(self.chain)
        lib.llama_batch_free(self.batch)
        lib.llama_free(self.context)

    def decode(self, items):
        """items: (token, position, sequence, whether its logits are wanted)."""
        batch = self.batch
        batch.n_tokens = len(items)
        for i, (token, position, sequence, wanted) in enumerate(items):
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = token, position, 1
            batch.seq_id[i][0], batch.logits[i] = sequence, wanted
        code = lib.llama_decode(self.context, batch)
        if code:
            raise SystemExit(f"llama_decode answers {code}")
        self.wanted = [i for i, item in enumerate(items) if item[3]]

    def prefill(self):
        shared = self.shared
        self.decode([(token, at, 0, False) for at, token in enumerate(self.prompts[0][:shared])])
        for sequence in range(1, self.count):
            lib.llama_memory_seq_cp(self.memory, 0, sequence, 0, -1)
        self.decode([(token, at, sequence, at == len(ids) - 1) for sequence, ids in enumerate(self.prompts)
                     for at, token in list(enumerate(ids))[shared:]])

    def draw(self, sampler):
        """One token a sequence at temperature 1, by llama.cpp's sampler or by inverting the distribution in numpy."""
        if sampler == "chain":
            return [lib.llama_sampler_sample(self.chain, self.context, i) for i in self.wanted]
        shape = len(self.wanted), self.vocab
        logits = np.ctypeslib.as_array(lib.llama_get_logits(self.context), (shape[0] * shape[1],)).reshape(shape)
        sums = np.cumsum(np.exp(logits - logits.max(axis=1, keepdims=True)), axis=1)
        coins = self.random.random(len(sums), dtype=np.float32) * sums[:, -1]
        return [min(int(np.searchsorted(row, coin, "right")), self.vocab - 1) for row, coin in zip(sums, coins)]


def sample(model, prompts, new_tokens, settings):
    """Seconds of prompts and new tokens together, behind the making of the context."""
    context = Context(model, prompts, new_tokens, settings)
    start = time.perf_counter()
    context.prefill()
    lengths = [len(ids) for ids in prompts]
    for step in range(new_tokens):
        tokens = context.draw(settings["sampler"])
        if step + 1 < new_tokens:
            context.decode([(token, lengths[i] + step, i, True) for i, token in enumerate(tokens)])
    seconds = time.perf_counter() - start
    context.close()
    return seconds


def sweep(model, prompts, most):
    """The best settings, one after the other so that it stays short."""
    best = {"unified": False, "flash": 1, "ubatch": 512, "sampler": "numpy", "threads": most}
    tried = {}
    for key, values in {**TRIED, "threads": [max(1, most // 2), most]}.items():
        for value in values:
            name = json.dumps({**best, key: value})
            if name not in tried:
                tried[name] = sample(model, prompts, 6, {**best, key: value})
        best = json.loads(min(tried, key=tried.get))
    return {"best": {"llama": best}, "tried": tried}


def main(settings):
    lib.llama_log_set(QUIET, ctypes.c_void_p(0))
    lib.llama_backend_init()
    prompts = [json.loads(line) for line in open(settings["ids"])]
    params = lib.llama_model_default_params()
    model = lib.llama_model_load_from_file(settings["gguf"].encode(), params)
    system = lib.llama_print_system_info().decode()
    if settings.get("sweep"):
        return {**sweep(model, prompts, settings["threads"]), "system": system}
    sample(model, prompts[:4], 4, settings["llama"])
    return {"seconds": sample(model, prompts, settings["new_tokens"], settings["llama"]), "system": system}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
