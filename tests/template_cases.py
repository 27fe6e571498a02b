"""Conversations, template texts and random template code for template_reference.py."""
import random

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Tells the weather <b>now</b> & later",
            "parameters": {
                "type": "object",
                "properties": {
                    "place": {"type": "string", "description": "a town, such as Zürich"},
                    "days": {"type": "integer", "description": "how many"},
                },
                "required": ["place"],
            },
        },
    }
]

CONVERSATIONS = {
    "one": [("user", "What is a hash?")],
    "reply": [("user", "Hi"), ("assistant", "Hello! How can I help?")],
    "system": [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello.")],
    "turns": [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "e")],
    "system_turns": [("system", "S"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")],
    "same": [("user", "same"), ("assistant", "same"), ("user", "same"), ("assistant", "same")],
    "unicode": [("system", "Réponds. 你好"), ("user", "naïve 😀 e\u0301 \u200d"), ("assistant", "ﬁ ß Σς 👩‍👩‍👧 \u2028x")],
    "space": [("user", "  \n padded \t "), ("assistant", "\n\n reply with ends \n"), ("user", " x ")],
    "empty": [("user", ""), ("assistant", ""), ("user", "again"), ("assistant", "fine")],
    "blank": [("system", "   "), ("user", "q"), ("assistant", " \n ")],
    "think": [("user", "2+2?"), ("assistant", "<think>\nfour\n</think>\n\n4"), ("user", "3+3?"),
              ("assistant", "<think>\nsix\n</think>\n\n6")],
    "markup": [("user", "<|im_end|> </s> [INST] {{ x }} {% raw %} & <b>"), ("assistant", "\"q\" 'r' \\n \\ </think> z")],
    "newlines": [("user", "a\r\nb\rc\n"), ("assistant", "\nx\n\ny\n")],
    "two_users": [("user", "a"), ("user", "b")],
    "assistant_first": [("assistant", "I begin"), ("user", "ok")],
    "system_late": [("user", "a"), ("system", "late"), ("user", "b"), ("assistant", "c")],
    "system_only": [("system", "alone")],
    "tool_role": [("user", "a"), ("tool", "result"), ("assistant", "done")],
    "strange": [("user", "a"), ("critic", "b")],
    "nothing": [],
}

CALLS = [
    [
        {"role": "user", "content": "Weather in Zürich?"},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "abcdefghi", "type": "function", "function": {"name": "weather", "arguments": {"place": "Zürich", "days": 2}}}]},
        {"role": "tool", "tool_call_id": "abcdefghi", "name": "weather", "content": "{\"sun\": true}"},
        {"role": "assistant", "content": "Sunny."},
    ],
    [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "123456789", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "123456780", "type": "function", "function": {"name": "g", "arguments": "{\"a\": 1.5}"}}]},
        {"role": "tool", "tool_call_id": "123456789", "content": {"content": [1, 2.0, None, True]}},
        {"role": "tool", "tool_call_id": "123456780", "content": "two"},
    ],
    [{"role": "user", "content": [{"type": "text", "text": "part one"}, {"type": "image"}, {"type": "text", "text": "two"}]}],
    [{"role": "system", "content": [{"type": "text", "text": "sys"}]}, {"role": "user", "content": "q"},
     {"role": "assistant", "content": [{"type": "text", "text": "reply"}]}],
    [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "reasoning_content": "because\n"}],
    [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "thinking": "hm", "score": 0.1, "rank": 3}],
]

# In the styles of well-known models, written for this test.
STYLES = {
    "gemma3": """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '

' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '

' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("roles must alternate") }}
    {%- endif -%}
    {%- set role = "model" if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role + '
' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>
' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{ '<start_of_turn>model
' }}
{%- endif -%}
""",
    "llama3": "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + "
              "message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}"
              "{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
              "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    "llama2": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = "
              "messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
              "{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
              "{{ raise_exception('roles must alternate') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}"
              "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}"
              "{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
              "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
              "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
    "zephyr": """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>
'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}""",
    "phi4": "{% for message in messages %}{% if (message['role'] == 'system') %}{{'<|im_start|>system<|im_sep|>' + "
            "message['content'] + '<|im_end|>'}}{% elif (message['role'] == 'user') %}{{'<|im_start|>user<|im_sep|>' + "
            "message['content'] + '<|im_end|>'}}{% elif (message['role'] == 'assistant') %}{{'<|im_start|>assistant<|im_sep|>' + "
            "message['content'] + '<|im_end|>'}}{% endif %}{% endfor %}{% if add_generation_prompt %}"
            "{{ '<|im_start|>assistant<|im_sep|>' }}{% endif %}",
    "macro": """{%- macro turn(role, content, end='<|end|>') -%}
<|{{ role }}|>{{ content }}{{ end }}
{%- endmacro -%}
{%- set ns = namespace(out='', n=0) -%}
{%- for message in messages -%}
  {%- set ns.out = ns.out ~ turn(message.role, message.content) ~ '\n' -%}
  {%- set ns.n = ns.n + 1 -%}
{%- endfor -%}
{{ ns.out }}{{ '<|assistant|>' if add_generation_prompt }}""",
    "generation": """{% for m in messages %}
{% if m.role == 'assistant' %}
<|a|>{% generation %}{{ m.content }}<|e|>{% endgeneration %}

{% else %}
<|{{ m.role[0] }}|>{{ m.content | replace('padded', 'PADDED') }}<|e|>
{% endif %}
{% endfor %}
{% if add_generation_prompt %}<|a|>{% endif %}""",
    "parts": """{% for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\\n' }}{% for line in m.content.split('\\n') %}{{ line }}
{%- if not loop.last %}{{ '\\n' }}{% endif %}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}""",
    "dated": """{{ '<|system|>Today is ' + strftime_now('%A, %d %B %Y %H:%M:%S %j %-d %% %y %I %p') + '<|end|>' }}
{%- for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}""",
}


class Generator:
    """Small random template code; the values in scope are those of SCOPE."""

    SCOPE = {
        "n": 3, "neg": -7, "f": 2.5, "z": 0, "s": "Hello wörld", "e": "", "sp": "  a b\n", "yes": True, "nil": None,
        "xs": [3, 1, 2], "ss": ["b", "A", "c", "a"], "nest": [[1, "x"], [2, "y"]], "d": {"k": 1, "b": [1, 2], "items": "no"},
        "ms": [{"role": "user", "n": 2, "c": "Hi"}, {"role": "tool", "n": 1, "c": ""}, {"role": "user", "n": 3, "c": "é"}],
        "html": "<a href='x'>&</a>", "num": "12", "u": "ǆ ß İ ΑΣ ﬁ",
    }
    NAMES = list(SCOPE) + ["missing"]
    TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "iterable",
             "sequence", "true", "false", "lower", "upper", "odd", "even", "callable", "divisibleby(2)", "divisibleby 3",
             "in([1, 'a', 3])", "eq(3)", "equalto('')", "gt(1)", "lt 5", "sameas(none)", "ne 1", "escaped", "not none"]
    FILTERS = ["trim", "length", "count", "upper", "lower", "title", "capitalize", "first", "last", "list", "string", "int",
               "float", "abs", "round", "round(1)", "round(1, 'floor')", "tojson", "tojson(indent=2)", "tojson(indent=0)", "reverse|list",
               "join", "join('-')", "default('D')", "d('D', true)", "sort", "sort(reverse=true)", "unique|list", "min", "max",
               "sum", "items|list", "dictsort", "replace('a', 'bb')", "replace('l', '', 1)", "map('string')|list", "select|list",
               "reject('odd')|list", "selectattr('role', 'equalto', 'user')|list", "map(attribute='n')|list",
               "rejectattr('c')|list", "indent", "indent(2, true)", "batch(2)|list", "slice(2)|list", "safe", "e", "wordcount",
               "center(12)", "truncate(5)", "truncate(6, true, '~')", "select('string')|list", "map('upper')|list|tojson",
               "groupby('role')|list", "sort(attribute='n')", "map(attribute='c', default='?')|join", "reverse", "int(7)",
               "float(1.5)", "tojson(ensure_ascii=true)", "map('length')|list", "format(1, 2)", "trim('Hd')", "sort(attribute='role,n')"]
    METHODS = ["upper()", "lower()", "strip()", "lstrip()", "rstrip()", "split()", "split('l')", "split(' ', 1)", "rsplit(None, 1)",
               "rsplit('l', 1)", "startswith('H')", "endswith(('d', ' '))", "replace('o', '0')", "title()", "capitalize()", "find('w')",
               "rfind('l')", "count('l')", "join(['x', 'y'])", "format(1, a=2)", "splitlines()", "isdigit()", "isalpha()", "isspace()",
               "items()", "keys()|list", "values()|list", "get('k')", "get('q', 5)", "index(1)", "count(1)", "append(1)", "pop()",
               "partition('l')", "rpartition(' ')", "zfill(14)", "center(15, '*')", "ljust(14, '.')", "rjust(14)", "swapcase()",
               "removeprefix('He')", "removesuffix('d')", "isupper()", "istitle()", "casefold", "update({})", "strip('Hd')", "copy()"]
    BINARY = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]
    FORMATS = ["'%s|%s' % (n, s)", "'%d %5d|%-5d|%05d' % (n, neg, n, neg)", "'%.2f %8.3f %e' % (f, f, f)", "'%r %s' % (s, d)",
               "'%x %o %X %%' % (255, 8, 255)", "'%(k)s' % d", "'{} {}'.format(n, s)", "'{0}{1}{0}'.format(n, f)",
               "'{a:>6}|{a:<6}|{a:^7}|'.format(a=s[:3])", "'{:05d} {:+.1f} {:,}'.format(n, f, 1234567)", "'{0[k]} {1.x}'.format(d, d)",
               "'{{}} {!r}'.format(s)", "'%s' % missing", "'%d' % s", "'{}'.format()", "'a' % xs", "'%5s|%-7s|%.2s' % (s, e, s)",
               "'%+d % d' % (n, n)", "'{:.3}|{:g}|{:%}'.format(s, f, 0.25)", "'{:x} {:#x} {:b}'.format(255, 255, 5)"]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, items):
        return self.random.choice(items)

    def atom(self):
        kind = self.random.randrange(12)
        if kind < 6:
            return self.pick(self.NAMES)
        return self.pick(["0", "1", "-1", "2", "10", "1.5", "0.1", "1e3", "1_000", "'a'", '"l"', "''", "'x\\ny'", "'é\\u00e9\\x41\\101'",
                          "true", "False", "none", "[]", "{}", "()", "(1,)", "[1, 2, 3]", "('a', 2)", "{'a': 1, 'b': 'x'}",
                          "range(4)", "range(5, 0, -2)", "dict(a=1)", "'a' 'b'", "s", "xs", "ms", "namespace(a=1).a"])

    def expression(self, depth=3):
        if depth <= 0:
            return self.atom()
        kind = self.random.randrange(16)
        inner = lambda: self.expression(depth - 1)
        if kind < 2:
            return self.atom()
        if kind < 5:
            return f"({inner()} {self.pick(self.BINARY)} {inner()})"
        if kind < 8:
            return f"({inner()}|{self.pick(self.FILTERS)})"
        if kind == 8:
            return f"({inner()} is {self.pick(['', 'not '])}{self.pick(self.TESTS)})"
        if kind == 9:
            part = lambda: self.pick(["", "", "0", "1", "-1", "2", "-3", "10"])
            step = self.pick(["", "", ":", ":1", ":2", ":-1"])
            # Not of constants: jinja2 slices those while compiling, where what cannot be sliced is undefined.
            return f"{self.pick(['s', 'xs', 'u', 'ms', 'e', 'd', 'n', 'missing', '(xs + [1])', 's.split()', 'range(5)|list'])}[{part()}:{part()}{step}]"
        if kind == 10:
            return f"{self.pick([inner(), 'xs', 'd', 'ms', 's'])}[{self.pick(['0', '-1', '5', repr('k'), repr('items'), 'n', inner()])}]"
        if kind == 11:
            return f"{self.pick([inner(), 'd', 'ms[0]', 's'])}.{self.pick(['k', 'items', 'role', 'b', 'x.y', '0', '_p'])}"
        if kind == 12:
            return f"{self.pick(['s', 'sp', 'd', 'xs', 'u', inner()])}.{self.pick(self.METHODS)}"
        if kind == 13:
            return f"({inner()} if {inner()}{self.pick([' else ' + inner(), ''])})"
        if kind == 14:
            return self.pick([f"[{inner()}, {inner()}]", f"({inner()}, {inner()})", "{" + f"'k': {inner()}, {self.atom()}: {inner()}" + "}",
                              f"not {inner()}", f"-{inner()}", f"({inner()} < {inner()} <= {inner()})", f"+{self.atom()}"])
        return self.pick(self.FORMATS)

    # Expressions of one type, which seldom raise, so that most random templates run to their end.
    def text(self, depth):
        if depth <= 0:
            return self.pick(["s", "e", "sp", "html", "num", "u", "'a b'", "'x\\ny '", "ms[0].role", "ss[0]", "d['items']", "missing"][:-1])
        one, two = self.text(depth - 1), self.text(depth - 1)
        return self.pick([
            f"({one} + {two})", f"({one} ~ {self.number(depth - 1)} ~ {two})", f"({one}|{self.pick(['trim', 'upper', 'lower', 'title'])})",
            f"({one}|{self.pick(['capitalize', 'string', 'e', 'tojson', 'reverse', 'center(9)', 'indent(2)', 'truncate(5)'])})",
            f"({one}|replace({two}, '+'))", f"({one} * {self.pick(['0', '2', '-1', 'n'])})", f"({self.items(depth - 1)}|join({one}))",
            f"{one}.{self.pick(['strip()', 'lstrip()', 'rstrip()', 'title()', 'swapcase()', 'capitalize()', 'upper()', 'lower()'])}",
            f"{one}.replace({two}, {self.text(0)}, 2)", f"{one}[{self.pick(['1:', ':-1', '::-1', '1::2', '-3:', ':0', '2:1', '-2::-2'])}]",
            f"({one} if {self.truth(depth - 1)} else {two})", f"({self.items(depth - 1)}|string)", f"({self.items(depth - 1)}|tojson(indent=1))",
            f"{one}.{self.pick(['zfill(9)', 'ljust(9, repr)'.replace('repr', repr('-')), 'rjust(7)', 'center(8)', 'removeprefix(' + repr('He') + ')'])}",
            f"'%s-%5s-%r' % ({one}, {two}, {self.number(depth - 1)})", f"'{{}}{{:>4}}'.format({one}, {self.number(0)})", f"({self.number(depth - 1)}|string)",
        ])

    def number(self, depth):
        if depth <= 0:
            return self.pick(["n", "neg", "f", "z", "1", "2", "-3", "0.5", "10", "1e2", "yes"])
        one, two = self.number(depth - 1), self.number(depth - 1)
        return self.pick([
            f"({one} + {two})", f"({one} - {two})", f"({one} * {two})", f"({one} // 3)", f"({one} % 4)", f"({one} / 8)", f"({one} ** 2)",
            f"({self.text(depth - 1)}|length)", f"({self.items(depth - 1)}|length)", f"(-{one})", f"({one}|round(1))", f"({one}|abs)",
            f"({one}|int)", f"({one}|float)", f"({self.text(depth - 1)}|int(4))", f"{self.text(depth - 1)}.find({self.text(0)})",
            f"{self.text(depth - 1)}.count('l')", f"({one} if {self.truth(depth - 1)} else {two})", f"(xs|{self.pick(['sum', 'min', 'max', 'first', 'last'])})",
            f"({self.text(depth - 1)}|wordcount)", f"({one}|round(0, '{self.pick(['ceil', 'floor', 'common'])}'))", f"({one} % -1.5)", f"({one} // -0.75)",
        ])

    def items(self, depth):
        if depth <= 0:
            return self.pick(["xs", "ss", "nest", "[1, 'a', none]", "[]", "d.b", "d|list", "range(4)|list", "[true, 1.0]", "(d.items()|list)"])
        one, two = self.items(depth - 1), self.items(depth - 1)
        return self.pick([
            f"({one} + {two})", f"{one}[{self.pick(['1:', ':-1', '::-1', '::2', '-2:', ':0'])}]", f"{self.text(depth - 1)}.split()",
            f"{self.text(depth - 1)}.split({self.pick(['repr', 'l'])!r}, {self.pick(['-1', '0', '1', '2'])})", f"({one}|map('string')|list)",
            f"({one}|reverse|list)", f"({self.text(depth - 1)}|list)", f"[{self.text(depth - 1)}, {self.number(depth - 1)}]", f"({one}|batch(2)|list)",
            f"(ms|map(attribute={self.pick(['n', 'role', 'c', 'q'])!r})|list)", f"(ss|sort(reverse={self.pick(['true', 'false'])}))",
            f"({one}|select({self.pick(['string', 'number', 'defined'])!r})|list)", f"({one}|reject('string')|list)", f"({one} * 2)",
            f"({self.text(depth - 1)}|list|unique|list)", f"({one}|slice(2)|list)", f"({self.text(depth - 1)}.splitlines())",
            f"({one} if {self.truth(depth - 1)} else {two})", f"({self.text(depth - 1)}.partition('l')|list)", f"(ms|groupby('role')|list)[0][1]",
        ])

    def truth(self, depth):
        if depth <= 0:
            return self.pick(["yes", "nil", "missing", "e", "s", "xs", "[]", "n", "z", "false", "missing is defined", "d.k is defined"])
        return self.pick([
            f"({self.text(depth - 1)} {self.pick(['==', '<', '>=', 'in', 'not in'])} {self.text(depth - 1)})",
            f"({self.number(depth - 1)} {self.pick(['==', '!=', '<', '>', '<=', '>='])} {self.number(depth - 1)})",
            f"({self.number(0)} in {self.items(depth - 1)})", f"({self.truth(depth - 1)} {self.pick(['and', 'or'])} {self.truth(depth - 1)})",
            f"(not {self.truth(depth - 1)})", f"({self.text(depth - 1)} is {self.pick(['string', 'lower', 'upper', 'iterable', 'sequence', 'mapping'])})",
            f"({self.number(depth - 1)} is {self.pick(['number', 'integer', 'float', 'boolean', 'true', 'false', 'odd', 'even', 'eq 1'])})",
            f"({self.items(depth - 1)} == {self.items(depth - 1)})", f"{self.text(depth - 1)}.{self.pick(['startswith', 'endswith'])}({self.text(0)})",
            f"{self.text(depth - 1)}.{self.pick(['isupper()', 'islower()', 'isdigit()', 'isalpha()', 'isspace()', 'istitle()', 'isalnum()'])}",
            f"({self.text(depth - 1)} is not none)", f"({self.items(depth - 1)}|length > 1)",
        ])

    def tame(self, depth=2):
        return self.pick([self.text, self.text, self.number, self.items, self.truth])(depth)

    def white(self):
        return self.pick(["", "", "\n", " ", "  \n", "\n  ", "x", " y\n", "\n\n"])

    def tag(self, text):
        return "{%" + self.pick(["", "", "-", "+"]) + f" {text} " + self.pick(["", "", "-", "+"]) + "%}"

    def output(self):
        return "{{" + self.pick(["", "-"]) + f" {self.tame() if self.random.randrange(12) else self.expression(2)} " + self.pick(["", "-"]) + "}}"

    def block(self, depth):
        return "".join(self.white() + self.statement(depth) for _ in range(self.random.randrange(1, 4))) + self.white()

    def statement(self, depth=2):
        if depth <= 0:
            return self.output()
        kind = self.random.randrange(14)
        body = lambda: self.block(depth - 1)
        loop = self.pick(["loop.index", "loop.last", "loop.first", "loop.length", "loop.revindex", "loop.index0", "loop.previtem",
                          "loop.nextitem", "loop.cycle('p', 'q')", "loop.changed(x)", "x", "loop.revindex0", "loop.nextitem is defined"])
        if kind < 4:
            return self.output()
        if kind < 6:
            other = self.pick(["", self.tag("else") + body(), self.tag(f"elif {self.tame(1)}") + body()])
            return self.tag(f"if {self.tame(1)}") + body() + other + self.tag("endif")
        if kind < 8:
            test = self.pick(["", "", " if x", f" if {self.tame(1)}"])
            leave = self.pick(["", "", "", self.tag("if loop.index == 2") + self.pick(["{% break %}", "{% continue %}"]) + self.tag("endif")])
            other = self.pick(["", "", self.tag("else") + body()])
            items = self.pick(["xs", "s", "ms", "d", "missing", "range(3)", "xs|map('string')", self.text(1), self.items(1)])
            return self.tag(f"for x in {items}{test}") + leave + "{{ " + loop + " }}" + body() + other + self.tag("endfor")
        if kind == 8:
            return self.tag("for a, b in " + self.pick(["nest", "d.items()", "d|items", "ss", self.tame(1)])) + "{{ a }}={{ b }};" + self.tag("endfor")
        if kind == 9:
            return self.tag(f"set {self.pick(['q', 't', 'v'])} = {self.tame(1)}") + "{{ q }}{{ t }}"
        if kind == 10:
            return self.pick([
                self.tag("set q") + body() + self.tag("endset") + "[{{ q }}]",
                self.tag("set q|upper") + body() + self.tag("endset") + "[{{ q }}]",
                self.tag("set ns = namespace(v=1)") + self.tag("for x in xs") + self.tag("set ns.v = ns.v + x") + self.tag("endfor") + "{{ ns.v }}{{ ns }}",
                self.tag("set a, b = " + self.pick(["(1, 2)", "xs[:2]", "'ab'", "nest"])) + "{{ a }}{{ b }}",
            ])
        if kind == 11:
            call = self.pick(["m(1)", "m(1, 2)", "m(q=3, p=n)", "m()", "m(1, 2, 3)" if not self.random.randrange(8) else "m(2)", f"m({self.tame(1)})", "m(1, r=2)" if not self.random.randrange(8) else "m(p=3)", "m(*xs)", "m(**{'p': 5})"])
            extra = self.pick(["", "{{ varargs }}", "{{ kwargs }}", "{{ caller() if caller else '-' }}"])
            return self.tag("macro m(p, q='Q')") + "{{ p }}/{{ q }}" + extra + body() + self.tag("endmacro") + "{{ " + call + " }}"
        if kind == 12:
            return self.pick([
                self.tag("filter upper") + body() + self.tag("endfilter"),
                self.tag("filter trim|replace('a', '4')") + body() + self.tag("endfilter"),
                self.tag(f"with q = {self.tame(1)}, n = 9") + "{{ q }}{{ n }}" + body() + self.tag("endwith"),
                "{#" + self.pick(["", "-", "+"]) + " note {{ }} " + self.pick(["", "-"]) + "#}",
                self.tag("raw") + " {{ raw }} {% if %} " + self.tag("endraw"),
                self.tag("generation") + body() + self.tag("endgeneration"),
                "{% macro w() %}<{{ caller(2) }}>{% endmacro %}" + self.tag("call(y) w()") + "{{ y }}" + body() + self.tag("endcall"),
            ])
        return self.white() + self.output() + self.white()

    def template(self):
        return self.block(2)
