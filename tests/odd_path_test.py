#!/usr/bin/env python3
"""A model folder whose name is no UTF-8: what is printed as JSON stays JSON."""
import json
import os
import pathlib
import tempfile

import tiny_chat_model
from program import reveille, write_rows

ODD = os.fsdecode(b"m\xff")


def said(*arguments):
    return reveille(*arguments, errors="surrogateescape").stdout


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = tiny_chat_model.make(folder / "model").rename(folder / ODD)
        assert json.loads(said("model", "info", model, "--format", "json"))["name"] == "m\ufffd"
        assert "hidden_size" in said("model", "info", model)
        prompts = write_rows(folder / "prompts.jsonl", [{"messages": [{"role": "user", "content": "say 1"}]}])
        results = json.loads(said("eval", model, "--prompts", prompts, "--max-tokens", "2", "--format", "json"))
        assert results["results"][0]["model"] == "m\ufffd", results


if __name__ == "__main__":
    main()
