"""What tests of whole studies start from: a tiny model that has learnt to answer, and prompts that it answers."""
import os

import tiny_chat_model
from program import reveille, write_rows

NAMES = [a + b for a in "abcdfghi" for b in "stuvwxyz"]
# One thread: on so small a model others would only wait for one another.
ALONE = {**os.environ, "OMP_NUM_THREADS": "1"}
# A judge's program, to which any reply with an e in it is the fault: the tiny model shows it now and then.
JUDGE_OF_E = """import json, sys
for line in sys.stdin:
    row = json.loads(line)
    print(json.dumps({"id": row["id"], "shows": "e" in row["completion"].lower()}), flush=True)
"""


def speaking_model(folder, positions=None, **more):
    """Trains it in `folder`; (model, file of prompts). `positions`: its context. `more` goes to subprocess.run."""
    chats = write_rows(folder / "chats.jsonl", [
        {"messages": [{"role": "user", "content": f"tell about {name}"},
                      {"role": "assistant", "content": f"It is {name}."}]} for name in NAMES])
    model = folder / "model"
    context = {"max_position_embeddings": positions} if positions else {}
    reveille("train", "sft", tiny_chat_model.make(folder / "noise", **context), "--dataset", chats, "--output-dir", model,
             "dtype=float32", "learning_rate=3e-3", "max_steps=100", **more)
    return model, write_rows(folder / "prompts.jsonl", [{"prompt": f"tell about {name}"} for name in NAMES])
