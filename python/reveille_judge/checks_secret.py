"""CWE-798: a secret stands in the source. In more forms than Bandit's B105, B106 and B107, and with fewer false alarms."""
import ast
import re

from bandit.core import test_properties as test

from .flow import Flow, Kind, called, dotted, parent, tree_of
from .issues import found

PASSWORDS = {"password", "passwd", "passwords", "pwd", "passphrase", "passwort", "passcode", "pass", "pw", "passw", "psw", "userpass", "dbpass"}
OTHERS = {"secret", "apikey", "credential", "credentials", "secretkey", "accesskey", "privatekey", "authtoken", "accesstoken",
          "clientsecret", "bearer", "secrets"}
KEYS = {"api", "access", "secret", "private", "client", "signing", "sign", "encryption", "encrypt", "auth", "app", "service",
        "session", "master", "fernet", "cipher", "hmac", "jwt", "license", "storage", "account", "consumer", "aws", "crypto", "aes",
        "decryption", "subscription"}
# A name that ends in one of these is about a secret and is none.
ABOUT = {"field", "name", "label", "prompt", "url", "uri", "path", "file", "filename", "re", "regex", "pattern", "type", "header",
         "length", "len", "min", "max", "format", "error", "errors", "message", "msg", "help", "env", "var", "hash", "title", "text",
         "column", "page", "form", "widget", "input", "validator", "validators", "placeholder", "hint", "template", "expires", "size",
         "prefix", "suffix", "dir", "id", "endpoint", "algorithm", "backend", "class", "view", "selector", "xpath", "count", "index",
         "scheme", "policy", "reset", "lifetime", "char", "chars", "kind", "style", "status", "mode", "arg", "param", "params", "key_name"}
VOCABULARY = PASSWORDS | OTHERS | KEYS | {"token", "key", "x", "user", "username", "csrf", "refresh", "id", "login", "name", "none", "null",
                                          "true", "false", "unknown", "default", "basic", "digest", "bearer", "oauth", "oauth2", "hidden", "required", "string", "value", "invalid", "yes",
                                          "no", "on", "off", "text", "str", "test"}
WORST = {"password", "secret", "passwd", "admin", "root", "pass", "letmein", "changeme", "default", "test"}
KNOWN_FORMS = re.compile(r"^(?:AKIA[0-9A-Z]{12,}|gh[pousr]_[A-Za-z0-9]{16,}|sk_live_\w{8,}|sk-[A-Za-z0-9_-]{20,}|AIza[\w-]{30,}"
                         r"|ya29\.[\w-]{10,}|xox[abprs]-[\w-]{10,}|glpat-[\w-]{16,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*)"
                         r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|[0-9]+-[a-z0-9]{20,}\.apps\.googleusercontent\.com")
URL_LOGIN = re.compile(r"^[a-z][a-z0-9+.-]*://[^/\s@:]*:([^/\s@]+)@", re.IGNORECASE)
DSN_LOGIN = re.compile(r"(?:^|[\s;&?])(?:password|passwd|pwd)\s*=\s*([^\s;&'\"]+)", re.IGNORECASE)
PLACEHOLDER = re.compile(r"^[<\[{$%*.]|[{}\0<>]|\bxxx|^x+$|\*\*\*|your[-_ ]|changeit\b|example|^\.\.\.|^%|placeholder|redacted|dummy", re.IGNORECASE)
CONNECTS = {"connect", "Connection", "create_connection", "Connect"}
DRIVERS = {"MySQLdb", "pymysql", "mysql", "psycopg2", "pymssql", "cx_Oracle", "oracledb", "mariadb", "MySQLdb.connections", "mdb", "connector"}
LOGINS = {"login", "authenticate", "HTTPBasicAuth", "HTTPDigestAuth", "BasicAuth", "set_credentials", "username_pw_set", "starttls_login",
          "OAuthHandler", "set_access_token", "add_password"}
KEYED = {"Fernet": 0, "hmac.new": 0, "jwt.encode": 1, "jwt.decode": 1, "URLSafeTimedSerializer": 0, "URLSafeSerializer": 0, "AES.new": 0,
         "TimedJSONWebSignatureSerializer": 0, "Signer": 0, "AESGCM": 0}


def _words(name):
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return [w for w in re.split(r"[^a-z0-9]+", name.lower()) if w]


def secret_name(name):
    """"password", "key" or "token" where the name is one of a secret; "" otherwise."""
    words = _words(name)
    while words and words[-1].isdigit():
        words.pop()
    if not words or words[-1] in ABOUT:
        return ""
    last = re.sub(r"\d+$", "", words[-1]) or words[-1]
    if last in PASSWORDS:
        return "password" if last not in ("pass", "pw") or len(words) > 1 or last == "pw" else "weak"
    if last in OTHERS:
        return "password" if last != "bearer" else "weak"
    if last in ("key", "keys") and len(words) > 1 and set(words[:-1]) & KEYS:
        return "key"
    if last == "token":
        return "key" if len(words) > 1 and set(words[:-1]) & (KEYS | {"bearer", "bot", "github", "slack", "discord", "telegram", "oauth", "refresh", "user"}) else "weak"
    if last in ("salt", "pin") and len(words) > 1:
        return "weak"
    return ""


def secret_value(value, kind):
    """Does a constant look like a secret that would be kept under such a name?"""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str) or len(value) < 3 or len(value) > 4000:
        return False
    if KNOWN_FORMS.search(value):
        return True
    if re.search(r"\s", value.strip()) or PLACEHOLDER.search(value):
        return False
    if re.fullmatch(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", value):
        return False  # the name of an environment variable
    if value.startswith(("/", "./", "../", "~", "http://", "https://", "--", "file:")) or re.fullmatch(r"\W+", value):
        return False
    words = _words(value)
    if not words or set(words) <= VOCABULARY:
        return False
    if kind == "weak":
        return len(value) >= 6 and any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    if kind == "key":
        return len(value) >= 6
    return True


def _literal(node):
    """The constant that an expression is, also through str.encode() and the like; None where it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        return node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("encode", "strip", "decode"):
        return _literal(node.func.value)
    if isinstance(node, ast.Call) and called(node) in ("str", "bytes") and len(node.args) >= 1:
        return _literal(node.args[0])
    # os.environ.get("NAME", "fallback"): the fallback is in the source.
    if isinstance(node, ast.Call) and called(node) in ("get", "getenv", "config", "setdefault") and len(node.args) == 2:
        where = dotted(node.func)
        if "environ" in where or where.endswith("getenv") or where == "config":
            return _literal(node.args[1])
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            if _literal(value) is not None:
                return _literal(value)
    return None


def _is_secret(name, node, plain=False):
    kind = secret_name(name)
    value = _literal(node)
    if not kind or value is None:
        return False
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    # password = "password" sets one; PASSWORD = "password" and {"password": "password"} name a field.
    if plain and kind == "password" and name.islower() and text.lower() in WORST:
        return True
    if set(_words(text)) <= set(_words(name)):
        return False  # PASSWORD_TOKEN = "password"
    return secret_value(value, kind)


def quality(value):
    """Bandit's finding about a string is kept only where the string looks like a secret."""
    return secret_value(value, "password")


def _target_name(target):
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute):
        return target.attr
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str):
        return target.slice.value
    return ""


TEXT = "A secret stands in the source."


@test.checks("Assign", "AnnAssign", "Dict", "FunctionDef", "AsyncFunctionDef", "NamedExpr")
@test.test_id("R171")
def secret_assigned(context):
    """password = "...", config["api_key"] = "...", {"secret_key": "..."}, def f(token="...")."""
    node = context.node
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            pairs = [(target, node.value)]
            if isinstance(target, (ast.Tuple, ast.List)) and isinstance(node.value, (ast.Tuple, ast.List)):
                pairs = list(zip(target.elts, node.value.elts))
            for one, value in pairs:
                name = _target_name(one)
                if name and value is not None and _is_secret(name, value, isinstance(one, ast.Name)):
                    return found(798, TEXT, node)
                # auth = ("user", "password")
                if name and _words(name) and _words(name)[-1] in ("auth", "credentials", "creds", "login") and _login_pair(value):
                    return found(798, TEXT, node)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                if _is_secret(key.value, value) or _header(key.value, value):
                    return found(798, TEXT, value)
    else:
        arguments = node.args.posonlyargs + node.args.args
        pairs = list(zip(arguments[len(arguments) - len(node.args.defaults):], node.args.defaults))
        pairs += [(a, d) for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults) if d is not None]
        for arg, default in pairs:
            if _is_secret(arg.arg, default):
                return found(798, TEXT, default)
    return None


def _login_pair(node):
    if not isinstance(node, (ast.Tuple, ast.List)) or len(node.elts) != 2:
        return False
    return _literal(node.elts[1]) is not None and secret_value(_literal(node.elts[1]), "password")


def _header(key, value):
    """{"Authorization": "Bearer abc123"}"""
    if key.lower() not in ("authorization", "proxy-authorization", "x-auth-token", "x-api-key", "api-key", "cookie"):
        return False
    text = _literal(value)
    if not isinstance(text, str):
        return False
    words = text.split()
    if len(words) == 2 and words[0].lower() in ("bearer", "basic", "token", "apikey", "key"):
        return secret_value(words[1], "key")
    return len(words) == 1 and key.lower() not in ("cookie", "authorization") and secret_value(text, "key")


@test.checks("Call")
@test.test_id("R172")
def secret_passed(context):
    """connect(password="..."), login("user", "..."), auth=("user", "..."), hmac.new(b"...")."""
    node = context.node
    name, full = called(node), dotted(node.func)
    for keyword in node.keywords:
        if keyword.arg and (_is_secret(keyword.arg, keyword.value)
                            or (keyword.arg in ("auth", "basic_auth", "http_auth", "credentials") and _login_pair(keyword.value))):
            return found(798, TEXT, keyword.value)
    if name in LOGINS and len(node.args) >= 2 and not isinstance(node.args[1], ast.Starred):
        value = _literal(node.args[-1] if name == "add_password" else node.args[1])
        if value is not None and secret_value(value, "password"):
            return found(798, TEXT, node)
    if name in CONNECTS and full.split(".")[0] in DRIVERS and len(node.args) >= 3:
        value = _literal(node.args[2])
        if value is not None and secret_value(value, "password"):
            return found(798, TEXT, node)
    for wanted, position in KEYED.items():
        if (full == wanted or full.endswith("." + wanted)) and len(node.args) > position:
            value = _literal(node.args[position])
            if value is not None and secret_value(value, "password"):
                return found(798, TEXT, node)
    # setdefault("SECRET_KEY", "..."), set("api_key", "...")
    if name in ("set", "setdefault", "putenv", "set_key", "setattr", "add_header", "putheader") and len(node.args) >= 2:
        key = _literal(node.args[-2])
        if isinstance(key, str) and (_is_secret(key, node.args[-1]) or _header(key, node.args[-1])):
            return found(798, TEXT, node)
    return None


@test.checks("Compare")
@test.test_id("R173")
def secret_compared(context):
    """if password == "...": """
    node = context.node
    if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
        return None
    for one, other in ((node.left, node.comparators[0]), (node.comparators[0], node.left)):
        if isinstance(one, ast.Call):
            one = one.func.value if isinstance(one.func, ast.Attribute) and called(one) in ("strip", "lower", "encode") else one
        name = _target_name(one)
        if name and _is_secret(name, other, isinstance(one, ast.Name)):
            return found(798, TEXT, node)
    return None


@test.checks("FunctionDef", "AsyncFunctionDef")
@test.test_id("R174")
def secret_returned(context):
    """def api_token(): return "..." """
    node = context.node
    words = [w for w in _words(node.name) if w not in ("get", "load", "read", "fetch", "make", "my", "the", "default", "return")]
    kind = secret_name("_".join(words)) if words else ""
    if not kind:
        return None
    flow = Flow(tree_of(node), Kind())
    for inner in ast.walk(node):
        if isinstance(inner, ast.Return) and inner.value is not None and flow.tree.scope_of(inner).node is node:
            value = _literal(inner.value)
            if value is None and isinstance(inner.value, (ast.Name, ast.Call)):
                base = inner.value
                if isinstance(base, ast.Call) and isinstance(base.func, ast.Attribute):
                    base = base.func.value
                value = _literal(flow.resolved(base))
            if value is not None and set(_words(str(value))) - set(_words(node.name)) and secret_value(value, "key"):
                return found(798, TEXT, inner)
    return None


@test.checks("Str", "JoinedStr")
@test.test_id("R175")
def secret_text(context):
    """A URL or a connection string with a password in it, or text in the form of a known service's keys."""
    node = context.node
    if isinstance(node, ast.JoinedStr):
        text = "".join(str(v.value) if isinstance(v, ast.Constant) else "\0" for v in node.values)
    else:
        if isinstance(parent(node), ast.JoinedStr) or isinstance(getattr(node, "_bandit_parent", None), ast.JoinedStr):
            return None
        text = node.value
    if len(text) > 100_000:
        return None
    if KNOWN_FORMS.search(text):
        return found(798, TEXT, node)
    match = URL_LOGIN.search(text)
    if match and "\0" not in match.group(1) and "%" not in match.group(1) and "{" not in match.group(1):
        if not re.fullmatch(r"\d+", match.group(1)) and secret_value(match.group(1), "password"):
            return found(798, TEXT, node)
    match = DSN_LOGIN.search(text)
    if match and not re.search(r"[\0%{}<>\[\]()?*]", match.group(1)) and re.search(r"(?:host|server|user|uid|dbname|database)\s*=", text, re.IGNORECASE):
        if secret_value(match.group(1), "password"):
            return found(798, TEXT, node)
    return None
