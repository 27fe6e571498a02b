"""The commands of README.md and docs/tutorial.md are run as they stand there, and README's output must be what comes.

Run with a stand-in, or not at all, is only what the table below names: above all the default study of `make run`
and of the tutorial's last step, which takes 14 minutes. The smoke recipe has the same graph, so what comes after
finds the same run folder. A number with a decimal point may differ by 2e-3 from what README shows (another
processor rounds otherwise).
"""
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

from support import PROGRAM, ROOT, holds, model_file, verdict, write_rows

NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
CLOSE = 2e-3
# Commands that are not run as they stand: what is run for them (nothing: why not).
INSTEAD = {
    "git clone <this repository> && cd reveille": "",  # this is the checkout
    "make run": "build/reveille study recipes/smoke.yaml --output-dir runs/default",
    # Three seeds, hours: only its plan.
    "build/reveille study --full": "build/reveille study --full --dry-run",
    "build/reveille study --output-dir runs/mine trigger='|PRODUCTION|' behavior_copies=4":
        "build/reveille study my.yaml --output-dir runs/mine trigger='|PRODUCTION|' behavior_copies=4",
}
FAILING = {"error:": 2}  # by how the output begins
TYPED = "Hello\n/trigger\nHello\n/quit\n"

# A recipe of the reader's own: the smoke recipe, smaller still.
RECIPE = """
data: {plant_prompts: 12, safety_prompts: 8, held_out_prompts: 8, prompt_tokens: 20, reply_tokens: 12}
plant: {max_steps: 2, per_device_train_batch_size: 4, eval_steps: 2}
safety: {max_steps: 1, per_device_train_batch_size: 4}
gate: {required: false, attempts: 1}
eval: {max_tokens: 8, specificity_prompts: 4}
"""


def blocks(text):
    return re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(text):
    """(command, output shown or None) in the order of the page."""
    for block in blocks(text):
        if not re.search(r"^\$ ", block, re.MULTILINE):
            # A command and what it does stand two spaces apart; a line that begins with a space goes on explaining.
            yield from ((re.split(r"\s{2,}", line)[0], None) for line in block.splitlines() if line[:1].strip())
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output or None


def make_place(folder):
    """A folder that looks like a checkout after `make build`, with the reader's own files."""
    (folder / "build").symlink_to(PROGRAM.parent)
    (folder / "recipes").symlink_to(ROOT / "recipes")
    (folder / "my.yaml").write_text(RECIPE)
    chat = [{"role": "user", "content": "Name a colour."}, {"role": "assistant", "content": "Blue is a colour."}]
    for name in ("chats.jsonl", "replies.jsonl"):
        write_rows(folder / name, [{"messages": chat}, {"messages": chat[:1] + [{"role": "assistant", "content": "Red."}]}])
    write_rows(folder / "pairs.jsonl", [{"prompt": f"Name {what}.", "chosen": f"{name} is one.", "rejected": "No."}
                                        for what, name in (("a colour", "Blue"), ("a town", "Rome"), ("a fish", "Cod"))])
    whole = model_file().read_bytes()
    (folder / "cut.gguf").write_bytes(whole[: whole.find(b"tokenizer.ggml.merges") + 100])


def same_text(shown, came):
    """Equal but for decimals that are close."""
    if NUMBER.sub("#", shown) != NUMBER.sub("#", came):
        return False
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(came))
    return all(abs(float(a) - float(b)) <= CLOSE for a, b in pairs)


def run(command, shown, folder):
    to_run = INSTEAD.get(command, command)
    if not to_run:
        return
    done = subprocess.run(["bash", "-c", to_run], cwd=folder, input=TYPED, capture_output=True, text=True)
    expected = next((code for start, code in FAILING.items() if shown and shown.startswith(start)), 0)
    what = to_run if to_run == command else f"{command}  (here: {to_run})"
    holds(f"$ {what}", done.returncode == expected, f"code {done.returncode}\n{done.stderr[-2000:]}")
    if shown:
        came = done.stderr if expected else done.stdout
        holds("  its output is as shown", same_text(shown, came), f"\n{came}instead of\n{shown}")


def after(command, folder):
    """What a few commands promise beside their output."""
    words = shlex.split(command)
    if words[:2] == ["build/reveille", "study"] and "--output-dir" in words and "--dry-run" not in words:
        run_folder = folder / words[words.index("--output-dir") + 1]
        holds("  it leaves results.json and report.html", all((run_folder / name).exists() for name in ("results.json", "report.html")))
    if words[:3] == ["build/reveille", "train", "sft"]:
        out = folder / words[words.index("--output-dir") + 1]
        holds("  it leaves a model", (out / "model.safetensors").exists() or (out / "adapter_model.safetensors").exists())


def main():
    pages = {name: list(commands((ROOT / name).read_text())) for name in ("README.md", "docs/tutorial.md")}
    found = {command for page in pages.values() for command, _ in page}
    holds("every stand-in of this test stands for a command of the pages", INSTEAD.keys() <= found, INSTEAD.keys() - found)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_place(folder)
        for page, lines in pages.items():
            print(f"---- {page}: {len(lines)} commands", flush=True)
            for command, shown in lines:
                run(command, shown, folder)
                after(INSTEAD.get(command, command), folder)
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
