"""GGUF files of our own writing, for the tests that read them with gguf, transformers and llama.cpp."""
from support import MODEL, reveille

FORMATS = ["F16", "BF16", "Q8_0"]


def off_grid_folder(folder):
    """The built-in model with every matrix moved by 1 % of its spread, seeded."""
    import torch
    from safetensors.torch import load_file, save_file

    out = folder / "off-grid"
    reveille("model", "convert", MODEL, "--to", "f32", "--output", out)
    tensors = load_file(out / "model.safetensors")
    draw = torch.Generator().manual_seed(0)
    for name, tensor in tensors.items():
        if tensor.dim() > 1:
            tensors[name] = tensor + 0.01 * tensor.std() * torch.randn(tensor.shape, generator=draw)
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    return out


def write_gguf(model, kind, folder):
    file = folder / f"{kind.lower()}.gguf"
    reveille("model", "convert", model, "--to", f"gguf:{kind.lower()}", "--output", file)
    return file


def source_tensors(file):
    """The weights of an F32 file as gguf reads them; what the other formats are made of."""
    import gguf

    return {tensor.name: tensor.data.copy() for tensor in gguf.GGUFReader(str(file)).tensors}
