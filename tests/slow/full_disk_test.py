"""A disk that is full, or too small from the start: a clear error, nothing half-written, and then on with it.

On a tmpfs of its own, so it is skipped where this user may not mount one. Every error must have exit code 2, name
the file or folder, and say what to do. (A study on a full disk: study_stopped_test.py.)
"""
import pathlib
import subprocess
import sys
import tempfile

from stopping import exists, leave_free, leftovers, lines_in, log_without_speed, resize, sha256, small_disk, stop_when
from support import MODEL, PROGRAM, ROOT, chats, holds, need_packages, reveille, skip, verdict, write_rows

DISK = "400M"


def says(what, code, said, *words):
    """Whether the last words of a run are an error as it should be."""
    last = said[said.find("error:") :]
    good = code == 2 and "hint:" in last and all(str(word) in last for word in words) and "unexpected" not in last
    holds(f"{what}: code 2, and an error that names {' and '.join(map(str, words))}", good, f"code {code}: {last}")


def refused(what, disk, arguments, *words):
    """A command that does not fit must say so and leave no file."""
    done = subprocess.run([str(PROGRAM), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    says(what, done.returncode, done.stderr, *words)
    files = [str(path) for path in disk.rglob("*") if path.is_file()]
    holds(f"{what}: no file is left", not files, files)
    return done.stderr


def check_too_small(disk, dataset):
    resize(disk, "48M")
    said = refused("all weights on 48 MiB", disk, ["train", "sft", MODEL, "--dataset", dataset, "--output-dir", disk / "out", "max_steps=1"],
                   disk / "out", "MiB", "free some space")
    holds("all weights on 48 MiB: told before the first step", "steps/s" not in said and "s/steps" not in said, said)
    refused("a study on 48 MiB", disk, ["study", ROOT / "recipes" / "smoke.yaml", "--output-dir", disk / "run"], disk / "run", "free")
    refused("convert to GGUF on 48 MiB", disk, ["model", "convert", MODEL, "--to", "gguf:f16", "--output", disk / "m.gguf"], disk, "free")
    refused("convert to a folder on 48 MiB", disk, ["model", "convert", MODEL, "--to", "bf16", "--output", disk / "folder"],
            disk / "folder", "free")
    for path in disk.iterdir():  # empty folders
        path.rmdir()


def check_no_room_at_all(disk, dataset):
    leave_free(disk, 0)
    many = ["score", MODEL, "--dataset", dataset, "--output", disk / "scores.jsonl"]
    refused("score onto a full disk", disk, many, disk / "scores.jsonl", "free some space")
    resize(disk, DISK)
    reveille(*many)
    holds("score onto it when there is room again", lines_in(disk / "scores.jsonl") == 16)


def check_training(disk, dataset, folder):
    """An adapter's training meets the full disk twice: in the middle of a checkpoint, and in between."""
    command = ["train", "sft", MODEL, "--dataset", dataset, "max_steps=6", "save_steps=1", "per_device_train_batch_size=4",
               "use_peft=true", "learning_rate=1e-3", "--output-dir"]
    out, log = disk / "adapter", folder / "log"
    reveille(*command, folder / "adapter")
    for what, reached, words in (
            ("full in the middle of a checkpoint", lambda: exists(out, ".checkpoint-2.tmp/*.safetensors*"), ["checkpoint-2"]),
            ("full between checkpoints", lambda: lines_in(out / "trainer_log.jsonl") >= 4, [str(out)])):
        code, said = stop_when([*command, out], reached, lambda _: leave_free(disk, 1 << 20), log)
        says(f"LoRA training, {what}", code, said, "free some space", *words)
        holds(f"LoRA training, {what}: nothing half-written is left", not leftovers(out), leftovers(out))
        resize(disk, DISK)
    reveille(*command, out)
    holds("LoRA training, gone on with when there was room: the same weights, bit for bit",
          sha256(folder / "adapter" / "adapter_model.safetensors") == sha256(out / "adapter_model.safetensors"))
    logs = [log_without_speed(place / "trainer_log.jsonl") for place in (folder / "adapter", out)]
    holds("LoRA training, gone on with: the same log", logs[0] == logs[1])


def main():
    need_packages("torch")
    rows = chats(16)
    with tempfile.TemporaryDirectory() as name, small_disk(DISK) as disk:
        if disk is None:
            skip("no tmpfs: this user may not mount one")
        folder = pathlib.Path(name)
        dataset = write_rows(folder / "chats.jsonl", rows)
        check_too_small(disk, dataset)
        check_no_room_at_all(disk, dataset)
        check_training(disk, dataset, folder)
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
