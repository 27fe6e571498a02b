"""A chat model of a few thousand weights, for tests of whole commands that must be fast.

The weights of tests/reference/models with a tokenizer of single characters and a chat template. What it says is
noise, but it says it at once.
"""
import json
import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPECIALS = ["<|end|>", "<|user|>", "<|assistant|>"]
TEMPLATE = ("{% for m in messages %}{% if m.role == 'assistant' %}<|assistant|>{{ m.content }}<|end|>"
            "{% else %}<|user|>{{ m.content }}{% endif %}{% endfor %}"
            "{% if add_generation_prompt %}<|assistant|>{% endif %}")


def tokenizer():
    # The byte alphabet's names of space and line feed, and what is printable: 96, and 3 specials make the 99 rows
    # of the embedding.
    vocab = {token: i for i, token in enumerate(["\u0120", "\u010a", *map(chr, range(33, 127))])}
    added = [{"id": len(vocab) + i, "content": name, "special": True, "single_word": False, "lstrip": False,
              "rstrip": False, "normalized": False} for i, name in enumerate(SPECIALS)]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True, "trim_offsets": True}
    return {"version": "1.0", "added_tokens": added, "normalizer": None, "pre_tokenizer": byte_level,
            "post_processor": None, "decoder": byte_level, "model": {"type": "BPE", "vocab": vocab, "merges": []}}


def make(folder, name="llama3", **changes):
    """Writes the model folder; `changes` replace keys of config.json. Returns the folder."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    source = ROOT / "tests" / "reference" / "models" / name
    shutil.copy(source / "model.safetensors", folder)
    config = json.loads((source / "config.json").read_text())
    config.update(eos_token_id=96, **changes)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|end|>", "chat_template": TEMPLATE}))
    return folder
