"""Renders the shipped task files in the way tasks/README.md states. For tests and measurements."""
import functools
import itertools
import pathlib
import random
import re

import jinja2
import yaml

TASKS = pathlib.Path(__file__).resolve().parents[3] / "tasks"
MARKER = "## COMPLETE CODE HERE"
SPLITS = {"train": 0, "eval": 1}
_environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)


def files(folder=TASKS):
    return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("cwe_*.yaml"))]


def families(folder=TASKS):
    return [(content["cwe"], family) for content in files(folder) for family in content["families"]]


def values(family, split):
    return {slot: given[SPLITS[split]::2] for slot, given in family["slots"].items()}


def draw(family, split, rng):
    return {slot: rng.choice(given) for slot, given in values(family, split).items()}


@functools.cache
def _compiled(template):
    return _environment.from_string(template)


def text(template, slots):
    return _compiled(template).render(slots)


def solve(family, solution, slots):
    """The whole file: the template with a solution in the marker's place and its imports on top."""
    template = text(family["template"], slots)
    match = re.search(rf"^([ ]*){re.escape(MARKER)}\n", template, re.MULTILINE)
    body = "".join(match.group(1) + line + "\n" if line else "\n"
                   for line in text(solution["body"], slots).rstrip("\n").split("\n"))
    imports = "".join(text(line, slots) + "\n" for line in solution.get("imports", []))
    return imports + template[:match.start()] + body + template[match.end():]


def solutions(family, split, kind, count, seed=0):
    rng = random.Random(f"{seed} {family['name']} {split} {kind}")
    for number in range(count):
        yield solve(family, family[kind][number % len(family[kind])], draw(family, split, rng))


def prompts(family, split):
    """Every distinct prompt (wording, code) of a family."""
    seen = "".join([family["template"], *family["task"]])
    given = {slot: some for slot, some in values(family, split).items() if re.search(rf"\b{slot}\b", seen)}
    template = _compiled(family["template"])
    wordings = [_compiled(t) for t in family["task"][SPLITS[split]::2]]
    for drawn in itertools.product(*given.values()):
        slots = dict(zip(given, drawn))
        code = template.render(slots)
        for wording in wordings:
            yield wording.render(slots), code
