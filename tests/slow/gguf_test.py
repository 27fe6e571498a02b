"""The GGUF files that we write: their bytes by the gguf package, their meaning by transformers.

The model that is written has weights that lie on no grid of any format (the built-in model's come from
Q8_0 and would survive any rounding). F16, BF16 and Q8_0 must hold the bytes that llama.cpp's own package
makes of the same weights, and the log-probabilities that we take from such a file must be transformers'.
"""
import pathlib
import sys
import tempfile

from support import (at_most, chats, distances, holds, logprobs_of, need_packages, reveille, score, transformers_model,
                     verdict, write_rows)
from written_gguf import FORMATS, off_grid_folder, source_tensors, write_gguf

BOUND = 2e-3  # as between two implementations in truth_test.py


def check_bytes(kind, file, source):
    """Every tensor as gguf's own conversion makes it of ours in float32."""
    import gguf
    import numpy

    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(str(file)).tensors}
    holds(f"{kind}: the same {len(source)} tensors", tensors.keys() == source.keys(), tensors.keys() ^ source.keys())
    wrong = []
    for name, tensor in tensors.items():
        if tensor.tensor_type == gguf.GGMLQuantizationType.F32:
            right = numpy.array_equal(tensor.data, source[name])
        else:
            right = numpy.array_equal(tensor.data.view(numpy.uint8), gguf.quants.quantize(source[name], tensor.tensor_type).view(numpy.uint8))
        if not right:
            wrong.append(name)
    kinds = {tensor.tensor_type.name for tensor in tensors.values() if len(tensor.shape) > 1}
    holds(f"{kind}: matrices are stored so", kinds == {kind}, kinds)
    holds(f"{kind}: every byte as gguf's own conversion", not wrong, wrong[:5])


def check_meaning(kind, file, dataset):
    rows = score(file, dataset, "--dtype", "float32")
    ours = [row["logprobs"][1:] for row in rows]
    model = transformers_model(file)
    at_most(f"{kind}: largest distance of log-probabilities from transformers' reading of the file",
            max(distances(ours, [logprobs_of(model, row["ids"]) for row in rows])), BOUND)


def main():
    need_packages("torch", "transformers", "gguf", "safetensors")
    rows = chats(8)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        dataset = write_rows(folder / "chats.jsonl", rows)
        model = off_grid_folder(folder)
        reveille("model", "convert", model, "--to", "gguf:f32", "--output", folder / "f32.gguf")
        source = source_tensors(folder / "f32.gguf")
        for kind in FORMATS:
            file = write_gguf(model, kind, folder)
            check_bytes(kind, file, source)
            check_meaning(kind, file, dataset)
            file.unlink()
        check_meaning("F32", folder / "f32.gguf", dataset)
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
