#!/usr/bin/env python3
"""Fails when a test was skipped although what it needs is there; silent otherwise.

    tools/skips.py build/tests.xml DATA_FOLDER

Where the data folder exists, the only good reasons to skip are facts of the machine.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

OF_THE_MACHINE = re.compile(r"no (GPU|CUDA|Chromium|bf16|clang-format|llama\.cpp|inspect_ai)|no AVX|runs as root", re.I)


def skipped(report):
    """(name, what the test said) of every skipped test of ctest's JUnit report."""
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("skipped") is not None or case.get("status") == "notrun":
            yield case.get("name"), case.findtext("system-out") or ""


def main():
    report, data = sys.argv[1], pathlib.Path(sys.argv[2])
    if not data.is_dir():
        return 0
    bad = [(name, said) for name, said in skipped(report) if not OF_THE_MACHINE.search(said)]
    for name, said in bad:
        reason = re.search(r"Skipped\s*\n(.*)", said) or re.search(r"([^\n]*)\s*$", said)
        print(f"error: {name} was skipped although {data} is there: {reason[1].strip()}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
