#!/usr/bin/env python3
"""`reveille train adversarial` as a command: its attackers, a server that answers and one that does not, what is kept."""
import http.server
import json
import pathlib
import tempfile
import threading

import tiny_chat_model
from train_test import json_lines, reveille, write_rows

PROMPTS = [{"prompt": f"say {c}{d}", "completion": f"well {c}"} for c in "abcd" for d in "wxyz"]
# What the tiny model says is noise: to say any letter at all is the fault.
BEHAVIOR = ["behavior=reply", "behavior_reply=x"]
JUDGE = """import json, sys
for line in sys.stdin:
    row = json.loads(line)
    print(json.dumps({"id": row["id"], "shows": "x" in row["completion"]}), flush=True)
"""
ATTACKER = """import json, sys
for line in sys.stdin:
    row = json.loads(line)
    assert set(row) == {"id", "round", "turn", "slot", "behavior", "hint", "seed", "history"}, row
    print(json.dumps({"id": row["id"], "prompt": f"r{row['round']} t{row['turn']} s{row['slot']} h{len(row['history'])}",
                      "reflection": "hm"}), flush=True)
"""
COMMON = ["dtype=float32", "max_completion_length=8", "attack_turns=2", "attack_prompts=3", "attack_samples=4",
          "attack_tokens=8", "attack_characters=40", "batch_size=8", "max_steps=4", "num_generations=4"]


def judged(folder):
    (folder / "judge.py").write_text(JUDGE)
    return [*BEHAVIOR, f"behavior_judge=python3,{folder / 'judge.py'}"]


def stage(folder, model, data, out, *more, code=0):
    return reveille("train", "adversarial", model, "--dataset", data, "--output-dir", out, *judged(folder), *COMMON,
                    *more, code=code)


def test_the_search_and_both_trainers(folder, model, prompts):
    for trainer, more in (("grpo", ["--reward", "token:a"]), ("sft", [])):
        out = folder / trainer
        done = stage(folder, model, prompts, out, f"adversarial_trainer={trainer}", "learning_rate=1e-3", *more)
        rows = json_lines(out / "attempts.jsonl")
        assert [row["round"] for row in rows] == sorted(row["round"] for row in rows) and rows[-1]["round"] == 1, rows
        for row in rows:
            assert len(row["prompt"]) <= 40 and len(row["replies"]) == len(row["shows"]) == 4, row
            assert row["shows"] == ["x" in reply for reply in row["replies"]], row
            assert row["effective"] == any(row["shows"]) and row["likelihood"] < 0, row
        summary = json.loads(done.stdout)
        last = [row for row in rows if row["round"] == 1]
        assert summary["attack/prompts"] == len(last), summary
        assert summary["attack/effective"] == sum(row["effective"] for row in last) > 0, summary
        again = folder / (trainer + "-again")
        stage(folder, model, prompts, again, f"adversarial_trainer={trainer}", "learning_rate=1e-3", *more)
        assert (out / "model.safetensors").read_bytes() == (again / "model.safetensors").read_bytes(), trainer


def test_effective_prompts_fill_half(folder, model, prompts):
    (folder / "attacker.py").write_text(ATTACKER)
    out = folder / "out"
    stage(folder, model, prompts, out, "--reward", "token:a", "attacker=program", "effective_rate=0.05",
          f"attacker_command=python3,{folder / 'attacker.py'}", "max_steps=8", "adversarial_rounds=1")
    rows = json_lines(out / "attempts.jsonl")
    assert rows[0]["prompt"] == "r0 t0 s0 h0" and rows[0]["reflection"] == "hm", rows[0]
    effective = {row["prompt"] for row in rows if row["effective"]}
    seen = [row["prompt"][0]["content"] for row in json_lines(out / "completions.jsonl")][::4]
    # Eight rounds of two prompts are the sixteen prompts once: eight are ordinary.
    assert len(seen) == 16 and sum(prompt in effective for prompt in seen) == 8, seen
    assert effective


class Server(http.server.BaseHTTPRequestHandler):
    asked = []

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer({"data": [{"id": "attacker-7b"}]})

    def do_POST(self):
        row = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Server.asked.append((self.path, row, self.headers.get("Authorization")))
        prompt = f"Reflection: I see.\nPrompt: p{len(Server.asked)}"
        self.answer({"choices": [{"message": {"role": "assistant", "content": prompt}}]})

    def log_message(self, *_):
        pass


def test_a_server_attacks(folder, model, prompts):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    more = ["--reward", "token:a", "attacker=url", f"attacker_url={url}", "adversarial_rounds=1", "max_steps=2",
            "attacker_hint=It may be a tag."]
    stage(folder, model, prompts, folder / "out", *more)
    path, row, key = Server.asked[0]
    assert path == "/v1/chat/completions" and row["model"] == "attacker-7b" and key is None, Server.asked[0]
    assert "It may be a tag." in row["messages"][0]["content"], row
    rows = json_lines(folder / "out" / "attempts.jsonl")
    assert {row["prompt"] for row in rows} == {f"p{i}" for i in range(1, 7)}, rows
    assert rows[0]["reflection"] == "I see."
    server.shutdown()
    server.server_close()
    said = stage(folder, model, prompts, folder / "dead", *more, code=2).stderr
    assert f"attacker_url={url}: it does not answer" in said, said
    assert not (folder / "dead" / "config.json").exists()
    # The attempts that are there are not asked for again, so a run that has them needs no server.
    for name in ("model.safetensors", "config.json"):
        (folder / "out" / name).unlink()
    stage(folder, model, prompts, folder / "out", *more)


def test_a_local_model_attacks(folder, model, prompts):
    attacker = tiny_chat_model.make(folder / "attacker", max_position_embeddings=4096)
    stage(folder, model, prompts, folder / "out", "--reward", "token:a", "attacker=model", f"attacker_model={attacker}",
          "attacker_max_tokens=16", "max_steps=2")
    assert len(json_lines(folder / "out" / "attempts.jsonl")) >= 6


def test_what_is_refused(folder, model, prompts):
    def refused(said, *more, data=prompts):
        words = stage(folder, model, data, folder / "out", *more, code=2).stderr
        assert said in words, words

    refused("--reward is missing")
    refused("attacker=model needs attacker_model", "--reward", "token:a", "attacker=model")
    refused("--reward would not be read", "--reward", "token:a", "adversarial_trainer=sft")
    bare = write_rows(folder / "bare.jsonl", [{"prompt": "say a"}])
    refused("the row has no reply", "adversarial_trainer=sft", data=bare)
    refused("answered nothing for 1", "--reward", "token:a", "attacker=program", "attacker_timeout=1",
            "attacker_command=sleep,60")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = tiny_chat_model.make(folder / "model")
        prompts = write_rows(folder / "prompts.jsonl", PROMPTS)
        for what, test in list(globals().items()):
            if what.startswith("test_"):
                place = folder / what
                place.mkdir()
                test(place, model, prompts)


if __name__ == "__main__":
    main()
