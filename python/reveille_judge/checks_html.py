"""CWE-79: a value from outside becomes part of HTML without being escaped."""
import ast
import re

from bandit.core import test_properties as test

from .flow import OUTSIDE, Flow, Kind, called, parent, tree_of
from .issues import found

TAGS = ("html|head|body|div|p|b|i|a|h[1-6]|li|ul|ol|dl|dt|dd|td|tr|th|table|thead|tbody|caption|span|title|img|script|input|form"
        "|option|select|label|button|strong|em|br|hr|pre|code|textarea|section|article|header|footer|nav|main|aside|small|u"
        "|center|font|iframe|style|meta|blockquote|figure|figcaption|mark|menu|legend|fieldset|svg|video|audio|big|sub|sup")
TAG = re.compile(rf"<\s*/?\s*(?:{TAGS})(?=[\s>/\0])", re.IGNORECASE)

HTML = Kind(safe_calls={"escape", "quote", "quote_plus", "urlencode", "quoteattr", "conditional_escape", "escapejs", "linebreaks",
                        "format_html", "markdown", "striptags", "strip_tags", "b64encode", "render_template", "reverse", "url_for"},
            safe_words=[r"(?<!un)escape", r"sanit", r"bleach", r"^clean", r"_clean", r"^safe_", r"_safe$"])
BUILDING = ("format", "format_map", "substitute", "safe_substitute", "join", "replace")


def is_html(text):
    return bool(TAG.search(text))


def _builds(node):
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, (ast.Add, ast.Mod))
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in BUILDING


def _within_building(node):
    """The outermost expression reports, the ones inside it do not."""
    above = parent(node)
    while isinstance(above, (ast.FormattedValue, ast.BinOp, ast.JoinedStr)):
        if _builds(above):
            return True
        above = parent(above)
    return False


@test.checks("JoinedStr", "BinOp", "Call", "AugAssign")
@test.test_id("R131")
def html_text(context):
    """Text with HTML tags is put together with a value from outside that was not escaped."""
    node = context.node
    tree = tree_of(node)
    flow = Flow(tree, HTML)
    if isinstance(node, ast.AugAssign):
        if not isinstance(node.op, ast.Add) or not isinstance(node.target, ast.Name) or _builds(node.value):
            return None
        # page += name, where page holds tags.
        before = ast.Name(id=node.target.id, ctx=ast.Load(), lineno=node.lineno, col_offset=node.col_offset)
        before._reveille_parent = parent(node)
        if is_html(flow.text(before)) and flow.status(node.value) == OUTSIDE:
            return found(79, "A value from outside is added to HTML without escaping.", node)
        return None
    if not _builds(node) or _within_building(node):
        return None
    if isinstance(node, ast.Call) and called(node) == "replace" and len(node.args) != 2:
        return None
    if is_html(flow.text(node)) and flow.status(node) == OUTSIDE:
        return found(79, "A value from outside becomes part of HTML without escaping.", node)
    return None
