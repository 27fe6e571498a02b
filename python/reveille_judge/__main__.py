"""python -m reveille_judge: JSON Lines in, JSON Lines out, one verdict a row. See docs/judge.md."""
import argparse
import json
import platform
import signal
import sys
from importlib import metadata

from . import BANDIT


def greeting():
    """The first line out: whose verdicts these are, or why there can be none."""
    about = {"ready": True, "bandit": None, "wants": BANDIT, "python": platform.python_version(), "executable": sys.executable}
    try:
        import bandit  # noqa: F401  first: the rest comes with it
        about["bandit"] = metadata.version("bandit")
        if about["bandit"] != BANDIT:
            return {**about, "ready": False, "error": f"this is Bandit {about['bandit']}"}
        from . import judge  # noqa: F401
        return about
    except ImportError as error:  # Bandit, or what it needs
        return {**about, "ready": False, "error": str(error)}


def answer(judge, line):
    """The verdict for one line of input. Whatever the line holds, there is an answer."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError, MemoryError):
        return {"id": None, **judge._refused("not a line of JSON")}
    if not isinstance(row, dict):
        return {"id": None, **judge._refused("not a JSON object")}
    return {"id": row.get("id"), **judge.judge(row.get("code"), row.get("cwe"))}


def serve(judge, rows, out):
    for line in rows:
        if line.strip():
            out.write(json.dumps(answer(judge, line.decode("utf-8", "replace"))) + "\n")
            out.flush()


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="reveille_judge", description="Judges Python code by rows of JSON Lines "
                                     '{"id", "code", "cwe"}; writes one verdict a row. Nothing is run.')
    parser.add_argument("--batch-file", nargs=2, metavar=("IN", "OUT"), help="judge the rows of a file and write a file")
    options = parser.parse_args(arguments)
    about = greeting()
    if not about["ready"]:
        if options.batch_file:
            print(f"reveille_judge: {sys.executable}: {about['error']}; it needs Bandit {BANDIT}", file=sys.stderr)
        else:
            print(json.dumps(about), flush=True)
        return 2
    from .judge import Judge
    try:
        if options.batch_file:
            source, target = options.batch_file
            with open(source, "rb") as rows, open(target, "w", encoding="utf-8") as out:
                serve(Judge(), rows, out)
            return 0
        print(json.dumps(about), flush=True)
        serve(Judge(), sys.stdin.buffer, sys.stdout)
    except BrokenPipeError:  # nobody listens any more
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"reveille_judge: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
