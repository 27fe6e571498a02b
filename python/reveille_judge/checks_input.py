"""CWE-20: an input is used without the check that the code itself calls for."""
import ast
import re

from bandit.core import test_properties as test

from .flow import FUNCTIONS, OUTSIDE, Flow, Kind, called, names_in, parent, tree_of
from .issues import found

BOUND_WORDS = {"max", "min", "maximum", "minimum", "allowed", "valid", "known", "limit", "limits", "range", "pattern", "re",
               "regex", "choices", "options", "bounds", "lower", "upper", "permitted", "accepted", "supported", "low", "high",
               "highest", "lowest", "smallest", "largest"}
# Words that make a constant a bound. The others above only do not count as the name of the input.
BOUND_NAME = re.compile(r"^(?:MAX|MIN|MAXIMUM|MINIMUM|ALLOWED|VALID|KNOWN|PERMITTED|ACCEPTED|SUPPORTED)(?:_|$)"
                        r"|_(?:MAX|MIN|LIMIT|PATTERN|RE|REGEX|CHOICES|RANGE|BOUNDS)$|^(?:LIMIT|CHOICES|PATTERN|RANGE)$")


def _words(name):
    return {w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith("ss") else w
            for w in name.lower().split("_") if w}


def _used(root, name):
    for node in ast.walk(root):
        if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Store):
            return True
        if isinstance(node, ast.Attribute) and node.attr == name:
            return True
        # A name in __all__ is for other modules.
        if isinstance(node, ast.Constant) and node.value == name:
            return True
    return False


@test.checks("Assign", "AnnAssign")
@test.test_id("R101")
def stated_bound(context):
    """The file states a bound for an input and nothing looks at it.

    A constant such as MAX_QUANTITY or ALLOWED_COLOUR is defined, a function takes `quantity` or `colour`, and the
    constant is not used anywhere.
    """
    node = context.node
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if len(targets) != 1 or not isinstance(targets[0], ast.Name) or node.value is None:
        return None
    name = targets[0].id
    if not BOUND_NAME.search(name):
        return None
    tree = tree_of(node)
    about = _words(name) - BOUND_WORDS - {w.rstrip("s") for w in BOUND_WORDS}
    for function in ast.walk(tree.root):
        if not isinstance(function, FUNCTIONS):
            continue
        for parameter in tree.scope(function).parameters:
            if (about and about & _words(parameter)) or (not about and _words(parameter) & _words(name)):
                # The input must be used: a function that ignores it needs no check.
                if _used(function, parameter) and not _used(tree.root, name):
                    return found(20, f"{name} is stated and '{parameter}' is never checked against it.", node)
    return None


def _from_number(flow, node):
    """Is the expression int(...) or float(...) of something from outside? Returns the call."""
    if isinstance(node, ast.Name):
        value = flow.resolved(node)
        return value if value is not node and _from_number(flow, value) else None
    if isinstance(node, ast.Call) and called(node) in ("int", "float") and len(node.args) >= 1 and isinstance(node.func, ast.Name):
        return node if flow.status(node.args[0]) == OUTSIDE else None
    return None


def _compared(flow, node, number):
    """Is the number, or what it was made from, compared or clamped anywhere in the function?"""
    scope = flow.tree.scope_of(node)
    names = names_in(node) | names_in(number)
    names -= {"int", "float"}
    for inner in ast.walk(scope.node):
        if isinstance(inner, ast.Compare) and names & names_in(inner):
            return True
        if isinstance(inner, ast.Call) and called(inner) in ("min", "max", "clamp", "isdigit", "isdecimal", "fullmatch", "match", "clip"):
            if names & names_in(inner) or any(n is number for n in ast.walk(inner)):
                return True
        if isinstance(inner, ast.ExceptHandler) and inner.type is not None:
            if names_in(inner.type) & {"IndexError", "LookupError", "MemoryError", "OverflowError", "Exception"}:
                return True
    return False


def _unchecked(node, value):
    flow = Flow(tree_of(node), Kind())
    number = _from_number(flow, value)
    if number is None or _compared(flow, value, number):
        return None
    return found(20, "A number from outside is used as an index or a size and never compared with anything.", node)


@test.checks("Subscript", "Call", "BinOp")
@test.test_id("R102")
def unchecked_number(context):
    """int(x) of an input picks an element or sets a size, without any comparison."""
    node = context.node
    if isinstance(node, ast.Subscript):
        # Of a dictionary any key may be asked for.
        if (isinstance(node.ctx, ast.Load) and isinstance(node.slice, (ast.Name, ast.Call))
                and not isinstance(Flow(tree_of(node), Kind()).resolved(node.value), (ast.Dict, ast.DictComp))):
            return _unchecked(node, node.slice)
    elif isinstance(node, ast.Call):
        if called(node) in ("range", "bytearray", "bytes") and isinstance(node.func, ast.Name) and node.args:
            return _unchecked(node, node.args[-1] if called(node) == "range" and len(node.args) == 1 else node.args[0])
    elif isinstance(node.op, ast.Mult) and not isinstance(parent(node), ast.BinOp):
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, ast.List) or (isinstance(one, ast.Constant) and isinstance(one.value, (str, bytes))):
                return _unchecked(node, other)
    return None
