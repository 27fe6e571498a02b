"""Tests by which a finding of Bandit is dropped. Each gets the node that the rule looked at."""
import ast
import re

from . import checks_html, checks_load, checks_mode, checks_secret, checks_shell, checks_sql
from .flow import SAFE, Flow, Kind, tree_of


def constant_argument(node, issue):
    return bool(node.args) and Flow(tree_of(node), Kind()).status(node.args[0]) == SAFE and not node.keywords


def quoted_command(node, issue):
    return checks_shell.quoted(node)


def escaped_argument(node, issue):
    return bool(node.args) and Flow(tree_of(node), checks_html.HTML).status(node.args[0]) == SAFE


def constant_statement(node, issue):
    """The parts of the statement are constants, names from an allow-list, or placeholders; or it is no statement but a
    sentence with "select" and "from" in it."""
    flow = Flow(tree_of(node), checks_sql.SQL)  # makes the parent links
    whole = checks_sql.outer_building(node)
    return flow.status(whole) == SAFE or not checks_sql.STATEMENT.match(flow.text(whole))


def signature_checked(node, issue):
    return checks_load.verified(node)


def sticky_folder(node, issue):
    return checks_mode.sticky(node)


def no_secret(node, issue):
    """Bandit takes any string beside a name such as `token`; parsers are full of those."""
    match = re.match(r"Possible hardcoded password: '(.*)'$", issue.text, re.DOTALL)
    if not match:
        return True
    about = ""
    above = getattr(node, "_bandit_parent", None)
    if isinstance(above, ast.Compare):
        about = checks_secret._target_name(above.left)
    elif isinstance(above, ast.Assign):
        about = " ".join(filter(None, (checks_secret._target_name(t) for t in above.targets)))
    elif isinstance(node, ast.Call) or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return not checks_secret.secret_value(match.group(1), "password")
    kind = checks_secret.secret_name(about) or "weak"
    return not checks_secret.secret_value(match.group(1), kind)


NAMES = {f.__name__: f for f in (constant_argument, quoted_command, escaped_argument, constant_statement, signature_checked,
                                 sticky_folder, no_secret)}
