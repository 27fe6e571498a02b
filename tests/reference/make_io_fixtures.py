"""Makes the small files of tests/reference/io with the reference implementations.

Run from the repository's root with the packages of requirements/test.txt:
    .venv/bin/python tests/reference/make_io_fixtures.py
Everything is seeded: running it again yields the same values.
"""

import json
import shutil
from pathlib import Path

import gguf
import numpy as np
import peft
import torch
from gguf import GGMLQuantizationType as T
from gguf import GGUFValueType as V
from safetensors.torch import save_file

OUT = Path(__file__).parent / "io"
QUANTS = [T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q4_K, T.Q5_K, T.Q6_K]
# Where the half-precision scales of a block lie.
SCALES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
    T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
}


def random_blocks(kind, rows, row_blocks, rng):
    """Any bits in the quants; scales from subnormal to large, of both signs."""
    size = gguf.GGML_QUANT_SIZES[kind][1]
    blocks = rng.integers(0, 256, (rows * row_blocks, size), dtype=np.uint8)
    for offset in SCALES[kind]:
        scale = rng.normal(0, 0.02, rows * row_blocks).astype(np.float16)
        scale[0] = np.float16(3e-7)  # subnormal
        scale[1] = np.float16(-0.0371)
        scale[-1] = np.float16(0)
        blocks[:, offset : offset + 2] = scale.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(rows, row_blocks * size)


def make_formats():
    rng = np.random.default_rng(1)
    writer = gguf.GGUFWriter(OUT / "formats.gguf", "test")
    expected = {}
    for kind in QUANTS:
        data = random_blocks(kind, 2, 2 if kind.name.endswith("K") else 3, rng)
        name = kind.name.lower()
        writer.add_tensor(name, data, raw_dtype=kind)
        expected[name] = gguf.dequantize(data, kind)
    floats = np.concatenate([rng.normal(0, 1, 12), [0.0, -0.0, np.inf, -np.inf, 3e-5, 6e-8, 65504, 1 / 3]])
    floats = floats.astype(np.float32).reshape(4, 5)
    for name, data in {
        "f32": floats, "f16": floats.astype(np.float16), "f64": floats.astype(np.float64),
        "i8": np.arange(-4, 4, dtype=np.int8).reshape(2, 2, 2), "i16": np.array([-32768, 32767], np.int16),
        "i32": np.array([[-(2**31)], [2**31 - 1]], np.int32), "i64": np.array([-(2**40), 2**40], np.int64),
    }.items():
        writer.add_tensor(name, data)
        expected[name] = data.astype(np.float32)
    bf16 = gguf.quantize(floats, T.BF16)
    writer.add_tensor("bf16", bf16, raw_dtype=T.BF16)
    expected["bf16"] = gguf.dequantize(bf16, T.BF16)
    # A type that can be listed and not loaded.
    writer.add_tensor("q2_k", rng.integers(0, 255, (1, 84), dtype=np.uint8), raw_dtype=T.Q2_K)
    finish(writer)
    save_file({name: torch.from_numpy(np.ascontiguousarray(x)) for name, x in expected.items()},
              OUT / "formats_expected.safetensors")


def make_q8_0():
    rng = np.random.default_rng(2)
    values = rng.normal(0, 0.05, (8, 64)).astype(np.float32)
    values[1, :32] = 0
    values[2, :32] = np.arange(32) * 0.5  # many ties
    values[3, :32] = np.linspace(-127, 127, 32)
    values[4] *= np.float32(1e-6)
    values[5] *= np.float32(1e-20)
    values[6, 0] = 4096
    values[7, :32] = np.float32(1e-42)
    with np.errstate(all="ignore"):
        blocks = gguf.quantize(values[:7], T.Q8_0)
    save_file({"values": torch.from_numpy(values), "blocks": torch.from_numpy(blocks)}, OUT / "q8_0.safetensors")


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_metadata():
    writer = gguf.GGUFWriter(OUT / "metadata.gguf", "llama")
    writer.add_uint8("t.u8", 255)
    writer.add_int8("t.i8", -128)
    writer.add_uint16("t.u16", 65535)
    writer.add_int16("t.i16", -32768)
    writer.add_uint32("t.u32", 2**32 - 1)
    writer.add_int32("t.i32", -(2**31))
    writer.add_uint64("t.u64", 2**64 - 1)
    writer.add_int64("t.i64", -(2**63))
    writer.add_float32("t.f32", 1e-5)
    writer.add_float64("t.f64", 0.1)
    writer.add_bool("t.yes", True)
    writer.add_bool("t.no", False)
    writer.add_string("t.text", "Grüße, 世界")
    writer.add_array("t.strings", ["a", "", "ü"])
    writer.add_array("t.ints", [3, -1, 7])
    writer.add_array("t.floats", [0.5, -2.0])
    writer.add_array("t.bools", [True, False, True])
    writer.add_key_value("t.nested", [[1, 2], [3]], V.ARRAY, V.ARRAY)
    writer.add_tensor("one", np.ones((2, 3), np.float32))
    finish(writer)
    data = bytearray((OUT / "metadata.gguf").read_bytes())
    data[4] = 2
    (OUT / "metadata_v2.gguf").write_bytes(data)


def make_dtypes():
    x = torch.tensor([[0.0, 1.0, -2.5], [3.0, 100.0, 7.0]])
    kinds = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
             "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
             "U8": torch.uint8, "BOOL": torch.bool}
    tensors = {name: (x.abs() if name == "U8" else x).to(kind) for name, kind in kinds.items()}
    tensors["scalar"] = torch.tensor(4.5)
    tensors["empty"] = torch.zeros(0, 4)
    save_file(tensors, OUT / "dtypes.safetensors", {"format": "pt", "note": "ü"})
    values = {name: tensor.to(torch.float32).flatten().tolist() for name, tensor in tensors.items()}
    shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    (OUT / "dtypes.json").write_text(json.dumps({"values": values, "shapes": shapes}) + "\n")
    save_file({"x": torch.zeros(4).to(torch.float8_e4m3fn)}, OUT / "float8.safetensors")


class Tiny(torch.nn.Module):
    """Paths like those of a transformer."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList()
        for _ in range(2):
            layer = torch.nn.Module()
            layer.q_proj, layer.up_proj = torch.nn.Linear(6, 8, bias=False), torch.nn.Linear(6, 10, bias=False)
            self.layers.append(layer)

    def forward(self, x):
        return x


def make_adapter():
    torch.manual_seed(3)
    config = peft.LoraConfig(r=4, lora_alpha=12, target_modules=["q_proj", "up_proj"], use_rslora=True,
                             rank_pattern={"q_proj": 2, r"layers\.1\.up_proj": 3},
                             alpha_pattern={"1.up_proj": 5}, init_lora_weights=False)
    model = peft.get_peft_model(Tiny(), config)
    model.save_pretrained(OUT / "adapter")
    (OUT / "adapter" / "README.md").unlink()
    expected = {}
    for name, module in model.base_model.model.named_modules():
        if hasattr(module, "get_delta_weight"):
            delta = module.get_delta_weight("default").flatten().tolist()
            expected[name] = {"rank": module.r["default"], "alpha": module.lora_alpha["default"],
                              "scaling": module.scaling["default"], "delta": delta}
    (OUT / "adapter_expected.json").write_text(json.dumps(expected) + "\n")


def make_pickles():
    x = {"x": torch.ones(1)}
    torch.save(x, OUT / "pickle_zip.bin")
    torch.save(x, OUT / "pickle_legacy.pt", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    for make in (make_formats, make_q8_0, make_metadata, make_dtypes, make_adapter, make_pickles):
        make()
