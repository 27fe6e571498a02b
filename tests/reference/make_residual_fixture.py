"""Makes tests/reference/residuals.safetensors: transformers' hidden_states at the last token of the sequences that
make_model_fixtures.py left in models/NAME/reference.safetensors.

    .venv/bin/python tests/reference/make_residual_fixture.py
NAME.N holds [blocks, hidden]: after no block, one block, ... and all but the last, which transformers norms.
"""
from pathlib import Path

import torch
import transformers as hf
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent


def states_of(name):
    folder = HERE / "models" / name
    model = hf.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    reference = load_file(folder / "reference.safetensors")
    for n in range(3):
        with torch.no_grad():
            states = model(reference[f"ids.{n}"][None], output_hidden_states=True, use_cache=False).hidden_states
        yield f"{name}.{n}", torch.stack([state[0, -1] for state in states[:-1]]).contiguous()


if __name__ == "__main__":
    torch.set_num_threads(1)
    save_file(dict(pair for name in ("llama3", "qwen3", "gemma3", "gpt2") for pair in states_of(name)),
              HERE / "residuals.safetensors")
