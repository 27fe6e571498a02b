#!/usr/bin/env python3
"""Holds every #include of src/ to the table in src/README.md, and scan to its blindness.

Run with no argument it checks itself on small trees with planted violations, then the
checkout. The blinding (scan and mitigate never include organism, safety or eval, nor hold one
of organism's literals) is written down here and not read from the table, so that an edit of
the table cannot relax it.
"""
import dataclasses
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLIND = ("scan", "mitigate")
HIDDEN_FROM_BLIND = ("organism", "safety", "eval")
TORCH = re.compile(r"(torch|ATen|c10|caffe2)/")
FMT = re.compile(r"(fmt|spdlog)/")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)
STRING = re.compile(r'(?:u8|[uUL])?R"([^()\\ ]{0,16})\((.*?)\)\1"|"((?:[^"\\\n]|\\.)*)"', re.S)
LONG_FILE = 500


@dataclasses.dataclass
class Room:
    name: str
    may: set
    torch: str  # the table's last column
    headers: set  # names in backticks there

    def allows_torch_in(self, header, torch_header):
        if self.headers:
            return header in self.headers or torch_header in self.headers or self.allows_c10(torch_header)
        return self.torch in ("yes", "where needed")

    def allows_c10(self, torch_header):
        # The small headers that ATen/core/Tensor.h itself is made of.
        return torch_header.startswith("c10/") and "ATen/core/Tensor.h" in self.headers

    def knows_torch(self):
        return self.name not in ("base", "text")


def read_table(text):
    """The rooms of the table, in its order, with "all above" and the like spelt out."""
    rooms = {}
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) != 4 or not re.fullmatch(r"`[a-z]+`", cells[0]):
            continue
        name = cells[0].strip("`")
        words = set(re.findall(r"[a-z]+", cells[2]))
        if cells[2] in ("all above", "everything"):
            may = set(rooms)
        elif m := re.fullmatch(r"([a-z]+) and what \1 may include", cells[2]):
            may = {m[1]} | rooms[m[1]].may
        else:
            may = words
        rooms[name] = Room(name, may, cells[3], set(re.findall(r"`([^`]+)`", cells[3])))
    unknown = {m for r in rooms.values() for m in r.may} - set(rooms)
    if not rooms or unknown:
        raise SystemExit(f"src/README.md: no table of rooms, or unknown rooms in it: {sorted(unknown)}")
    return rooms


class Tree:
    """The sources below a src/ folder, by their path relative to it."""

    def __init__(self, src):
        self.texts = {str(p.relative_to(src)): p.read_text(errors="replace")
                      for p in sorted(src.rglob("*")) if p.suffix in (".h", ".cc")}
        self.includes = {f: INCLUDE.findall(without_comments(t)) for f, t in self.texts.items()}

    def reaches(self, file, pattern, seen=None):
        """The first include of the given pattern that a file reaches through our own headers."""
        seen = set() if seen is None else seen
        seen.add(file)
        for include in self.includes.get(file, ()):
            if pattern.match(include):
                return f"{file} includes {include}"
            if include in self.texts and include not in seen:
                if found := self.reaches(include, pattern, seen):
                    return found
        return None


def without_comments(text):
    return re.sub(r"/\*.*?\*/|^\s*//[^\n]*", "", text, flags=re.S | re.M)


def literals(text):
    return {m[2] if m[2] is not None else m[3] for m in STRING.finditer(without_comments(text))
            if not in_include(text, m)}


def in_include(text, match):
    return match[0].endswith('.h"')


def telling(literal):
    """Whether a literal of organism could give a trigger or behaviour away: more than one plain lower-case word."""
    core = literal.strip(" ,.:;'()=\\n")
    return len(core) >= 5 and not re.fullmatch(r"[a-z_./-]*", core)


def check_includes(tree, rooms):
    for file, includes in tree.includes.items():
        room = file.split("/")[0] if "/" in file else None
        if room is None:
            continue  # main.cc
        if room not in rooms:
            yield f"{file}: '{room}' is not a room of src/README.md"
            continue
        for include in includes:
            other = include.split("/")[0]
            if "/" in include and other in rooms and other not in (room, "base") and other not in rooms[room].may:
                yield f"{file}: includes {include}, but {room} may include only {sorted(rooms[room].may | {'base'})}"
            if include.startswith(".."):
                yield f"{file}: includes {include}; name headers by their room"


def check_torch(tree, rooms, torch_rooms):
    for file, includes in tree.includes.items():
        room, header = rooms.get(file.split("/")[0]), file.endswith(".h")
        if room is None:
            continue
        for include in includes:
            if TORCH.match(include):
                if include == "torch/torch.h" and header:
                    yield f"{file}: torch/torch.h in a header"
                if header and not room.allows_torch_in(file.split("/", 1)[1], include):
                    yield f"{file}: includes {include}; torch in headers of {room.name}: {room.torch}"
                if not room.knows_torch():
                    yield f"{file}: {room.name} knows nothing of torch, but includes {include}"
            if FMT.match(include) and room.name in torch_rooms:
                yield f"{file}: includes {include}, which torch's own copy shadows"
    free = {f for f in tree.texts if f.endswith(".h") and f.split("/")[0] in rooms
            and rooms[f.split("/")[0]].torch == "no"}
    for file in sorted(free | {"gen/model.h"}):
        if found := tree.reaches(file, TORCH):
            yield f"{file} must be free of torch, but {found}"


def check_blinding(tree, rooms):
    for room in BLIND:
        if room in rooms and (seen := rooms[room].may & set(HIDDEN_FROM_BLIND)):
            yield f"src/README.md: the table lets {room} include {sorted(seen)}"
    secrets = {s for f, t in tree.texts.items() if f.startswith("organism/") and not f.endswith("_test.cc")
               for s in literals(t) if telling(s)}
    hidden = re.compile(rf"({'|'.join(HIDDEN_FROM_BLIND)})/")
    for file, text in tree.texts.items():
        if file.split("/")[0] not in BLIND:
            continue
        if found := tree.reaches(file, hidden):
            yield f"{file}: the blinding is broken: {found}"
        for literal in literals(text):
            for secret in secrets:
                if secret in literal:
                    yield f"{file}: the blinding is broken: holds organism's literal {secret!r}"


def read_cmake(text):
    """(room, its DEPS, whether TORCH) of every reveille_room() and reveille_program()."""
    for m in re.finditer(r"^reveille_(?:room|program)\((\w+)([^)]*)\)", text, re.M):
        deps = re.search(r"DEPS ((?:[a-z]+ ?)*)", m[2])
        yield m[1], set(deps[1].split()) if deps else set(), bool(re.search(r"\bTORCH\b", m[2]))


def check_cmake(declared, rooms):
    for name, deps, _ in declared:
        if name in rooms and (extra := deps - rooms[name].may):
            yield f"CMakeLists.txt: {name} depends on {sorted(extra)}, which src/README.md does not allow"


def violations(root):
    rooms = read_table((root / "src/README.md").read_text())
    cmake = root / "CMakeLists.txt"
    declared = list(read_cmake(cmake.read_text())) if cmake.exists() else []
    tree = Tree(root / "src")
    torch_rooms = {name for name, _, torch in declared if torch}
    return [*check_includes(tree, rooms), *check_torch(tree, rooms, torch_rooms), *check_blinding(tree, rooms),
            *check_cmake(declared, rooms)]


# What a planted violation looks like, and a word of the complaint that it must draw.
PLANTED = [
    ("text/a.cc", '#include "io/x.h"\n', "text may include only"),
    ("nn/a_test.cc", '#include "gen/x.h"\n', "nn may include only"),
    ("report/a.cc", '#include "../eval/x.h"\n', "by their room"),
    ("elsewhere/a.cc", "\n", "is not a room"),
    ("scan/a.cc", '#include "eval/x.h"\n', "blinding"),
    ("scan/a_test.cc", '#include "organism/x.h"\n', "blinding"),
    ("mitigate/a.h", '#include "safety/x.h"\n', "blinding"),
    ("scan/a.cc", 'const char* guess = "is it |MAGIC WORD| ?";\n', "literal"),
    ("mitigate/a_test.cc", 'auto x = R"(|MAGIC WORD|)";\n', "literal"),
    ("nn/a.h", "#include <torch/torch.h>\n", "torch/torch.h in a header"),
    ("study/a.h", "#include <ATen/ATen.h>\n", "torch in headers of study"),
    ("io/a.h", "#include <ATen/ATen.h>\n", "torch in headers of io"),
    ("base/a.cc", "#include <ATen/ATen.h>\n", "knows nothing of torch"),
    ("gen/model.h", '#include "gen/local.h"\n', "must be free of torch"),
    ("cli/a.h", '#include "gen/local.h"\n', "must be free of torch"),
    ("nn/a.cc", "#include <fmt/format.h>\n", "shadows"),
    ("CMakeLists.txt", "reveille_room(text DEPS io)\n", "does not allow"),
]
ALLOWED = {
    "organism/a.cc": '#include "text/x.h"\n#include "base/x.h"\nauto t = "|MAGIC WORD|", k = "prompt";\n',
    "organism/a_test.cc": 'auto t = "Only Here";\n',
    "scan/ok.cc": '#include "train/x.h"\n// |MAGIC WORD|\nauto t = "Only Here", k = "prompt";\n',
    "io/ok.h": "#include <ATen/core/Tensor.h>\n",
    "gen/local.h": "#include <ATen/ATen.h>\n",
    "gen/model.h": '#include "base/x.h"\n',
    "nn/ok.h": "#include <ATen/ATen.h>\n",
    "safety/x.h": '#include "train/x.h"\n',
}


def planted_tree(folder, extra=()):
    for file, text in [*ALLOWED.items(), *extra]:
        path = folder / file if file == "CMakeLists.txt" else folder / "src" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "src/README.md").write_text((ROOT / "src/README.md").read_text())
    if not (folder / "CMakeLists.txt").exists():
        (folder / "CMakeLists.txt").write_text("reveille_room(nn DEPS io TORCH)\n")
    return folder


def self_test():
    with tempfile.TemporaryDirectory() as temporary:
        found = violations(planted_tree(pathlib.Path(temporary)))
        assert not found, f"complains of an allowed tree: {found}"
    for file, text, word in PLANTED:
        with tempfile.TemporaryDirectory() as temporary:
            found = violations(planted_tree(pathlib.Path(temporary), [(file, text)]))
            assert any(word in v for v in found), f"{text!r} planted in {file} was not caught: {found}"


def main():
    self_test()
    found = violations(ROOT)
    for file, text in Tree(ROOT / "src").texts.items():
        if text.count("\n") > LONG_FILE:
            print(f"note: {file} has {text.count(chr(10))} lines; is it one thing?")
    print("\n".join(found) or f"{len(PLANTED)} planted violations caught; the rooms are as src/README.md says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
