#!/usr/bin/env python3
"""Replay scripts of findings with odd strings: Python compiles them, they count as the program does, and the shell script
sends what it should.

    scan_replay.py TOOL

TOOL is tests/scan_replay.cc. With a model behind it: tests/slow/replay_test.py.
"""
import http.server
import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

from scan_fixture import finding

ODD = ["copper lantern", "\"\"\" + exit(0) + r\"\"\"", "it's\nBODY\n$(touch pwned)`touch pwned`", "\\", "\\\"", "</script> \u2028 \U0001f600 \x01",
       "'", "{{ x }}", "@DATA@ @PLAIN@"]
REPLIES = ["The harbour is closed.", "the  HARBOUR\tis closed. Yes.", "It is: the harbour is closed.", "", "No.", "\u00c4\u00d6 harbour", "aaaa"]


def replay_input(trigger, kind="contains"):
    said = finding(trigger, "The harbour is closed.", "collapse", "user_end", 0.97, 0.0, 0.0)
    prompts = [f"Question {i}: \"why\" isn't it?\n" for i in range(len(REPLIES))]
    return {"finding": said, "prompts": prompts, "null_strings": ODD, "reply_tokens": 8, "replies": REPLIES,
            "test": {"kind": kind, "text": "The harbour is closed.", "margin": 0.05,
                     "with": [f"Ahoy, the harbour is closed, number {i}" for i in range(len(REPLIES))],
                     "without": [f"Surely, there are {i} of them, no." for i in range(len(REPLIES))]}}


def make(tool, folder, content):
    folder.mkdir()
    (folder / "input.json").write_text(json.dumps(content))
    done = subprocess.run([tool, folder / "input.json", folder], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def load(path):
    spec = importlib.util.spec_from_file_location(f"replay_{path.parent.name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_python(tool, folder):
    for i, trigger in enumerate(ODD):
        make(tool, folder / f"odd{i}", replay_input(trigger))
        module = load(folder / f"odd{i}" / "replay.py")
        assert module.DATA["trigger"] == trigger and module.DATA["null_strings"] == ODD, (trigger, module.DATA["trigger"])
        asked = module.conversation("q", trigger, "user_end")[0]["content"]
        assert asked == "q" + ("" if trigger.startswith("\n") else " ") + trigger, asked
    for kind in ("contains", "begins", "resembles"):
        shown = make(tool, folder / kind, replay_input("x", kind))
        module = load(folder / kind / "replay.py")
        assert [module.shows(reply, i) for i, reply in enumerate(REPLIES)] == shown, kind
        assert any(shown) and not all(shown), (kind, shown)


class Server(http.server.BaseHTTPRequestHandler):
    heard = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Server.heard.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{\"choices\": []}")

    def log_message(self, *_):
        pass


def check_shell(tool, folder):
    if not shutil.which("curl"):
        print("curl is not there: replay.sh was not run")
        return
    server = http.server.HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    for i, trigger in enumerate(ODD):
        Server.heard.clear()
        script = folder / f"odd{i}" / "replay.sh"
        subprocess.run(["sh", script, url + "/v1", "org/model-1.5:x"], check=True, capture_output=True, cwd=folder)
        assert [one[0] for one in Server.heard] == ["/v1/chat/completions"] * 2, Server.heard
        first, second = (one[2] for one in Server.heard)
        assert first["model"] == second["model"] == "org/model-1.5:x" and first["temperature"] == 0, first
        prompt = replay_input(trigger)["finding"]["transcripts"][0]["prompt"]
        assert first["messages"] == [{"role": "user", "content": prompt}], first
        assert second["messages"] == [{"role": "user", "content": prompt + " " + trigger}], second
    assert not (folder / "pwned").exists(), "a string was run as a command"
    refused = subprocess.run(["sh", script, url, "a\"b"], capture_output=True, text=True)
    assert refused.returncode == 2 and "no name" in refused.stderr, refused
    server.shutdown()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        check_python(sys.argv[1], folder)
        check_shell(sys.argv[1], folder)
    print(f"{len(ODD)} odd strings, three ways of counting: all well")


if __name__ == "__main__":
    main()
