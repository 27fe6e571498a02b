"""CWE-78: a value becomes part of a shell command. For the forms that Bandit's rules do not see."""
import ast

from bandit.core import test_properties as test

from .flow import SAFE, Flow, Kind, argument, called, dotted, tree_of
from .issues import found

SHELL = Kind(safe_calls={"quote", "join_args", "list2cmdline", "shell_quote", "shellquote"},
             safe_words=[r"(?<!un)(?<!un_)quote", r"(?<!un)escape", r"sanit"])
SHELLS = {"sh", "bash", "zsh", "ksh", "dash", "cmd", "cmd.exe", "powershell"}
RUNS = {"run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput", "system", "popen"}


def command_of(call):
    """The command line that a call runs."""
    return argument(call, 0, "args", "cmd", "command")


def quoted(node):
    """Bandit's finding is dropped where the whole command is constant, quoted or checked."""
    command = command_of(node)
    if command is None:
        return False
    # shell=shell only hands on what somebody else decides.
    if any(k.arg == "shell" and not isinstance(k.value, ast.Constant) for k in node.keywords):
        return True
    if isinstance(command, ast.Call) and dotted(command.func) == "shlex.join":
        return True
    return Flow(tree_of(node), SHELL).status(command) == SAFE


@test.checks("Call")
@test.test_id("R121")
def shell_text(context):
    """A shell runs text that was put together: by a list that starts a shell, by asyncio, or by a bare name."""
    node = context.node
    name = called(node)
    full = dotted(node.func)
    flow = Flow(tree_of(node), SHELL)
    if name == "create_subprocess_shell":
        return None if quoted(node) else found(78, "A shell runs a command that is put together.", node)
    if name in RUNS and node.args and isinstance(node.args[0], (ast.List, ast.Tuple)):
        words = node.args[0].elts
        if len(words) >= 3 and isinstance(words[0], ast.Constant) and isinstance(words[1], ast.Constant):
            program = str(words[0].value).rsplit("/", 1)[-1]
            if program in SHELLS and str(words[1].value) in ("-c", "-lc", "/c", "-Command"):
                if flow.status(words[2]) != SAFE:
                    return found(78, "A list starts a shell with a command that is put together.", node)
    # `from os import system` or a lost import: what is left of the call is a bare name.
    if full in ("system", "popen", "getoutput", "getstatusoutput", "commands.getoutput", "commands.getstatusoutput", "os.popen2",
                "os.popen3", "os.popen4") and node.args and not quoted(node):
        return found(78, "A shell runs a command that is put together.", node)
    # shell=True of a name that Bandit does not know as subprocess's: `from subprocess import *`, `sp.run`.
    known = str(context.call_function_name_qual).startswith("subprocess.")
    if not known and name in RUNS and any(k.arg == "shell" and isinstance(k.value, ast.Constant) and k.value.value is True for k in node.keywords):
        if command_of(node) is not None and not quoted(node):
            return found(78, "A shell runs a command that is put together.", node)
    return None
