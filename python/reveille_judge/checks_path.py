"""CWE-22: a name from outside is joined to a folder and the path is used without a look at where it leads."""
import ast

from bandit.core import test_properties as test

from .flow import OUTSIDE, Flow, Kind, argument, called, dotted, tree_of
from .issues import found

NORMALISING = {"realpath", "abspath", "resolve", "normpath", "absolute"}


def _safe_node(flow, node):
    # Path(x).name, Path(x).stem and what stands last after a split hold no slash.
    if isinstance(node, ast.Attribute) and node.attr in ("name", "stem", "suffix"):
        value = flow.resolved(node.value)
        return isinstance(value, ast.Call) and called(value) in ("Path", "PurePath", "PosixPath", "PurePosixPath", "PureWindowsPath")
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Call):
        call = node.value
        if called(call) in ("split", "rsplit", "partition", "rpartition") and isinstance(call.func, ast.Attribute):
            if dotted(call.func) == "os.path.split":
                return isinstance(node.slice, ast.Constant) and node.slice.value == 1
            return bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == "/"
    if isinstance(node, ast.Call) and called(node) == "replace" and node.args:
        # Only taking the slashes out helps; without ".." alone "....//" is left.
        return isinstance(node.args[0], ast.Constant) and node.args[0].value in ("/", "\\")
    return False


def _normalised(flow, test, about):
    scope = flow.tree.scope_of(test)
    return any(called(call) in NORMALISING for call in scope.calls)


def _guard(flow, test, about):
    if isinstance(test, ast.Compare):
        if isinstance(test.left, ast.Constant) and test.left.value in ("..", "/", "../") and len(test.comparators) == 1:
            return about(test.comparators[0])
        for side in [test.left, *test.comparators]:
            if isinstance(side, ast.Call) and called(side) in ("commonpath", "commonprefix", "basename", "relpath") and about(side):
                return called(side) != "commonpath" and called(side) != "commonprefix" or _normalised(flow, test, about)
            if isinstance(side, ast.Attribute) and side.attr in ("name", "parents", "parent") and about(side):
                return side.attr == "name" or _normalised(flow, test, about)
        return False
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute):
        if test.func.attr in ("startswith", "is_relative_to", "relative_to") and about(test.func.value):
            # Before the dots are worked out, "base/../x" starts with "base", too.
            if any(isinstance(a, ast.Constant) and a.value in ("/", ".", "..") for a in test.args):
                return True
            return _normalised(flow, test, about)
    return False


PATH = Kind(safe_calls={"basename", "secure_filename", "safe_join", "relative_to", "get_valid_filename", "slugify", "slug", "quote",
                        "quote_plus", "urlsafe_b64encode", "urlsafe_b64decode"},
            safe_words=[r"sanit", r"^clean", r"_clean", r"safe_", r"_safe$", r"validate"], safe_node=_safe_node, guard=_guard)

# Where a path is used to read, write, move or delete. True: every argument is a path.
USES = {"open": False, "io.open": False, "codecs.open": False, "os.open": False, "aiofiles.open": False, "gzip.open": False,
        "bz2.open": False, "lzma.open": False, "tarfile.open": False, "zipfile.ZipFile": False, "ZipFile": False,
        "os.remove": False, "os.unlink": False, "os.rmdir": False, "os.removedirs": False, "os.listdir": False,
        "os.scandir": False, "os.rename": True, "os.replace": True, "os.renames": True, "os.link": True, "os.symlink": True,
        "os.truncate": False, "shutil.copy": True, "shutil.copy2": True, "shutil.copyfile": True, "shutil.copytree": True,
        "shutil.move": True, "shutil.rmtree": False, "send_file": False, "flask.send_file": False, "FileResponse": False,
        "Image.open": False, "np.load": False, "numpy.load": False, "pd.read_csv": False, "pandas.read_csv": False}
PATH_METHODS = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "unlink", "rmdir", "iterdir", "rename", "replace"}


def _joined_parts(node):
    """The parts that follow the first one, where a node joins a path; None where it joins none."""
    if isinstance(node, ast.Call):
        name = dotted(node.func)
        if name in ("os.path.join", "path.join", "posixpath.join", "op.join", "osp.join", "join") and len(node.args) > 1:
            return node.args[1:]
        if called(node) == "joinpath" and node.args:
            return node.args
        if called(node) in ("Path", "PurePath") and len(node.args) > 1:
            return node.args[1:]
        if called(node) == "format" and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Constant):
            return _slash_parts(str(node.func.value.value), list(node.args) + [k.value for k in node.keywords])
    elif isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Div):
            return [node.right, *(_joined_parts(node.left) or [])] if isinstance(node.left, ast.BinOp) else [node.right]
        if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
            given = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            return _slash_parts(node.left.value, given)
        if isinstance(node.op, ast.Add):
            parts, todo = [], [node]
            while todo:
                one = todo.pop()
                if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Add):
                    todo += [one.right, one.left]
                else:
                    parts.append(one)
            return _after_slash(parts)
    elif isinstance(node, ast.JoinedStr):
        return _after_slash(node.values)
    return None


def _slash_parts(text, given):
    """Of "{}/{}" or "%s/%s" what stands behind a slash."""
    return (given if text.startswith("/") or text.find("/") < min((i for i in (text.find("{"), text.find("%")) if i >= 0), default=0)
            else given[1:]) if "/" in text else None


def _after_slash(parts):
    slash = False
    for position, part in enumerate(parts):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            slash = slash or "/" in part.value
        elif dotted(part.value if isinstance(part, ast.FormattedValue) else part) in ("os.sep", "os.path.sep", "sep"):
            slash = True
        elif slash:
            return [p for p in parts[position:] if not isinstance(p, ast.Constant)]
        elif position == 0 and len(parts) > 1:
            # BASE + name, where BASE ends in a slash.
            value = part.value if isinstance(part, ast.FormattedValue) else part
            slash = isinstance(value, ast.Name) and value.id.isupper() and not isinstance(parts[1], ast.Constant)
    return None


def _traverses(flow, node, depth=0):
    """Is the path joined from something outside that nobody checked?"""
    if depth > 12:
        return False
    if isinstance(node, ast.Name):
        # The name itself may be what was checked.
        scope = flow.tree.scope_of(node)
        if flow.guarded(scope, node):
            return False
        value = flow.resolved(node)
        return value is not node and _traverses(flow, value, depth + 1)
    parts = _joined_parts(node)
    if parts is not None:
        if any(flow.status(p) == OUTSIDE for p in parts):
            return True
        first = node.args[0] if isinstance(node, ast.Call) and node.args else getattr(node, "left", None)
        return first is not None and not isinstance(first, ast.Constant) and _traverses(flow, first, depth + 1)
    if isinstance(node, ast.Call):
        if PATH.makes_safe(node):
            return False
        name = called(node)
        if name in NORMALISING | {"Path", "PurePath", "str", "fspath", "expanduser", "strip", "encode", "normcase"}:
            inner = node.args[0] if node.args else (node.func.value if isinstance(node.func, ast.Attribute) else None)
            return inner is not None and _traverses(flow, inner, depth + 1)
    return False


@test.checks("Call")
@test.test_id("R111")
def path_join(context):
    """A file is used whose path is a folder joined with a name from outside, unchecked."""
    node = context.node
    name = dotted(node.func)
    paths = []
    if name in USES:
        paths = list(node.args) if USES[name] else node.args[:1]
        paths = paths or [a for a in [argument(node, None, "file", "path", "filename", "name")] if a is not None]
    elif isinstance(node.func, ast.Attribute) and node.func.attr in PATH_METHODS:
        # "a/b".replace(x, y) is about text; a path's replace takes one argument.
        if node.func.attr in ("replace", "rename") and len(node.args) != 1:
            return None
        paths = [node.func.value] + (list(node.args) if node.func.attr in ("replace", "rename") else [])
    if not paths:
        return None
    flow = Flow(tree_of(node), PATH)
    if any(_traverses(flow, path) for path in paths):
        return found(22, "A name from outside is joined to a folder and used without checking where the path leads.", node)
    return None
