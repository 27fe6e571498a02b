"""Reads a file with the reference implementation and prints what it holds as one line of JSON.

The unit tests of src/io compare it with what they wrote or read:
    check_io.py gguf FILE [TENSOR ...]      metadata, and tensors dequantised to fp32
    check_io.py safetensors FILE            metadata and tensors
    check_io.py peft FOLDER MODULE:IN:OUT ...   the change that an adapter makes to each weight
Tensors are given as {"dtype", "shape", "sha256"} of their bytes. Exit 77: a package is missing.
"""

import hashlib
import json
import sys

try:
    import numpy as np
except ImportError:
    sys.exit(77)


def describe(dtype, array):
    raw = np.ascontiguousarray(array).tobytes()
    return {"dtype": dtype, "shape": list(array.shape), "sha256": hashlib.sha256(raw).hexdigest()}


def check_gguf(path, names):
    import gguf

    reader = gguf.GGUFReader(path)
    fields = {key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}
    if names:  # of a whole model: the tensors only
        fields = {}
    tensors = {}
    for tensor in reader.tensors:
        if names and tensor.name not in names:
            continue
        values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        tensors[tensor.name] = describe(tensor.tensor_type.name, values)
    return {"fields": fields, "tensors": tensors}


def check_safetensors(path):
    import torch
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        tensors = {}
        for name in file.keys():
            tensor = file.get_tensor(name)
            raw = tensor.contiguous().reshape(-1).view(torch.uint8).numpy() if tensor.numel() else np.zeros(0, np.uint8)
            tensors[name] = {**describe(str(tensor.dtype), raw), "shape": list(tensor.shape)}
        return {"metadata": file.metadata(), "tensors": tensors}


def check_peft(folder, layers):
    import peft
    import torch

    model = torch.nn.Module()
    for layer in layers:
        path, size_in, size_out = layer.split(":")
        *parents, leaf = path.split(".")
        at = model
        for parent in parents:
            if parent not in at._modules:
                at.add_module(parent, torch.nn.Module())
            at = at._modules[parent]
        at.add_module(leaf, torch.nn.Linear(int(size_in), int(size_out), bias=False))
    adapted = peft.PeftModel.from_pretrained(model, folder)
    deltas = {}
    for name, module in adapted.base_model.model.named_modules():
        if hasattr(module, "get_delta_weight"):
            deltas[name] = module.get_delta_weight("default").flatten().tolist()
    return {"deltas": deltas}


def main():
    kind, path, *rest = sys.argv[1:]
    try:
        if kind == "gguf":
            result = check_gguf(path, rest)
        elif kind == "safetensors":
            result = check_safetensors(path)
        else:
            result = check_peft(path, rest)
    except ImportError:
        sys.exit(77)
    print(json.dumps(result))


main()
