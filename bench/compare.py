#!/usr/bin/env python3
"""Ours against transformers, TRL, PEFT and llama.cpp: the same rows, in turn in the same run, medians.

    bench/run.sh [--quick] [--only sampling,lora] [--rounds N]

Every measurement is a process of its own. The table goes to stdout, progress to stderr, everything to
bench/results.json. A program that fails is told as missing with its reason; the rest goes on.
"""
import argparse
import os
import pathlib
import sys
import tempfile
import time
from typing import NamedTuple

import programs
import table
from work import Work

HERE = pathlib.Path(__file__).resolve().parent


class Row(NamedTuple):
    key: str
    work: str
    against: str
    ours: str
    theirs: str
    metric: str
    unit: str
    target: float | None


class Job(NamedTuple):
    run: object
    settings: dict
    guess: float  # seconds, until it has been measured
    sweep: dict | None = None


SFT, LORA = "full fine-tuning, bf16 compute, batch 16", "LoRA r = 8, all linear layers, batch 16"
SAMPLING, PEAK = "sampling, 64 prompts, 48 new tokens", "peak memory of full fine-tuning"
ROWS = [
    Row("sft", SFT, "TRL, bf16 autocast on fp32 weights", "our sft", "TRL autocast", "tokens_per_second", "tokens/s", 3),
    Row("sft-bf16", SFT, "TRL, model in bf16", "our sft", "TRL bf16", "tokens_per_second", "tokens/s", 1.5),
    Row("lora", LORA, "PEFT + TRL, bf16", "our lora", "PEFT + TRL", "tokens_per_second", "tokens/s", 2),
    Row("sampling", SAMPLING, "transformers generate, bf16", "our sampling", "transformers sampling", "seconds", "s", 3),
    Row("sampling-llama", SAMPLING, "llama.cpp, Q4_1", "our sampling", "llama.cpp sampling", "seconds", "s", 4),
    Row("scoring", "scoring", "transformers forward, bf16", "our scoring", "transformers scoring", "seconds", "s", 1.4),
    Row("memory", PEAK, "TRL, autocast", "our sft", "TRL autocast", "bytes", "MiB", 1 / 0.6),
    Row("memory-checkpointing", PEAK, "TRL, autocast, gradient checkpointing", "our sft", "TRL checkpointing", "bytes",
        "MiB", None),
    Row("load", "GGUF file to first token", "transformers from_pretrained(gguf_file)", "our loading",
        "transformers loading", "seconds", "s", 10),
]
# Measured in turn within a group.
GROUPS = [["our sft", "TRL autocast", "TRL bf16", "TRL checkpointing"], ["our lora", "PEFT + TRL"],
          ["our sampling", "transformers sampling", "llama.cpp sampling"], ["our scoring", "transformers scoring"],
          ["our loading", "transformers loading"]]


def jobs(options):
    train = {"batch": 16, "warmup": 1 if options.quick else 2, "threads": options.threads}
    text = {"threads": options.threads, "new_tokens": 8 if options.quick else 48}
    sizes = {"batch_sizes": [4, 8] if options.quick else [16, 32, 64]}
    trl, full = programs.trl_training, {"dtype": "float32", "autocast": True}
    generate, score = programs.transformers_job("generate"), programs.transformers_job("score")
    return {
        "our sft": Job(programs.our_training, train, 60),
        "TRL autocast": Job(trl, {**train, **full}, 140),
        "TRL bf16": Job(trl, {**train, "dtype": "bfloat16", "autocast": False}, 120),
        "TRL checkpointing": Job(trl, {**train, **full, "checkpointing": True, "once": True}, 150),
        "our lora": Job(programs.our_training, {**train, "lora": True}, 50),
        "PEFT + TRL": Job(trl, {**train, "dtype": "bfloat16", "autocast": True, "lora": True}, 120),
        "our sampling": Job(programs.our_sampling, text, 8),
        "transformers sampling": Job(generate, text, 30, sizes),
        "llama.cpp sampling": Job(programs.llama_sampling, text, 30, {"sweep": True}),
        "our scoring": Job(programs.our_scoring, text, 60),
        "transformers scoring": Job(score, text, 100, {"batch_sizes": [4, 8] if options.quick else [8, 16, 32]}),
        "our loading": Job(programs.our_loading, text, 2),
        "transformers loading": Job(programs.transformers_job("load"), text, 25),
    }


class Comparison:
    def __init__(self, options, work):
        self.options, self.work, self.jobs = options, work, jobs(options)
        self.samples, self.missing, self.sweeps = {}, {}, {}
        self.seconds = {name: job.guess * (0.3 if options.quick else 1) for name, job in self.jobs.items()}

    def plan(self, rows):
        """(job, whether it is its sweep) in the order of measuring."""
        needed = {name for row in rows for name in (row.ours, row.theirs)}
        for group in GROUPS:
            group = [name for name in group if name in needed]
            yield from ((name, True) for name in group if self.jobs[name].sweep)
            for turn in range(self.options.rounds):
                yield from ((name, False) for name in group if turn == 0 or not self.jobs[name].settings.get("once"))

    def measure(self, name, sweep):
        if name in self.missing:
            return
        job, start = self.jobs[name], time.perf_counter()
        try:
            if sweep:
                self.sweeps[name] = job.run(self.work, {**job.settings, **job.sweep})
            else:
                best = self.sweeps.get(name, {}).get("best", {})
                sample = job.run(self.work, {**job.settings, **best})
                self.samples.setdefault(name, []).append(sample)
                self.seconds[name] = time.perf_counter() - start
                say("  " + table.brief(sample))
        except (programs.Missing, OSError, ValueError, IndexError, KeyError) as error:
            self.missing[name] = f"{name}: {error}"
            say(f"  {self.missing[name]}")

    def all(self, rows):
        plan = list(self.plan(rows))
        for at, (name, sweep) in enumerate(plan):
            left = sum(self.seconds[other] for other, _ in plan[at:] if other not in self.missing)
            say(f"[{at + 1}/{len(plan)}] {name}{' (looking for its best settings)' if sweep else ''}"
                f"  about {int(left // 60)}m {int(left % 60):02d}s left")
            self.measure(name, sweep)
        return [table.result(row, self.samples.get(row.ours, []), self.samples.get(row.theirs, []),
                             self.missing.get(row.ours) or self.missing.get(row.theirs)) for row in rows]


def say(line):
    print(line, file=sys.stderr, flush=True)


def share_of_peak(comparison, work, threads):
    """What training reaches of the best bfloat16 product that libtorch does here."""
    rate = table.median(comparison.samples.get("our sft", []), "tokens_per_second")
    if not rate:
        return None
    peak = programs.transformers_job("peak")(work, {"threads": threads})["flops"]
    done, whole = work.training_flops_per_token(16)
    return {"peak_gflops": peak / 1e9, "reached": done * rate / peak, "reached_as_if_nothing_were_left_out":
            whole * rate / peak, "aim": 0.6}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=HERE.parent / "build" / "reveille", type=pathlib.Path)
    parser.add_argument("--only", help="rows to measure, by comma: " + ", ".join(row.key for row in ROWS))
    parser.add_argument("--rounds", type=int, help="times that each program is measured (2; --quick 1)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="little work, only to see that everything runs")
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "results.json")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 2)
    wanted = options.only.split(",") if options.only else [row.key for row in ROWS]
    unknown = set(wanted) - {row.key for row in ROWS}
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    options.rows = [row for row in ROWS if row.key in wanted]
    return options


def main():
    options = arguments()
    sizes = {"train": 32, "score": 16, "prompts": 8} if options.quick else {"train": 96, "score": 512, "prompts": 64}
    cache = pathlib.Path(os.environ.get("REVEILLE_CACHE") or tempfile.gettempdir())
    machine = None
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache) as folder:
        work = Work(options.program.resolve(), pathlib.Path(folder), sizes, say)
        machine = table.machine(options.threads, work.source, os.environ.get("LLAMA_OPTIONS", "unknown"))
        comparison = Comparison(options, work)
        entries = comparison.all(options.rows)
        for entry in entries:
            entry["target"] = None if options.quick else entry["target"]  # so little work decides nothing
        share = share_of_peak(comparison, work, options.threads)
        counted = work.tokens()
    table.print_table(options.rows, entries)
    if share:
        print(f"\ntraining reaches {share['reached']:.0%} of the bf16 matrix-product peak measured here "
              f"({share['peak_gflops']:,.0f} GFLOP/s; aim 60 %), counting the operations done; "
              f"{share['reached_as_if_nothing_were_left_out']:.0%} as if nothing were shared or left out")
    settings = {name: sweep.get("best") for name, sweep in comparison.sweeps.items()}
    for name, best in settings.items():
        print(f"{name}: {best}")
    print(f"llama.cpp was built with {machine['llama_build']}; rows: {machine['rows']}")
    if max(programs.OTHERS, default=0) > 0.05:
        print(f"NOT ALONE: other processes took up to {max(programs.OTHERS):.0%} of the machine; measure again when idle")
    if options.quick:
        print("--quick: these figures say only that everything runs")
    table.write(options.output, {"machine": {**machine, "share_of_peak": share}, "rows": entries, "quick": options.quick,
                                 "taken_by_others": programs.OTHERS,
                                 "tokens": counted, "sweeps": comparison.sweeps, "samples": comparison.samples})


if __name__ == "__main__":
    main()
