"""Where the parts of an expression come from, within one file.

Bandit looks at one node at a time. Whether a join of paths or a piece of HTML is dangerous depends on where its parts
come from and on what was checked before, so the checks ask this module. It is no full data-flow analysis: it looks
back through the assignments of one function and takes a test that names the value for a check of it.
"""
import ast
import re

# What is known of a value: harmless (a constant, a number, escaped or checked), unknown, or given from outside.
SAFE, UNKNOWN, OUTSIDE = 0, 1, 2

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
MAX_DEPTH = 60  # an expression that goes through more steps than this is unknown
MAX_TEXT = 20_000

# Numbers and the like hold no markup, no quote and no slash.
NUMBER_CALLS = {"int", "float", "len", "bool", "ord", "abs", "round", "hash", "id", "complex", "uuid4", "uuid1", "hexdigest",
                "isoformat", "strftime", "time", "time_ns", "getpid", "Decimal", "token_hex", "token_urlsafe", "count",
                "index", "find", "fileno", "toordinal", "timestamp"}
# File names that come from the file system itself.
LISTING_CALLS = {"listdir", "scandir", "walk", "glob", "iglob", "rglob", "iterdir", "getcwd", "gettempdir", "mkdtemp",
                 "mkstemp", "mktemp", "expanduser", "home", "cwd"}
SOURCE_CALLS = {"input", "raw_input", "recv", "recvfrom", "readline", "readlines", "get_json", "get_data", "getvalue",
                "getlist", "parse_args"}
# The result is made of the arguments (or of the object that the method is called on).
THROUGH_CALLS = {"str", "repr", "bytes", "bytearray", "unicode", "list", "tuple", "sorted", "reversed", "set", "join",
                 "format", "format_map", "strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "swapcase",
                 "replace", "encode", "decode", "split", "rsplit", "splitlines", "partition", "expandtabs", "ljust",
                 "rjust", "center", "zfill", "casefold", "copy", "normpath", "abspath", "realpath", "resolve", "absolute",
                 "joinpath", "Path", "PurePath", "PosixPath", "fspath", "map", "filter", "zip", "enumerate", "items",
                 "values", "keys", "get", "next", "iter", "substitute", "safe_substitute", "max", "min", "unquote",
                 "unescape", "cast", "fsencode", "fsdecode", "dedent", "removeprefix", "removesuffix", "pop", "text",
                 "with_suffix", "with_name", "dict", "translate", "sub", "ascii", "vformat", "b64decode", "getattr"}
CHECKING_METHODS = {"isalnum", "isalpha", "isdigit", "isdecimal", "isnumeric", "isidentifier", "match", "fullmatch", "search"}
CHECKING_WORD = re.compile(r"(?:^|_)(?:valid|validate|validated|verify|check|sanitize|sanitise|safe|allowed|ensure|clean|permitted)(?:_|$)")
NOT_CHECKING = {"check_output", "check_call", "safe_dump", "safe_load", "safe_substitute", "check_returncode"}
REQUEST_NAMES = {"request", "flask_request"}
# Modules whose functions give back what they were given, for code that has lost its imports.
MODULES = {"os", "html", "re", "urllib", "string", "textwrap", "posixpath", "ntpath", "shlex", "cgi", "base64", "itertools",
           "functools", "operator", "codecs", "six", "path", "op", "osp"}


def dotted(node):
    """`a.b.c` of a name or attribute chain, "" where it is none."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
        return ".".join(reversed(parts))
    return ""


def called(node):
    """The last part of the name of what is called: `join` of `os.path.join(a)` and of `", ".join(a)`."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def parent(node):
    return getattr(node, "_reveille_parent", None)


def ancestors(node):
    node = parent(node)
    while node is not None:
        yield node
        node = parent(node)


def argument(call, position, *names):
    """The argument of a call by position or keyword, or None."""
    for keyword in call.keywords:
        if keyword.arg in names:
            return keyword.value
    if position is not None and len(call.args) > position and not any(isinstance(a, ast.Starred) for a in call.args):
        return call.args[position]
    return None


def names_in(node):
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def value_names(node):
    """The names whose own value an expression is about: `x` of `x.lower()`, not `row` of `row.kind` or `row["kind"]`."""
    found, todo = set(), [node]
    while todo:
        one = todo.pop()
        if isinstance(one, ast.Name):
            found.add(one.id)
        elif isinstance(one, ast.Call):
            todo += one.args
            if isinstance(one.func, ast.Attribute):
                todo.append(one.func.value)
        elif isinstance(one, (ast.Tuple, ast.List, ast.Set, ast.BinOp, ast.BoolOp, ast.Starred, ast.UnaryOp, ast.JoinedStr,
                              ast.FormattedValue)):
            todo += [n for n in ast.iter_child_nodes(one) if isinstance(n, ast.expr)]
        elif isinstance(one, COMPREHENSIONS):
            todo += [g.iter for g in one.generators]
        elif isinstance(one, ast.Subscript) and isinstance(one.slice, (ast.Slice, ast.UnaryOp)):
            todo.append(one.value)  # a piece of a text
    return found


def _target_names(target):
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}


class _Assigned:
    __slots__ = ("name", "value", "adds", "node", "at")

    def __init__(self, name, value, adds, node):
        self.name, self.value, self.adds, self.node = name, value, adds, node
        self.at = (node.lineno, node.col_offset)


class Scope:
    """What one function, or the top level of a file, assigns and tests."""

    def __init__(self, node):
        self.node = node
        self.parameters = {}
        self.assigned = {}
        self.tests = []
        self.calls = []
        if isinstance(node, FUNCTIONS):
            arguments = node.args
            everyone = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
            everyone += [a for a in (arguments.vararg, arguments.kwarg) if a]
            for number, arg in enumerate(everyone):
                # A method's own object is not given by a caller from outside.
                own = number == 0 and arg.arg in ("self", "cls", "mcs")
                self.parameters[arg.arg] = UNKNOWN if own else OUTSIDE
        for child in self._own(node):
            self._note(child)

    @staticmethod
    def _own(node):
        """The nodes of this scope: without those of functions and classes inside it."""
        waiting = list(node.body)
        while waiting:
            child = waiting.pop()
            yield child
            if isinstance(child, FUNCTIONS + (ast.ClassDef, ast.Lambda)):
                continue
            waiting.extend(ast.iter_child_nodes(child))

    def _note(self, node):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value, node)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
            if node.value is not None:
                self._bind(node.target, node.value, node)
        elif isinstance(node, ast.AugAssign):
            self._bind(node.target, node.value, node, adds=True)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._bind(node.target, node.iter, node)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                if item.optional_vars is not None:
                    self._bind(item.optional_vars, item.context_expr, node)
        elif isinstance(node, ast.ExceptHandler):
            if node.name:
                self.assigned.setdefault(node.name, []).append(_Assigned(node.name, None, False, node))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = alias.asname or alias.name.split(".")[0]
                self.assigned.setdefault(name, []).append(_Assigned(name, None, False, node))
        elif isinstance(node, (ast.If, ast.While, ast.IfExp, ast.Assert)):
            self.tests.append(node.test)
        elif isinstance(node, ast.Call):
            self.calls.append(node)
            # A list is built up by its methods as a string is by +=.
            if (isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
                    and node.func.attr in ("append", "extend", "insert", "add", "write") and node.args):
                self._bind(node.func.value, node.args[-1], node, adds=True)

    def _bind(self, target, value, node, adds=False):
        if isinstance(target, ast.Name):
            self.assigned.setdefault(target.id, []).append(_Assigned(target.id, value, adds, node))
        elif isinstance(target, ast.Starred):
            self._bind(target.value, value, node, adds)
        elif isinstance(target, (ast.Tuple, ast.List)):
            pairs = None
            if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
                pairs = list(zip(target.elts, value.elts))
            for one, its in pairs or [(t, value) for t in target.elts]:
                self._bind(one, its, node, adds)

    def sources(self, name, seen=None):
        """All names that the name was made of, itself included."""
        seen = set() if seen is None else seen
        if name in seen or len(seen) > 200:
            return seen
        seen.add(name)
        for assigned in self.assigned.get(name, ()):
            if assigned.value is not None:
                for other in names_in(assigned.value):
                    self.sources(other, seen)
        return seen


class Tree:
    """One parsed file, with links to the parents and the scopes made when asked for."""

    def __init__(self, root):
        self.root = root
        self._scopes = {}
        for node in ast.walk(root):
            for child in ast.iter_child_nodes(node):
                child._reveille_parent = node

    def scope(self, node):
        found = self._scopes.get(node)
        if found is None:
            found = self._scopes[node] = Scope(node)
        return found

    def scope_of(self, node):
        for above in ancestors(node):
            if isinstance(above, FUNCTIONS + (ast.Module,)):
                return self.scope(above)
        return self.scope(self.root)

    def outer(self, scope):
        return None if scope.node is self.root else self.scope_of(scope.node)


def tree_of(node):
    """The tree that a node which Bandit is visiting belongs to."""
    root = node
    while getattr(root, "_bandit_parent", None) is not None:
        root = root._bandit_parent
    tree = getattr(root, "_reveille_tree", None)
    if tree is None:
        tree = root._reveille_tree = Tree(root)
    return tree


class Kind:
    """What makes a value harmless for one class of weakness: calls that escape it and tests that check it."""

    def __init__(self, safe_calls=(), safe_words=(), safe_node=None, guard=None):
        self.safe_calls = set(safe_calls)
        self.safe_words = re.compile("|".join(safe_words)) if safe_words else None
        self.safe_node = safe_node
        self.guard = guard

    def makes_safe(self, call):
        name = called(call)
        if name in NUMBER_CALLS or name in LISTING_CALLS or name in self.safe_calls:
            return True
        if name == "sub" and len(call.args) >= 2:
            # re.sub("[^...]", "", value) leaves only characters that are listed.
            pattern = call.args[0]
            return isinstance(pattern, ast.Constant) and isinstance(pattern.value, str) and pattern.value.startswith("[^")
        return bool(self.safe_words and self.safe_words.search(name.lower()) and dotted(call.func) != "re.escape")


class Flow:
    """Asks for the status of expressions with one kind of harmlessness in mind."""

    def __init__(self, tree, kind):
        self.tree, self.kind = tree, kind

    def status(self, node, seen=frozenset(), depth=0):
        if depth > MAX_DEPTH:
            return UNKNOWN
        if node is None:
            return UNKNOWN
        if self.kind.safe_node and self.kind.safe_node(self, node):
            return SAFE
        how = getattr(self, "_" + type(node).__name__, None)
        if how is None:
            return UNKNOWN
        # Remembered on the node, or values that are made of one another are gone through again and again.
        known = node.__dict__.setdefault("_reveille_status", {})
        if self.kind not in known:
            known[self.kind] = how(node, seen, depth + 1)
        return known[self.kind]

    def worst(self, nodes, seen, depth):
        return max((self.status(n, seen, depth) for n in nodes), default=SAFE)

    def _Constant(self, node, seen, depth):
        return SAFE

    def _Name(self, node, seen, depth):
        for above in ancestors(node):
            if isinstance(above, COMPREHENSIONS):
                for generator in above.generators:
                    if node.id in _target_names(generator.target):
                        if (id(generator), node.id) in seen:
                            return UNKNOWN
                        if any(self.checks(test, {node.id}, None) for test in generator.ifs):
                            return SAFE
                        return self.status(generator.iter, seen | {(id(generator), node.id)}, depth)
            elif isinstance(above, ast.Lambda):
                if node.id in {a.arg for a in above.args.args}:
                    return UNKNOWN
            elif isinstance(above, FUNCTIONS + (ast.Module,)):
                break
        scope = here = self.tree.scope_of(node)
        while scope is not None:
            if node.id in scope.parameters or node.id in scope.assigned:
                return self._looked_up(node, scope, scope is here, seen, depth)
            scope = self.tree.outer(scope)
        return OUTSIDE if node.id in REQUEST_NAMES else UNKNOWN

    def _looked_up(self, node, scope, local, seen, depth):
        if self.guarded(scope, node):
            return SAFE
        every = scope.assigned.get(node.id, [])
        before = every
        if local:
            at = (node.lineno, node.col_offset)
            before = [a for a in every if a.at < at and not _inside(node, a)]
        result, found, looked = SAFE, False, False
        for assigned in sorted(before, key=lambda a: a.at, reverse=True):
            found = True
            if id(assigned) in seen:
                continue  # its own earlier value: the other assignments decide
            seen, looked = seen | {id(assigned)}, True
            if assigned.value is None:
                result = max(result, OUTSIDE if node.id in REQUEST_NAMES else UNKNOWN)
            else:
                result = max(result, self.status(assigned.value, seen, depth))
            if local and not assigned.adds and _dominates(assigned.node, node):
                return result
        if node.id in scope.parameters:
            return max(result, scope.parameters[node.id])
        if not found:
            later = [a for a in every if a.value is not None and id(a) not in seen]
            return self.worst([a.value for a in later], seen | {id(a) for a in later}, depth) if later else UNKNOWN
        return result if looked else UNKNOWN

    def guarded(self, scope, node):
        """Was the name, or what was made of it, tested before this place?"""
        line = node.lineno
        for test in scope.tests:
            if test.lineno <= line and self.checks(test, None, scope, node.id):
                return True
        for call in scope.calls:
            if call.lineno <= line and self._checking_call(call, {node.id}, scope):
                return True
            if call.lineno <= line and called(call) == "relative_to" and self.kind.guard:
                # Raises where the path leads out.
                if self.kind.guard(self, call, lambda n: self._about(n, None, scope, node.id)):
                    return True
        return False

    def checks(self, test, names, scope, name=None):
        """Does a test check the value of one of the names (or the name, or something made of it)?"""
        for part in ast.walk(test):
            if isinstance(part, ast.Compare):
                if self._membership(part, names, scope, name):
                    return True
                if self.kind.guard and self.kind.guard(self, part, lambda n: self._about(n, names, scope, name)):
                    return True
            elif isinstance(part, ast.Call):
                if (isinstance(part.func, ast.Attribute) and part.func.attr in CHECKING_METHODS
                        and (self._about(part.func.value, names, scope, name, exactly=True)
                             or any(self._about(a, names, scope, name, exactly=True) for a in part.args))):
                    return True
                if called(part) == "isinstance" and len(part.args) == 2 and dotted(part.args[1]) in ("int", "float"):
                    if self._about(part.args[0], names, scope, name, exactly=True):
                        return True
                if self._checking_call(part, names or {name}, scope):
                    return True
                if self.kind.guard and self.kind.guard(self, part, lambda n: self._about(n, names, scope, name)):
                    return True
        return False

    def _about(self, node, names, scope, name, exactly=False):
        """Does an expression hold the value, or one made of it?"""
        for other in value_names(node) if exactly else names_in(node):
            if names is not None and other in names:
                return True
            if name is not None and (other == name or (scope is not None and other in scope.assigned
                                                       and other not in scope.parameters and name in scope.sources(other))):
                return True
        return False

    def _membership(self, compare, names, scope, name):
        """`x in ALLOWED`, where what is looked in is not given from outside."""
        if len(compare.ops) != 1 or not isinstance(compare.ops[0], (ast.In, ast.NotIn)):
            return False
        inside = compare.comparators[0]
        if not self._about(compare.left, names, scope, name, exactly=True) or self._about(inside, names, scope, name):
            return False
        return self.status(inside) != OUTSIDE

    def _checking_call(self, call, names, scope):
        name = called(call)
        if not CHECKING_WORD.search(name.lower()) or name in NOT_CHECKING:
            return False
        return any(names & names_in(a) for a in call.args)

    def _Attribute(self, node, seen, depth):
        if dotted(node) == "sys.argv":
            return OUTSIDE
        if node.attr.isupper() or self._member_checked(node):
            return SAFE
        return self.status(node.value, seen, depth)

    def _Subscript(self, node, seen, depth):
        if self._member_checked(node):
            return SAFE
        return self.status(node.value, seen, depth)

    def _member_checked(self, node):
        """Was this very attribute or element looked up in a list of allowed ones before?"""
        scope = self.tree.scope_of(node)
        for test in scope.tests:
            if test.lineno > node.lineno:
                continue
            for part in ast.walk(test):
                if (isinstance(part, ast.Compare) and len(part.ops) == 1 and isinstance(part.ops[0], (ast.In, ast.NotIn))
                        and part.left is not node and isinstance(part.left, type(node))
                        and ast.dump(part.left) == ast.dump(node) and self.status(part.comparators[0]) != OUTSIDE):
                    return True
        return False

    def is_module(self, node):
        """Is a dotted name one of a module, whose functions add nothing of their own?"""
        name = dotted(node).split(".")[0]
        if not name:
            return False
        scope = self.tree.scope_of(node)
        while scope is not None and name not in scope.assigned and name not in scope.parameters:
            scope = self.tree.outer(scope)
        if scope is None:
            return name in MODULES
        return name not in scope.parameters and all(isinstance(a.node, (ast.Import, ast.ImportFrom)) for a in scope.assigned[name]) \
            and name not in REQUEST_NAMES

    def _Call(self, node, seen, depth):
        name = called(node)
        if self.kind.makes_safe(node):
            return SAFE
        if name in SOURCE_CALLS:
            return OUTSIDE
        parts = list(node.args) + [k.value for k in node.keywords]
        if isinstance(node.func, ast.Attribute):
            own = self.status(node.func.value, seen, depth)
            if name in THROUGH_CALLS:
                # A module (os.path.join, html.unescape) adds nothing of its own.
                if own == UNKNOWN and self.is_module(node.func.value):
                    own = SAFE
                return max(own, self.worst(parts, seen, depth))
            return OUTSIDE if own == OUTSIDE else UNKNOWN
        if name in THROUGH_CALLS:
            return self.worst(parts, seen, depth)
        return UNKNOWN

    def _BinOp(self, node, seen, depth):
        if isinstance(node.op, ast.Mult):
            # "?" * n and ["%s"] * n repeat what is harmless.
            for side in (node.left, node.right):
                if isinstance(side, (ast.Constant, ast.List)) and self.status(side, seen, depth) == SAFE:
                    if not isinstance(side, ast.Constant) or isinstance(side.value, (str, bytes)):
                        return SAFE
        if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
            fields = re.findall(r"%(?:\([^)]*\))?[-#0 +]*[\d.*]*([a-zA-Z%])", node.left.value)
            fields = [f for f in fields if f != "%"]
            given = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            if len(fields) == len(given):
                return self.worst([g for f, g in zip(fields, given) if f in "sra"], seen, depth)
        # A long chain of + is a deep tree: walk it without a call per part.
        parts, todo = [], [node]
        while todo:
            one = todo.pop()
            if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Add):
                todo += [one.right, one.left]
            elif one is node:
                todo += [one.right, one.left]
            else:
                parts.append(one)
        return self.worst(parts, seen, depth)

    def _FormattedValue(self, node, seen, depth):
        if node.format_spec is not None:
            spec = "".join(str(v.value) for v in node.format_spec.values if isinstance(v, ast.Constant))
            if spec[-1:] in "bcdeEfFgGnoxX%" and spec:
                return SAFE
        return self.status(node.value, seen, depth)

    def _elements(self, node, seen, depth):
        return self.worst(node.elts, seen, depth)

    _Tuple = _List = _Set = _elements

    def _JoinedStr(self, node, seen, depth):
        return self.worst(node.values, seen, depth)

    def _BoolOp(self, node, seen, depth):
        return self.worst(node.values, seen, depth)

    def _Dict(self, node, seen, depth):
        return self.worst(node.values, seen, depth)

    def _IfExp(self, node, seen, depth):
        return self.worst([node.body, node.orelse], seen, depth)

    def _Compare(self, node, seen, depth):
        return SAFE

    def _value(self, node, seen, depth):
        return self.status(node.value, seen, depth)

    _Starred = _NamedExpr = _Await = _value

    def _UnaryOp(self, node, seen, depth):
        return SAFE if isinstance(node.op, ast.Not) else self.status(node.operand, seen, depth)

    def _comprehension(self, node, seen, depth):
        return self.status(node.elt, seen, depth)

    _ListComp = _SetComp = _GeneratorExp = _comprehension

    def resolved(self, node):
        """What a name was last set to, where that is certain; other expressions as they are."""
        for _ in range(8):
            if not isinstance(node, ast.Name):
                return node
            scope = here = self.tree.scope_of(node)
            while scope is not None and node.id not in scope.assigned and node.id not in scope.parameters:
                scope = self.tree.outer(scope)
            if scope is None:
                return node
            every = scope.assigned.get(node.id, [])
            if scope is here:
                every = [a for a in every if a.at < (node.lineno, node.col_offset) and not _inside(node, a)]
            plain = [a for a in sorted(every, key=lambda a: a.at) if not a.adds and a.value is not None]
            if not plain or isinstance(plain[-1].node, (ast.For, ast.AsyncFor)):
                return node
            node = plain[-1].value
        return node

    def text(self, node, depth=0, seen=frozenset()):
        """The constant text in an expression, with \\0 for each part that is not constant."""
        if depth > 20:
            return "\0"
        if isinstance(node, ast.Constant):
            if isinstance(node.value, bytes):
                return node.value.decode("latin-1")
            return str(node.value)
        known = node.__dict__.get("_reveille_text")
        if known is None:
            known = node._reveille_text = self._text(node, depth, seen)[:MAX_TEXT]
        return known

    def _text(self, node, depth, seen):
        if isinstance(node, ast.JoinedStr):
            return "".join(self.text(v, depth + 1, seen) for v in node.values)
        if isinstance(node, ast.FormattedValue):
            return self.text(node.value, depth + 1, seen) if isinstance(node.value, ast.Name) else "\0"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            parts, todo = [], [node]
            while todo:
                one = todo.pop()
                if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Add):
                    todo += [one.right, one.left]
                else:
                    parts.append(self.text(one, depth + 1, seen))
            return "".join(parts)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            return self.text(node.left, depth + 1, seen) + "\0"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("format", "format_map", "replace", "strip", "lower", "upper", "substitute",
                                  "safe_substitute", "encode", "dedent"):
                return self.text(node.func.value, depth + 1, seen) + "\0"
            if node.func.attr == "join" and node.args:
                return self.text(node.func.value, depth + 1, seen) + self.text(node.args[0], depth + 1, seen)
        if isinstance(node, ast.Call) and called(node) in ("Template", "text", "str", "dedent", "Markup", "SQL", "RawSQL") and node.args:
            return self.text(node.args[0], depth + 1, seen)
        if isinstance(node, (ast.List, ast.Tuple)):
            return "".join(self.text(v, depth + 1, seen) for v in node.elts)
        if isinstance(node, COMPREHENSIONS) and not isinstance(node, ast.DictComp):
            return self.text(node.elt, depth + 1, seen)
        if isinstance(node, ast.Name):
            if node.id in seen:
                return "\0"
            scope = here = self.tree.scope_of(node)
            while scope is not None and node.id not in scope.assigned and node.id not in scope.parameters:
                scope = self.tree.outer(scope)
            every = scope.assigned.get(node.id, []) if scope is not None else []
            if scope is here and scope is not None:
                every = [a for a in every if a.at < (node.lineno, node.col_offset) and not _inside(node, a)]
            parts = []
            for assigned in sorted(every, key=lambda a: a.at)[-20:]:
                if assigned.value is not None and not isinstance(assigned.node, (ast.For, ast.AsyncFor, ast.With)):
                    parts.append(self.text(assigned.value, depth + 1, seen | {node.id}))
            return "".join(parts) or "\0"
        return "\0"


def _inside(node, assigned):
    """Is the name part of the value that this assignment assigns?"""
    whole = assigned.node
    if isinstance(whole, (ast.For, ast.AsyncFor, ast.With, ast.AsyncWith)):
        whole = assigned.value  # the body is no part of it
    return node is whole or any(above is whole for above in ancestors(node))


def _dominates(statement, node):
    """Does every way to the node lead through the statement? (Its block holds the node, too.)"""
    chain = [node, *ancestors(node)]
    if any(above is statement for above in chain):
        return True
    while statement is not None and not isinstance(statement, ast.stmt):
        statement = parent(statement)
    block = parent(statement) if statement is not None else None
    if block is None:
        return False
    for position, above in enumerate(chain):
        if above is block and position:
            below = chain[position - 1]
            for _, value in ast.iter_fields(block):
                if isinstance(value, list) and any(v is statement for v in value):
                    return any(v is below for v in value)
    return False
