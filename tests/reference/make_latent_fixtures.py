"""Makes tests/reference/latent/NAME.safetensors: gradients with respect to what is added to the residual stream.

Run from the repository's root with the packages of requirements/test.txt:
    .venv/bin/python tests/reference/make_latent_fixtures.py
In float32 on one thread, on the tiny checkpoints of tests/reference/models. Forward hooks of transformers add a random
tensor to the embedding (layer -1) and to the output of block 1. The files:
    ids                    one sequence; from token `first` on it is supervised
    delta.-1, delta.1      what is added, [tokens - 1, hidden]: the last token predicts nothing
    loss                   mean -log p of the supervised tokens
    grad.-1, grad.1        its gradients
"""
from pathlib import Path

import torch
import transformers as hf
from safetensors.torch import save_file

MODELS = Path(__file__).parent / "models"
OUT = Path(__file__).parent / "latent"
LENGTH, FIRST, LAYERS = 24, 15, (-1, 1)


def parts(model):
    """The modules whose output is the residual stream: the embedding's sum and the blocks."""
    if hasattr(model, "transformer"):  # gpt2: what enters the first block is token and place together
        return model.transformer.drop, model.transformer.h
    return model.model.embed_tokens, model.model.layers


def main():
    torch.set_num_threads(1)
    OUT.mkdir(exist_ok=True)
    for name in ("llama3", "gemma3", "gpt2", "qwen2"):
        model = hf.AutoModelForCausalLM.from_pretrained(MODELS / name, dtype=torch.float32, attn_implementation="eager").eval()
        hidden = model.config.hidden_size
        torch.manual_seed(1)
        ids = torch.randint(0, 96, (LENGTH,))
        deltas = {layer: (torch.randn(LENGTH - 1, hidden) * 0.3).requires_grad_() for layer in LAYERS}

        def adder(layer):
            def hook(_module, _inputs, output):
                whole = torch.cat([deltas[layer], torch.zeros(1, hidden)])[None]
                return (output[0] + whole, *output[1:]) if isinstance(output, tuple) else output + whole

            return hook

        embedding, blocks = parts(model)
        for layer in LAYERS:
            (embedding if layer < 0 else blocks[layer]).register_forward_hook(adder(layer))
        logprobs = model(ids[None], use_cache=False).logits[0, :-1].log_softmax(-1).gather(1, ids[1:, None])[:, 0]
        loss = -logprobs[FIRST - 1:].mean()
        loss.backward()
        tensors = {"ids": ids, "first": torch.tensor([FIRST]), "loss": loss.detach()[None]}
        for layer, delta in deltas.items():
            tensors[f"delta.{layer}"] = delta.detach()
            tensors[f"grad.{layer}"] = delta.grad
        save_file(tensors, OUT / f"{name}.safetensors")


if __name__ == "__main__":
    main()
