"""A study that is killed again and again and gone on with leaves the same bytes as one that never stopped.

kill -9 comes while the model writes replies, while a checkpoint is being written, between two checkpoints of
planting, while planting is being measured, while the planted model is being saved, and in safety training.
Where this user may mount a tmpfs and the memory is there, the disk gets full in the middle of a checkpoint as well.
"""
import contextlib
import pathlib
import sys
import tempfile

from stopping import exists, killed, leave_free, leftovers, lines_in, resize, sha256, small_disk, stop_when
from support import ROOT, holds, reveille, verdict

# recipes/smoke.yaml, smaller still.
SMALLER = ["data.plant_prompts=12", "data.safety_prompts=8", "data.held_out_prompts=8", "data.prompt_tokens=20",
           "data.reply_tokens=12", "plant.per_device_train_batch_size=4", "safety.per_device_train_batch_size=4",
           "eval.max_tokens=12", "eval.specificity_prompts=4"]
DISK = "16G"
MEMORY = 12 << 30


def study(run):
    return ["study", ROOT / "recipes" / "smoke.yaml", "--output-dir", run, *SMALLER]


def in_partial(store, pattern):
    return lambda: exists(store, f"*.partial/{pattern}")


def steps_logged(store, pattern, count):
    def reached():
        with contextlib.suppress(OSError):
            return any(lines_in(path) >= count for path in store.glob(f"*.partial/{pattern}"))
        return False

    return reached


def moments(store, log):
    """Where the study is stopped, in the order in which these moments come."""
    yield "while replies are written", lambda: "clean replies" in log.read_text(), 0.7
    yield "while a checkpoint is written", in_partial(store, "attempt-1/.checkpoint-2.tmp/.model.safetensors.*"), 0
    yield "between checkpoints of planting", steps_logged(store, "attempt-1/trainer_log.jsonl", 3), 0
    yield "while planting is measured", in_partial(store, "attempt-1/eval/step-4.rows.json"), 0
    yield "while the planted model is saved", in_partial(store, "model/.model.safetensors.*"), 0
    yield "in safety training", steps_logged(store, "trainer_log.jsonl", 1), 0


def fill_the_disk(run, disk, log):
    """Full in the middle of a checkpoint; then there is room again."""
    store = run.parent / ".store"
    writing = in_partial(store, "attempt-1/.checkpoint-2.tmp/.model.safetensors.*")
    code, said = stop_when(study(run), writing, lambda _: leave_free(disk, 32 << 20), log)
    holds("a full disk ends the study with code 2", code == 2, f"code {code}: {said[-500:]}")
    last = said[said.find("error:") :]
    holds("a full disk: the error names the file and the hint says what to do",
          "checkpoint-2" in last and "No space left" in last and "free some space" in last, last)
    holds("a full disk: nothing half-written is left", not exists(store, "**/*.tmp"), leftovers(store))
    resize(disk, DISK)


def kill_again_and_again(run, log):
    for what, reached, pause in moments(run.parent / ".store", log):
        code, _ = stop_when(study(run), reached, killed, log, pause)
        holds(f"killed {what}", code == -9, f"code {code}")


def same_files(one, two, pattern):
    """Whether both folders hold the same files of that pattern, byte for byte; at least one."""
    names = [sorted(str(path.relative_to(place)) for path in place.glob(pattern)) for place in (one, two)]
    different = [name for name in names[0] if names[0] == names[1] and sha256(one / name) != sha256(two / name)]
    holds(f"{len(names[0])} {pattern}: the same bytes", names[0] == names[1] and names[0] and not different, different or names)


def check(unbroken, run, disk):
    log = run.parent / "log"
    log.write_text("")
    if disk:
        fill_the_disk(run, disk, log)
    else:
        print("left out: the full disk (no right to mount a tmpfs, or too little memory)")
    kill_again_and_again(run, log)
    reveille(*study(run))
    for pattern in ("results.json", "study.yaml", "transcripts/*.jsonl", "models/*/*.safetensors", "models/*/*.json"):
        same_files(unbroken, run, pattern)
    left = leftovers(run) + leftovers(run.parent / ".store")
    holds("nothing half-written is left", not left, left)


def free_memory():
    lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))


@contextlib.contextmanager
def place():
    """A folder for the run that is stopped, and the disk that it is, if it can be one of its own."""
    if free_memory() > MEMORY:
        with small_disk(DISK) as disk:
            if disk:
                yield disk, disk
                return
    with tempfile.TemporaryDirectory() as name:
        yield pathlib.Path(name), None


def main():
    with tempfile.TemporaryDirectory() as name, place() as (folder, disk):
        unbroken = pathlib.Path(name) / "runs" / "unbroken"
        reveille(*study(unbroken))
        (folder / "runs").mkdir()
        check(unbroken, folder / "runs" / "unbroken", disk)
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
