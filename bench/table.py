"""What is printed and kept: the machine, the table, bench/results.json."""
import json
import os
import pathlib
import platform
import statistics
from importlib import metadata

PEERS = ("torch", "transformers", "trl", "peft", "tokenizers", "llama-cpp-python")


def version_of(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def machine(threads, source, llama_options):
    info = pathlib.Path("/proc/cpuinfo").read_text()
    lines = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    lines = {key.strip(): value.strip() for key, value in lines.items()}
    wanted = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16")
    return {"processor": lines.get("model name", platform.machine()), "cores": os.cpu_count(), "threads": threads,
            "features": [flag for flag in wanted if flag in lines.get("flags", "").split()],
            "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
            "kernel": platform.release(), "load_before": round(os.getloadavg()[0], 2), "rows": source,
            "peers": {name: version_of(name) for name in PEERS}, "llama_build": llama_options}


def figure(value, unit):
    if value is None:
        return "-"
    scaled = value / 2**20 if unit == "MiB" else value
    return f"{scaled:,.2f} {unit}" if scaled < 10 else f"{scaled:,.0f} {unit}"


def brief(sample):
    """A sample in a few words, for the progress."""
    parts = [("tokens_per_second", "tokens/s"), ("seconds", "s"), ("bytes", "MiB")]
    return ", ".join(figure(sample[key], unit) for key, unit in parts if key in sample)


def median(samples, metric):
    return statistics.median(sample[metric] for sample in samples) if samples else None


def result(row, ours, theirs, missing):
    """One entry of "rows"; ratio is counted so that larger is better for us."""
    mine, other = median(ours, row.metric), median(theirs, row.metric)
    ratio = None
    if mine and other:
        ratio = mine / other if row.metric == "tokens_per_second" else other / mine
    out = {"work": row.work, "against": row.against, "ours": mine, "theirs": other, "ratio": ratio,
           "target": row.target, "unit": {"MiB": "bytes"}.get(row.unit, row.unit), "rounds": min(len(ours), len(theirs)),
           "samples": {"ours": [s[row.metric] for s in ours], "theirs": [s[row.metric] for s in theirs]}}
    if ratio is None:
        out["missing"] = missing or "not measured"
    return out


def verdict(entry):
    if entry["ratio"] is None:
        return "missing: " + entry["missing"]
    if entry["target"] is None:
        return ""
    return "reached" if entry["ratio"] >= entry["target"] else "below"


def print_table(rows, entries):
    lines = [("work", "against", "ours", "theirs", "ratio", "target", "")]
    for row, entry in zip(rows, entries):
        ratio = "-" if entry["ratio"] is None else f"{entry['ratio']:.2f}"
        target = "-" if entry["target"] is None else f"{entry['target']:.2f}"
        lines.append((entry["work"], entry["against"], figure(entry["ours"], row.unit),
                      figure(entry["theirs"], row.unit), ratio, target, verdict(entry)))
    lines.insert(1, tuple("---" for _ in lines[0]))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]) - 1)] + [0]
    for line in lines:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")


def write(path, content):
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=2) + "\n")
    temporary.replace(path)
