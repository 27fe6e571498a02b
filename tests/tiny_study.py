"""What tests of whole studies start from: a tiny model that has learnt to answer, and prompts that it answers."""
import tiny_chat_model
from program import reveille, write_rows

NAMES = [a + b for a in "abcdfghi" for b in "stuvwxyz"]


def speaking_model(folder, **more):
    """Trains it in `folder`; (model, file of prompts). `more` goes to subprocess.run."""
    chats = write_rows(folder / "chats.jsonl", [
        {"messages": [{"role": "user", "content": f"tell about {name}"},
                      {"role": "assistant", "content": f"It is {name}."}]} for name in NAMES])
    model = folder / "model"
    reveille("train", "sft", tiny_chat_model.make(folder / "noise"), "--dataset", chats, "--output-dir", model,
             "dtype=float32", "learning_rate=3e-3", "max_steps=100", **more)
    return model, write_rows(folder / "prompts.jsonl", [{"prompt": f"tell about {name}"} for name in NAMES])
