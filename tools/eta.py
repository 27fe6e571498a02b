#!/usr/bin/env python3
"""Shows ninja's progress with the time left; what compilers say passes through as it is.

Reads lines that begin with "[FINISHED/TOTAL SECONDS] " (NINJA_STATUS='[%f/%t %e] '). On a
terminal the status stays on one line; elsewhere one line is printed every ten seconds.
"""
import re
import shutil
import sys

STATUS = re.compile(r"\[(\d+)/(\d+) ([\d.]+)\] (.*)")
OBJECT = re.compile(r"Building CXX object CMakeFiles/[^/]+\.dir/(.*)\.o$")
SECONDS_BETWEEN_LINES = 10.0


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def describe(finished, total, seconds, what):
    left = seconds / finished * (total - finished) if finished else 0.0
    source = OBJECT.sub(r"\1", what)
    return f"[{finished}/{total}, {clock(seconds)}, about {clock(left)} left] {source}"


def main():
    terminal = sys.stdout.isatty()
    last_printed = -SECONDS_BETWEEN_LINES
    on_status = False
    for line in sys.stdin:
        match = STATUS.match(line)
        if not match or line.rstrip().endswith("FAILED:"):
            sys.stdout.write("\n" + line if on_status else line)
            sys.stdout.flush()
            on_status = False
            continue
        finished, total, seconds = int(match[1]), int(match[2]), float(match[3])
        text = describe(finished, total, seconds, match[4])
        if terminal:
            sys.stdout.write("\r\033[K" + text[: shutil.get_terminal_size().columns - 1])
            on_status = True
        elif seconds - last_printed >= SECONDS_BETWEEN_LINES or finished == total:
            sys.stdout.write(text + "\n")
            last_printed = seconds
        sys.stdout.flush()
    if on_status:
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
