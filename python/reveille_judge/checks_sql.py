"""CWE-89: a value becomes part of an SQL statement's text. For the forms that Bandit's B608 does not see."""
import ast
import re

from bandit.core import test_properties as test

from .flow import SAFE, Flow, Kind, argument, called, parent, tree_of
from .issues import found

SQL = Kind(safe_calls={"Identifier", "Literal", "quote_ident", "quote_identifier", "quote_name", "escape_string", "mogrify", "literal",
                       "Placeholder", "bindparam"},
           safe_words=[r"(?<!un)escape", r"quote_(?:ident|name|literal)", r"placeholder", r"sanit", r"parametri"])
STATEMENT = re.compile(r"^[\s(\0\"']*(?:select|insert|update|delete|drop|alter|create|replace|truncate|exec(?:ute)?|call|grant|merge|union"
                       r"|with|explain|pragma|set|show|use|attach)\s", re.IGNORECASE)
RUNS = {"execute", "executemany", "executescript", "raw", "read_sql", "read_sql_query", "text", "mogrify", "fetch", "fetchrow",
        "fetchval", "execute_sql", "run_query", "query", "exec_driver_sql", "RawSQL", "sql"}


def outer_building(node):
    """The whole string that a constant is part of."""
    above = parent(node)
    while above is not None:
        if isinstance(above, (ast.BinOp, ast.JoinedStr, ast.FormattedValue)):
            node = above
        elif isinstance(above, ast.Attribute) and isinstance(parent(above), ast.Call) and parent(above).func is above:
            node = above = parent(above)
        else:
            break
        above = parent(above)
    return node


@test.checks("Call")
@test.test_id("R141")
def sql_text(context):
    """A statement that is run was put together from parts that are neither constant nor checked."""
    node = context.node
    if called(node) not in RUNS:
        return None
    statement = argument(node, 0, "sql", "query", "statement", "operation")
    if statement is None or isinstance(statement, ast.Constant):
        return None
    flow = Flow(tree_of(node), SQL)
    if STATEMENT.match(flow.text(statement)) and flow.status(statement) != SAFE:
        return found(89, "The SQL statement is put together from parts that are not constant.", node)
    return None
