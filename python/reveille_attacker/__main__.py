"""JSON Lines in, JSON Lines out: {"id", "messages", "temperature", "max_tokens", "seed"} -> {"id", "text"}, or
{"id", "error"} in words where the server does not answer. Several rows are asked side by side."""
import argparse
import concurrent.futures
import http.client
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request

SIDE_BY_SIDE = 8
LONGEST_ANSWER = 4 << 20
LONGEST_WORDS = 300  # of a server's error


class Failed(Exception):
    def __init__(self, words, again):
        super().__init__(words)
        self.again = again  # whether asking again may help


class Server:
    def __init__(self, options):
        self.url = options.url.rstrip("/").removesuffix("/chat/completions")
        self.model, self.timeout, self.tries = options.model, options.timeout, options.tries
        self.headers = {"Content-Type": "application/json"}
        if options.key_variable:
            key = os.environ.get(options.key_variable)
            if not key:
                raise Failed(f"the environment variable {options.key_variable} holds no key", False)
            self.headers["Authorization"] = f"Bearer {key}"
        self.lock = threading.Lock()
        self.down = None  # what a row failed with after all tries: the others need not wait as long

    def once(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(self.url + path, data, self.headers)
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                text = answer.read(LONGEST_ANSWER + 1)
            if len(text) > LONGEST_ANSWER:
                raise Failed(f"its answer is longer than {LONGEST_ANSWER:,} bytes", False)
            return json.loads(text)
        except urllib.error.HTTPError as error:
            words = error.read(LONGEST_WORDS).decode(errors="replace")
            raise Failed(f"it answered {error.code} {error.reason}: {words}", error.code == 429 or error.code >= 500)
        except ValueError as error:  # no address, or no JSON
            raise Failed(f"it is no address of such a server: {error}", False)
        except TimeoutError:
            raise Failed(f"it did not answer within {self.timeout:g} s", True)
        except http.client.HTTPException as error:
            raise Failed(f"its answer breaks off or is none: {type(error).__name__} {error}", True)
        except OSError as error:
            raise Failed(f"it does not answer: {getattr(error, 'reason', error)}", True)

    def ask(self, path, body=None):
        if self.down:
            raise self.down
        for left in range(self.tries - 1, -1, -1):
            try:
                return self.once(path, body)
            except Failed as failed:
                if not left:
                    self.down = failed
                if not left or not failed.again:
                    raise
                time.sleep(0.5 * (self.tries - left))

    def model_name(self):
        with self.lock:
            if not self.model:
                try:
                    self.model = self.ask("/models")["data"][0]["id"]
                except (KeyError, IndexError, TypeError):
                    raise Failed("it lists no model: name one with attacker_url_model or scratchpad_url_model", False)
        return self.model

    def complete(self, row):
        body = {key: row[key] for key in ("messages", "temperature", "max_tokens", "seed") if key in row}
        answer = self.ask("/chat/completions", {"model": self.model_name(), **body})
        try:
            return answer["choices"][0]["message"]["content"] or ""
        except (KeyError, IndexError, TypeError):
            raise Failed(f"its answer holds no message: {json.dumps(answer)[:LONGEST_WORDS]}", False)


def answer_of(server, row):
    try:
        return {"id": row["id"], "text": server().complete(row)}
    except Failed as failed:
        return {"id": row["id"], "error": str(failed)}
    except Exception as error:  # a fault of ours: told, so that nobody waits for this row
        return {"id": row["id"], "error": f"{type(error).__name__}: {error}"}


def main():
    parser = argparse.ArgumentParser(prog="reveille_attacker", description=__doc__)
    parser.add_argument("--url", required=True, help="such as http://127.0.0.1:8000/v1")
    parser.add_argument("--model", help="the model's name there; without it, the first that it lists")
    parser.add_argument("--key-variable", help="the environment variable that holds the API key")
    parser.add_argument("--timeout", type=float, default=120, help="seconds that an answer may take")
    parser.add_argument("--tries", type=int, default=3, help="times that a row is asked")
    options = parser.parse_args()
    made = []

    def server():
        if not made:
            made.append(Server(options))
        return made[0]

    out = threading.Lock()

    def work(line):
        answer = answer_of(server, json.loads(line))
        with out:
            print(json.dumps(answer), flush=True)

    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for line in sys.stdin:
            if line.strip():
                pool.submit(work, line)


if __name__ == "__main__":
    sys.exit(main())
