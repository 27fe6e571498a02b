"""`train sft` stopped by Ctrl-C and by kill -9 and gone on with ends with the weights of an unbroken run, bit for bit.

All weights and a LoRA adapter; stopped between checkpoints, while a checkpoint is being written, and after one.
"""
import pathlib
import sys
import tempfile

from stopping import ctrl_c, exists, killed, leftovers, lines_in, log_without_speed, sha256, stop_when
from support import MODEL, chats, holds, need_packages, reveille, verdict, write_rows

# Six steps over an epoch of four, so that the order of a second epoch must come back too.
SETTINGS = ["max_steps=6", "per_device_train_batch_size=4", "save_steps=4", "learning_rate=1e-4", "lr_scheduler_type=cosine"]


def arguments(dataset, folder, more):
    return ["train", "sft", MODEL, "--dataset", dataset, "--output-dir", folder, *SETTINGS, *more]


def stop_three_times(command, out, name, log):
    """Ctrl-C after the second step, kill -9 in the middle of a checkpoint and between it and the end."""
    steps = out / "trainer_log.jsonl"
    code, said = stop_when(command, lambda: lines_in(steps) >= 2, ctrl_c, log)
    holds(f"{name}: Ctrl-C ends with code 2 and says how to go on", code == 2 and "stopped by Ctrl-C" in said and "hint:" in said,
          f"code {code}: {said[-300:]}")
    holds(f"{name}: Ctrl-C leaves a checkpoint", exists(out, "checkpoint-*/trainer_state.json"))
    code, _ = stop_when(command, lambda: exists(out, ".checkpoint-4.tmp/*"), killed, log)
    holds(f"{name}: killed while checkpoint 4 was being written", code == -9 and not exists(out, "checkpoint-4"), f"code {code}")
    code, _ = stop_when(command, lambda: lines_in(steps) >= 5, killed, log)
    holds(f"{name}: killed after checkpoint 4", code == -9 and exists(out, "checkpoint-4"), f"code {code}")


def check(name, more, dataset, folder):
    unbroken, stopped = folder / f"{name}-unbroken", folder / f"{name}-stopped"
    reveille(*arguments(dataset, unbroken, more))
    command = arguments(dataset, stopped, more)
    stop_three_times(command, stopped, name, folder / "log")
    reveille(*command)
    weights = "adapter_model.safetensors" if "use_peft=true" in more else "model.safetensors"
    holds(f"{name}: the same weights, bit for bit", sha256(unbroken / weights) == sha256(stopped / weights))
    logs = [log_without_speed(place / "trainer_log.jsonl") for place in (unbroken, stopped)]
    holds(f"{name}: the same log of six steps", logs[0] == logs[1] and len(logs[0]) == 6)
    files = [sorted(path.name for path in place.iterdir() if path.is_file()) for place in (unbroken, stopped)]
    holds(f"{name}: the same files", files[0] == files[1], files)
    holds(f"{name}: nothing half-written is left", not leftovers(stopped), leftovers(stopped))


def main():
    need_packages("torch")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        dataset = write_rows(folder / "chats.jsonl", chats(16))
        check("LoRA", ["use_peft=true", "lora_r=8"], dataset, folder)
        check("all weights", [], dataset, folder)
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
