"""Makes tests/reference/models/NAME: tiny random checkpoints, and what transformers computes with them.

Run from the repository's root with the packages of requirements/test.txt:
    .venv/bin/python tests/reference/make_model_fixtures.py
Everything is seeded and in float32 on one thread; weights are rounded to bfloat16 first and
stored so, which halves the files. reference.safetensors holds, for three sequences of unlike
length, each run on its own (no padding):
    ids.N, logprobs.N    token ids; log p(token | the tokens before it), from the second token on
    logits.0             of the first sequence
    loss                 mean over all predicted tokens
    grad.NAME            gradients of that loss for a few parameters
    grad_norm.NAME       and the norm of the gradient for every parameter
    losses               before each of ten AdamW steps (lr 1e-3, betas 0.9 and 0.999, eps 1e-8,
                         no weight decay, no clipping) on that batch, and after the last
"""

import copy
import shutil
from pathlib import Path

import torch
import transformers as hf
from safetensors.torch import save_file

OUT = Path(__file__).parent / "models"
LENGTHS = [50, 17, 33]
SHAPE = dict(
    vocab_size=99, hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=128, bos_token_id=None, eos_token_id=None, pad_token_id=None,
    attn_implementation="eager",
)


def rope(kind, **more):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 1e4, **more}}


CONFIGS = {
    "llama3": lambda: hf.LlamaConfig(**SHAPE, **rope(
        "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)),
    "llama_yarn": lambda: hf.LlamaConfig(**SHAPE, **rope("yarn", factor=4.0, original_max_position_embeddings=32)),
    "llama_linear": lambda: hf.LlamaConfig(**SHAPE, **rope("linear", factor=4.0)),
    "mistral": lambda: hf.MistralConfig(**SHAPE, sliding_window=16),
    "qwen2": lambda: hf.Qwen2Config(**SHAPE, tie_word_embeddings=True),
    "qwen3": lambda: hf.Qwen3Config(**SHAPE, head_dim=16),
    "gemma3": lambda: hf.Gemma3TextConfig(
        **SHAPE, head_dim=16, query_pre_attn_scalar=16, sliding_window=8,
        layer_types=["sliding_attention", "sliding_attention", "full_attention"]),
    "gpt2": lambda: hf.GPT2Config(
        vocab_size=99, n_embd=48, n_layer=3, n_head=4, n_inner=80, n_positions=128, bos_token_id=None,
        eos_token_id=None, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, attn_implementation="eager"),
}
# Of these parameters the whole gradient is kept: embedding, queries, one of the MLP, last norm.
LLAMA_GRADS = ["model.embed_tokens.weight", "model.layers.1.self_attn.q_proj.weight",
               "model.layers.0.mlp.down_proj.weight", "model.norm.weight"]
GPT2_GRADS = ["transformer.wte.weight", "transformer.h.1.attn.c_attn.weight", "transformer.h.0.mlp.c_proj.weight",
              "transformer.ln_f.weight"]


def random_model(config):
    torch.manual_seed(0)
    model = hf.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # Wider than at the start of training, so that attention and norms matter to the result.
            value = parameter + torch.randn_like(parameter) * 0.1 if parameter.dim() == 1 else parameter * 5
            parameter.copy_(value.bfloat16().float())
    return model


def logprobs_of(model, ids):
    logits = model(ids[None], use_cache=False).logits[0]
    return logits, logits[:-1].log_softmax(-1).gather(1, ids[1:, None])[:, 0]


def loss_of(model, sequences):
    return -torch.cat([logprobs_of(model, ids)[1] for ids in sequences]).mean()


def ten_steps(model, sequences):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = loss_of(model, sequences)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        losses.append(loss_of(model, sequences).item())
    return torch.tensor(losses)


def reference_of(model, whole_grads):
    draw = torch.Generator().manual_seed(1)
    sequences = [torch.randint(0, 99, (n,), generator=draw) for n in LENGTHS]
    out = {}
    with torch.no_grad():
        for n, ids in enumerate(sequences):
            logits, logprobs = logprobs_of(model, ids)
            out[f"ids.{n}"], out[f"logprobs.{n}"] = ids, logprobs
            if n == 0:
                out["logits.0"] = logits
    loss = loss_of(model, sequences)
    loss.backward()
    out["loss"] = loss.detach().reshape(1)
    for name, parameter in model.named_parameters():
        out[f"grad_norm.{name}"] = parameter.grad.norm().reshape(1)
        if name in whole_grads:
            out[f"grad.{name}"] = parameter.grad.clone()
    out["losses"] = ten_steps(model, sequences)
    return {name: value.contiguous() for name, value in out.items()}


def main():
    torch.set_num_threads(1)
    shutil.rmtree(OUT, ignore_errors=True)
    for name, make_config in CONFIGS.items():
        model = random_model(make_config())
        # A copy: the cast would round the rotary tables too.
        copy.deepcopy(model).to(torch.bfloat16).save_pretrained(OUT / name)
        (OUT / name / "generation_config.json").unlink(missing_ok=True)
        reference = reference_of(model, GPT2_GRADS if name == "gpt2" else LLAMA_GRADS)
        save_file(reference, OUT / name / "reference.safetensors")
        print(name, [round(x, 4) for x in reference["losses"].tolist()])


if __name__ == "__main__":
    main()
