"""CWE-732: files and folders that every user of the machine may change, or secrets that all may read."""
import ast
import re
import stat

from bandit.core import test_properties as test

from .flow import Flow, Kind, argument, called, dotted, names_in, tree_of
from .issues import found

SECRET = re.compile(r"(?:^|_)(?:key|keys|secret|secrets|password|passwords|passwd|token|credential|credentials|private|shadow|pem|cert"
                    r"|certificate|keyfile|passphrase|ssh)(?:_|$)")


def mode_of(flow, node):
    """The number a mode stands for: octal, an | of stat's names, a constant given a name; None where unknown."""
    node = flow.resolved(node)
    if isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = [mode_of(flow, node.left), mode_of(flow, node.right)]
        # One known side is enough to see a bit that is set.
        known = [s for s in sides if s is not None]
        return sum(known) if len(known) == 1 else (sides[0] | sides[1] if known else None)
    name = dotted(node).rsplit(".", 1)[-1]
    if name.startswith("S_I"):
        value = getattr(stat, name, None)
        return value if isinstance(value, int) else None
    return None


def _modes(node):
    """The mode argument of a call that sets one."""
    name, full = called(node), dotted(node.func)
    if name in ("chmod", "lchmod", "fchmod"):
        # os.chmod(path, mode), or path.chmod(mode).
        return argument(node, 1 if len(node.args) > 1 else 0, "mode") if full.startswith("os.") or len(node.args) > 1 \
            else argument(node, 0, "mode")
    if full == "os.open":
        return argument(node, 2, "mode")
    if full in ("os.mkdir", "os.makedirs", "os.mkfifo", "os.mknod", "mkfifo", "makedirs"):
        return argument(node, 1, "mode")
    if name in ("mkdir", "touch") and isinstance(node.func, ast.Attribute) and not full.startswith("os."):
        return argument(node, 0, "mode")
    return None


def _narrowed(flow, node):
    """Does a umask set before take the write bit away?"""
    scope = flow.tree.scope_of(node)
    for call in scope.calls:
        if called(call) == "umask" and call.lineno <= node.lineno and call.args:
            mask = mode_of(flow, call.args[0])
            if mask is not None and mask & stat.S_IWOTH:
                return True
    return False


def sticky(node):
    """Bandit's finding is dropped for a folder such as /tmp, where nobody can remove what others made."""
    flow = Flow(tree_of(node), Kind())
    wanted = _modes(node)
    mode = mode_of(flow, wanted) if wanted is not None else None
    return mode is not None and bool(mode & stat.S_ISVTX)


@test.checks("Call")
@test.test_id("R161")
def open_mode(context):
    """A mode lets every user write."""
    node = context.node
    wanted = _modes(node)
    if wanted is None:
        return None
    flow = Flow(tree_of(node), Kind())
    mode = mode_of(flow, wanted)
    if mode is None or not mode & stat.S_IWOTH or mode & stat.S_ISVTX or mode > 0o7777:
        return None
    if "chmod" not in called(node) and _narrowed(flow, node):
        return None
    return found(732, f"Mode {oct(mode)} lets every user write.", node)


@test.checks("Call")
@test.test_id("R162")
def open_umask(context):
    """A umask of nought: what the process makes afterwards can be written by all."""
    node = context.node
    if called(node) != "umask" or not node.args:
        return None
    flow = Flow(tree_of(node), Kind())
    mask = mode_of(flow, node.args[0])
    if mask is None or mask & stat.S_IWOTH:
        return None
    # old = os.umask(0); os.umask(old) only reads the mask; a second call puts it back.
    scope = flow.tree.scope_of(node)
    for call in scope.calls:
        if call is not node and called(call) == "umask" and call.lineno >= node.lineno and call.args:
            if mode_of(flow, call.args[0]) is None or mode_of(flow, call.args[0]) & stat.S_IWOTH:
                return None
    return found(732, f"A umask of {oct(mask)} lets every user write what is made afterwards.", node)


@test.checks("Call")
@test.test_id("R163")
def readable_secret(context):
    """A file whose name says that it holds a secret is made readable by all."""
    node = context.node
    wanted = _modes(node)
    if wanted is None or called(node) in ("mkdir", "makedirs"):
        return None
    flow = Flow(tree_of(node), Kind())
    mode = mode_of(flow, wanted)
    if mode is None or not mode & stat.S_IROTH or mode > 0o7777:
        return None
    target = node.args[0] if node.args and wanted is not node.args[0] else getattr(node.func, "value", None)
    if target is None:
        return None
    words = {n.lower() for n in names_in(target)} | {n.attr.lower() for n in ast.walk(target) if isinstance(n, ast.Attribute)}
    words |= {re.sub(r"[^a-z]+", "_", str(n.value).lower()) for n in ast.walk(target) if isinstance(n, ast.Constant)}
    if any(SECRET.search(w) for w in words) and not any("pub" in w for w in words):
        return found(732, f"Mode {oct(mode)} lets every user read a secret.", node)
    return None
