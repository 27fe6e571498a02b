#!/usr/bin/env python3
"""The scenario driver itself: its wildcards, its rewriting of gold, and a run with a program of ours."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import scenarios


def test_wildcards():
    assert scenarios.fits("", "")
    assert not scenarios.fits("", "x\n")
    assert scenarios.fits("took [..] s\n", "took 3.1 s\n")
    assert not scenarios.fits("took [..] s\n", "took 3.1 s\nmore\n")
    assert not scenarios.fits("a[..]\n", "a\nb\n"), "[..] must not cross lines"
    assert scenarios.fits("a\n...\nz\n", "a\nb\nc\nz\n")
    assert scenarios.fits("a\n...\nz\n", "a\nz\n")
    assert not scenarios.fits("a.c\n", "abc\n"), "a dot is a dot"


def test_update_keeps_wildcards_that_fit():
    assert scenarios.updated("took [..] s\nold\n", "took 4 s\nnew\n") == "took [..] s\nnew\n"


def make_scenario(folder, **files):
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def test_run(tmp):
    program = tmp / "bin" / "reveille"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "hello $(cat "$1") in $PWD"; echo oh >&2; exit 3\n')
    program.chmod(0o755)
    folder = make_scenario(tmp / "greets", cmd="reveille name.txt\n", name_txt="Ada")
    assert scenarios.run(folder, program) == (3, "hello Ada in [CWD]\n", "oh\n")
    assert not scenarios.check(folder, program, update=False)
    assert scenarios.check(folder, program, update=True)
    assert scenarios.check(folder, program, update=False)
    assert (folder / "expect.exit").read_text() == "3\n"
    (folder / "expect.exit").unlink()
    assert not scenarios.check(folder, program, update=False), "an exit code other than 0 must be expected"


def main():
    test_wildcards()
    test_update_keeps_wildcards_that_fit()
    with tempfile.TemporaryDirectory() as temporary:
        test_run(pathlib.Path(temporary))


if __name__ == "__main__":
    main()
