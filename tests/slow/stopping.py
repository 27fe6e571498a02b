"""Programs that are stopped on purpose: by a signal at a chosen moment, or by a disk that gets full."""
import contextlib
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from support import PROGRAM

LONGEST = 600  # seconds for one run


def finish(process, log, why):
    process.kill()
    process.wait()
    sys.exit(f"{why}\n{log.read_text()[-3000:]}")


def stop_when(arguments, reached, act, log, pause=0.0):
    """Runs the program until `reached()` and then `act(process)`; returns (exit code, what it said).

    A run that ends before that moment ends the test: nothing was stopped.
    """
    with log.open("w") as out:
        process = subprocess.Popen([str(PROGRAM), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    end = time.monotonic() + LONGEST
    while not reached():
        if process.poll() is not None:
            finish(process, log, f"ended with {process.returncode} before it could be stopped")
        if time.monotonic() > end:
            finish(process, log, f"the moment did not come in {LONGEST} s")
        time.sleep(0.005)
    time.sleep(pause)
    act(process)
    try:
        process.wait(LONGEST)
    except subprocess.TimeoutExpired:
        finish(process, log, f"did not end within {LONGEST} s after it was stopped")
    return process.returncode, log.read_text()


def killed(process):
    process.send_signal(signal.SIGKILL)


def ctrl_c(process):
    process.send_signal(signal.SIGINT)


def lines_in(path):
    try:
        return path.read_text().count("\n")
    except OSError:
        return 0


def exists(folder, pattern):
    """Whether a file is there whose path fits, hidden ones included; folders may vanish meanwhile."""
    with contextlib.suppress(OSError):
        return any(True for _ in folder.glob(pattern))
    return False


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def leftovers(folder):
    """Files and folders that a stopped run did not clear away."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.name.endswith((".tmp", ".partial")))


def log_without_speed(path):
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "tokens_per_second"} for row in rows]


# ---- a disk of a chosen size -------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(size):
    """A tmpfs of that size in a temporary folder; None where this user may not mount one."""
    with tempfile.TemporaryDirectory(prefix="reveille-disk-") as name:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", name], capture_output=True)
        if done.returncode != 0:
            yield None
            return
        try:
            yield pathlib.Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def resize(disk, size):
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True, capture_output=True)


def used(disk):
    info = os.statvfs(disk)
    return (info.f_blocks - info.f_bfree) * info.f_frsize


def leave_free(disk, size):
    """Makes the disk so small that only that many bytes are free; what is written meanwhile is allowed for."""
    for _ in range(50):
        with contextlib.suppress(subprocess.CalledProcessError):
            return resize(disk, max(4096, used(disk) + size))  # a size of 0 means: no limit
    raise RuntimeError(f"{disk} could not be made smaller")
