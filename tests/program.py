"""What tests of whole commands share: the program and the rows that it reads."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = pathlib.Path(os.environ.get("REVEILLE_PROGRAM", ROOT / "build" / "reveille")).resolve()


def reveille(*arguments, code=0, **more):
    """Runs the program; another exit code than `code` fails the test. `more` goes to subprocess.run."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], text=True, stderr=subprocess.PIPE,
                          **{"stdout": subprocess.PIPE, **more})
    assert done.returncode == code, \
        f"{' '.join(map(str, arguments))}: exit code {done.returncode}, not {code}:\n{done.stdout or ''}{done.stderr}"
    return done


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
