"""CWE-502: unsafe loading in the forms that Bandit's B301, B302 and B506 do not see."""
import ast

from bandit.core import test_properties as test

from .flow import argument, called, dotted, tree_of
from .issues import found

UNSAFE = {"yaml.unsafe_load", "yaml.unsafe_load_all", "yaml.full_load", "yaml.full_load_all", "cPickle.load", "cPickle.loads",
          "_pickle.load", "_pickle.loads", "cloudpickle.load", "cloudpickle.loads", "unpickler.decode", "joblib.load", "jsonpickle.loads",
          "jsonpickle.decode", "pickle.load", "pickle.loads", "pickle.Unpickler", "cPickle.Unpickler", "dill.load", "dill.loads",
          "marshal.load", "marshal.loads", "shelve.open", "pd.read_pickle", "pandas.read_pickle", "six.moves.cPickle.load",
          "six.moves.cPickle.loads", "pickle5.load", "pickle5.loads"}
BARE = {"unsafe_load", "full_load", "read_pickle"}
SAFE_LOADERS = {"SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader"}
ALIASES = {"pickle", "pkl", "cPickle", "cpickle", "_pickle", "pk", "dill", "marshal", "cloudpickle", "pickle5"}


def verified(node):
    """Was a signature compared in this function before? Then the bytes are our own."""
    scope = tree_of(node).scope_of(node)
    return any(called(c) in ("compare_digest", "verify", "unsign", "check_signature") and c.lineno <= node.lineno for c in scope.calls)


@test.checks("Call")
@test.test_id("R151")
def unsafe_load(context):
    """Bytes are loaded by something that can build any object."""
    node = context.node
    name = context.call_function_name_qual or dotted(node.func)
    last = called(node)
    unsafe = name in UNSAFE or dotted(node.func) in UNSAFE or last in BARE
    if last in ("load", "loads") and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        unsafe = unsafe or node.func.value.id in ALIASES
    if last in ("load", "load_all") and (name.startswith("yaml.") or dotted(node.func).startswith("yaml.")):
        loader = argument(node, 1, "Loader")
        unsafe = loader is None or (dotted(loader) or "").rsplit(".", 1)[-1] not in SAFE_LOADERS
    if last == "load" and name.split(".")[0] in ("np", "numpy"):
        allow = argument(node, 2, "allow_pickle")
        unsafe = isinstance(allow, ast.Constant) and allow.value is True
    if last == "YAML" and isinstance(argument(node, None, "typ"), ast.Constant):
        unsafe = argument(node, None, "typ").value == "unsafe"
    if unsafe and not verified(node):
        return found(502, "Bytes are loaded by something that can build any object.", node)
    return None
