#!/usr/bin/env python3
"""`reveille generate` stopped and run again, a full standard output, and `tokenize` against `score`."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import tiny_chat_model
from program import PROGRAM, reveille, write_rows


def partials(folder):
    return sorted(folder.glob("*.partial"))


def lines_in(path):
    return path.read_bytes().count(b"\n")


def stopped(command, folder, sent, least):
    """Runs until a partial file has that many rows, then sends the signal."""
    process = subprocess.Popen([PROGRAM, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not any(lines_in(path) >= least for path in partials(folder)):
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            sys.exit(f"it could not be stopped: {process.communicate()[1]}")
        time.sleep(0.002)
    process.send_signal(sent)
    said = process.communicate()[1]
    return process.returncode, said


def test_stopped_and_run_again(folder, model):
    rows = write_rows(folder / "rows.jsonl", [{"prompt": f"row {i} " + "x" * (i % 7), "id": i} for i in range(160)])
    out = folder / "out" / "rows.jsonl"
    out.parent.mkdir()

    def command(output, *more):
        return ["generate", model, "--dataset", rows, "--output", output, "--max-tokens", 100, "--batch-size", 2,
                "--ignore-eos", *more]

    reveille(*command(folder / "whole.jsonl"))
    code, said = stopped(command(out), out.parent, signal.SIGINT, 16)
    assert code == 2 and "run the same command again" in said and ".partial" in said, (code, said)
    assert not out.exists() and lines_in(partials(out.parent)[0]) >= 16
    code, said = stopped(command(out), out.parent, signal.SIGKILL, 48)
    assert code == -9, (code, said)
    other = reveille(*command(out, "--seed", 1), "limit=2").stderr
    assert "is of a command with other options" in other, other
    assert lines_in(out) == 2
    said = reveille(*command(out)).stderr
    assert "going on after row" in said, said
    assert not partials(out.parent), partials(out.parent)
    assert out.read_bytes() == (folder / "whole.jsonl").read_bytes()
    # Other rows are another command.
    write_rows(rows, [{"prompt": "y"}])
    reveille(*command(out))
    assert lines_in(out) == 1


def test_full_standard_output(folder, model):
    text = write_rows(folder / "text.jsonl", [{"text": "ab"}])
    for command in (["tokenize", model, "--input", text], ["score", model, "--dataset", text],
                    ["generate", model, "--dataset", text], ["--version"], ["tokenize", "--help"]):
        with open("/dev/full", "w") as full:
            said = reveille(*command, code=2, stdout=full).stderr
        assert "cannot write to standard output" in said, (command, said)


def test_a_device_is_written_and_not_replaced(folder, model):
    text = write_rows(folder / "text.jsonl", [{"text": "ab"}])
    pipe = folder / "pipe"
    for command in (["tokenize", model, "--input", text], ["generate", model, "--dataset", text, "--max-tokens", 2]):
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        reveille(*command, "--output", pipe)
        assert json.loads(os.read(reader, 65536))["ids"] and pipe.is_fifo()
        os.close(reader)
        pipe.unlink()


def test_a_link_is_followed_and_not_replaced(folder, model):
    text = write_rows(folder / "text.jsonl", [{"text": "ab"}])
    for verb, rows in (("tokenize", "--input"), ("generate", "--dataset")):
        link, target = folder / f"{verb}-link", folder / "elsewhere" / f"{verb}.jsonl"
        target.parent.mkdir(exist_ok=True)
        link.symlink_to(target)
        reveille(verb, model, rows, text, "--output", link, *(["--max-tokens", 2] if verb == "generate" else []))
        assert link.is_symlink() and json.loads(target.read_text())["ids"], verb
        assert not partials(folder) and not partials(target.parent)


def test_tokenize_gives_the_ids_of_score(folder, model):
    user, assistant = {"role": "user", "content": "what is it"}, {"role": "assistant", "content": "it is so"}
    forms = {"text": {"text": "plain text"}, "pair": {"prompt": "two and", "completion": " three"},
             "prompt": {"prompt": "only this"}, "chat": {"messages": [user, assistant, user, assistant]},
             "question": {"messages": [user]}, "alpaca": {"instruction": "say it", "input": "", "output": "no"}}
    for name, row in forms.items():
        file = write_rows(folder / f"{name}.jsonl", [row])
        tokens = json.loads(reveille("tokenize", model, "--input", file).stdout)["ids"]
        scored = json.loads(reveille("score", model, "--dataset", file).stdout)["ids"]
        assert tokens == scored and len(tokens) > 5, (name, tokens, scored)
    pair = json.loads(reveille("tokenize", model, "--input", folder / "pair.jsonl").stdout)["ids"]
    assert len(pair) == len("two and three"), pair


def test_skipped_rows_are_told(folder, model):
    file = write_rows(folder / "bad.jsonl", [{"prompt": "a"}, *[{"prompt": 7}] * 8])
    for command in (["tokenize", model, "--input", file], ["score", model, "--dataset", file],
                    ["generate", model, "--dataset", file, "--max-tokens", 2],
                    ["eval", model, "--prompts", file, "max_tokens=2"]):
        said = reveille(*command, "bad_rows=skip").stderr
        for words in ("8 of 9 rows are bad and left out", "bad.jsonl:2", "and 3 more"):
            assert words in said, (command, words, said)
        said = reveille(*command, code=2).stderr
        assert "bad.jsonl:2" in said and "left out" not in said, (command, said)
    assert "limit" in reveille("eval", "--help").stdout


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = tiny_chat_model.make(folder / "model")
        for what, test in list(globals().items()):
            if what.startswith("test_"):
                place = folder / what
                place.mkdir()
                test(place, model)


if __name__ == "__main__":
    main()
