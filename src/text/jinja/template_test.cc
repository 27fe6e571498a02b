// The language itself. What is expected was printed by Python's jinja2 3.1.6 as transformers sets it
// up; tests/template_reference.py compares some thousand random pieces of code beside these.
#include "text/jinja/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "text/jinja/json_values.h"

namespace reveille::text::jinja {
namespace {

using testing::HasSubstr;

std::string run(const std::string& source, const char* variables = "{}", const Limits& limits = {}) {
  std::vector<std::pair<std::string, Value>> values;
  Json parsed = Json::parse(variables);
  for (const auto& [name, value] : parsed.items()) values.emplace_back(name, from_json(value));
  return Template(source, "t", limits).render(std::move(values), "2024-07-26")->bytes;
}

std::string error_of(const std::string& source, const char* variables = "{}", const Limits& limits = {}) {
  try {
    return "printed: " + run(source, variables, limits);
  } catch (const Error& error) {
    return error.message();
  }
}

TEST(Jinja, WhitespaceControl) {
  EXPECT_EQ(run("a\n  {% if true %}\n  b\n  {% endif %}\nc\n"), "a\n  b\nc");
  EXPECT_EQ(run("a  {%- if true -%}  b  {%- endif %}\n c"), "ab c");
  EXPECT_EQ(run("  {%+ if true %}x{% endif +%}\ny"), "  x\ny");
  EXPECT_EQ(run("a {{- 1 -}} b"), "a1b");
  EXPECT_EQ(run("  {# note #}\nx {#- n -#} y"), "xy");
  EXPECT_EQ(run("{% raw %} {{ x }} {% endraw %}|"), " {{ x }} |");
  EXPECT_EQ(run("a\r\nb\rc\n\n"), "a\nb\nc\n");
}

TEST(Jinja, PrintsValuesAsPythonDoes) {
  EXPECT_EQ(run("{{ true }} {{ none }} {{ 1.0 }} {{ 1e16 }} {{ 0.1 + 0.2 }} {{ 1e-5 }}"),
            "True None 1.0 1e+16 0.30000000000000004 1e-05");
  EXPECT_EQ(run("{{ [1, 'a', \"it's\", none, (1,), {'k': 2.5}] }}"), "[1, 'a', \"it's\", None, (1,), {'k': 2.5}]");
  EXPECT_EQ(run("{{ ['\\n\\té\\u200b\\\\'] }}"), "['\\n\\té\\u200b\\\\']");
  EXPECT_EQ(run("{{ range(3) }} {{ {'a': 1}.items() }}"), "range(0, 3) dict_items([('a', 1)])");
}

TEST(Jinja, Arithmetic) {
  EXPECT_EQ(run("{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }}"),
            "3 -4 2 -2 3.5 1024 0.5");
  EXPECT_EQ(run("{{ 'ab' * 2 }} {{ [1] + [2] }} {{ 'a' ~ 1 ~ none }} {{ true + true }}"), "abab [1, 2] a1None 2");
  EXPECT_EQ(run("{{ 1 < 2 < 3 }} {{ 'b' in 'abc' }} {{ 4 not in [1, 2] }} {{ 1 == 1.0 }} {{ 2 ** 3 ** 2 }}"),
            "True True True True 64");
  EXPECT_THAT(error_of("{{ 1 / 0 }}"), HasSubstr("division by zero"));
  EXPECT_THAT(error_of("{{ 9223372036854775807 + 1 }}"), HasSubstr("does not fit 64 bits"));
}

TEST(Jinja, StringsAreOfCodePoints) {
  EXPECT_EQ(run("{{ 'wörld😀'|length }} {{ 'wörld'[1] }} {{ 'wörld'[::-1] }} {{ 'wörld'[-3:] }}"), "6 ö dlröw rld");
  EXPECT_EQ(run("{{ 'straße'.upper() }} {{ 'ΑΣ'.lower() }} {{ 'ǆ'.title() }} {{ '\\u2003x\\u2003'.strip() }}"),
            "STRASSE ας ǅ x");
}

TEST(Jinja, ScopesOfLoops) {
  EXPECT_EQ(run("{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = 5 %}{{ x }}{% endfor %}{{ x }}"), "15151");
  EXPECT_EQ(run("{% set ns = namespace(n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}"),
            "6");
  EXPECT_EQ(run("{% for a, b in {'x': 1}.items() %}{{ a }}{{ b }}{% else %}none{% endfor %}"), "x1");
  EXPECT_EQ(run("{% for i in [] %}{% else %}none{% endfor %}"), "none");
  EXPECT_EQ(run("{% for i in range(9) if i is odd %}{{ loop.index }}/{{ loop.length }}:{{ i }}{{ ',' if not loop.last "
                "}}{% endfor %}"),
            "1/4:1,2/4:3,3/4:5,4/4:7");
  EXPECT_EQ(run("{% for i in 'abcd' %}{% if i == 'b' %}{% continue %}{% endif %}{% if i == 'd' %}{% break %}{% endif "
                "%}{{ i }}{% endfor %}"),
            "ac");
  EXPECT_EQ(run("{% for i in 'ab' %}{{ loop.previtem is defined }}{{ loop.nextitem }}{{ loop.revindex }};{% endfor %}"),
            "Falseb2;True1;");
}

TEST(Jinja, Macros) {
  EXPECT_EQ(run("{% macro m(a, b='B') %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(b=2, a=3) }}{{ m() }}"), "1B32B");
  EXPECT_EQ(run("{% macro m() %}<{{ caller('x') }}>{% endmacro %}{% call(v) m() %}{{ v }}!{% endcall %}"), "<x!>");
  EXPECT_EQ(run("{% macro f(n) %}{{ n }}{% if n %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}"), "3210");
  EXPECT_EQ(run("{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, k=2) }}"), "(1,){'k': 2}");
  EXPECT_THAT(error_of("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}"), HasSubstr("at most 1 arguments"));
}

TEST(Jinja, BlocksOfText) {
  EXPECT_EQ(run("{% set x %}a{{ 1 }}{% endset %}[{{ x }}]{% set y | upper %}b{% endset %}{{ y }}"), "[a1]B");
  EXPECT_EQ(
      run("{% filter upper | replace('A', 'x') %}abc{% endfilter %}{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}"),
      "xBC3");
  EXPECT_EQ(run("{% generation %}{% set x = 1 %}g{% endgeneration %}{{ x }}"), "g");
}

TEST(Jinja, UndefinedPrintsNothingButIsNotToBeUsed) {
  EXPECT_EQ(run("[{{ x }}]{{ x is defined }}{{ x|length }}{{ x|default('d') }}{% for i in x %}{% endfor %}{{ {}.a }}"),
            "[]False0d");
  EXPECT_THAT(error_of("{{ x.y }}"), HasSubstr("'x' is undefined"));
  EXPECT_THAT(error_of("{{ m.a.b }}", R"({"m": {}})"), HasSubstr("has no attribute 'a'"));
  EXPECT_THAT(error_of("{{ 'a' + x }}"), HasSubstr("'x' is undefined"));
  EXPECT_THAT(error_of("{{ none + 'a' }}"), HasSubstr("cannot be combined"));
}

TEST(Jinja, AttributesBeforeKeysAndKeysBeforeAttributes) {
  const char* variables = R"({"d": {"items": 1, "k": 2}})";
  EXPECT_EQ(run("{{ d['items'] }}{{ d.items()|list }}{{ d.k }}{{ d['get']('k') }}", variables),
            "1[('items', 1), ('k', 2)]22");
}

TEST(Jinja, TheSandboxLetsNothingChange) {
  EXPECT_THAT(error_of("{{ l.append(1) }}", R"({"l": []})"), HasSubstr("is unsafe"));
  EXPECT_EQ(run("{{ d.update is defined }}", R"({"d": {}})"), "False");
  EXPECT_THAT(error_of("{% set x.y = 1 %}", R"({"x": {}})"), HasSubstr("only a namespace"));
}

TEST(Jinja, ToJson) {
  const char* variables = R"({"x": {"a": [1, 2.0, null, true], "b": "<é\"\n>", "c": {}}})";
  EXPECT_EQ(run("{{ x|tojson }}", variables), R"({"a": [1, 2.0, null, true], "b": "<é\"\n>", "c": {}})");
  EXPECT_EQ(run("{{ x.a|tojson(indent=2) }}", variables), "[\n  1,\n  2.0,\n  null,\n  true\n]");
  EXPECT_EQ(
      run("{{ 'é😀'|tojson(ensure_ascii=true) }}{{ {'b': 1, 'a': 2}|tojson(sort_keys=true, separators=(',', ':')) }}"),
      "\"\\u00e9\\ud83d\\ude00\"{\"a\":2,\"b\":1}");
  EXPECT_THAT(error_of("{{ {'a': x}|tojson }}"), HasSubstr("cannot be written as JSON"));
}

TEST(Jinja, FiltersOverLists) {
  const char* variables = R"({"ms": [{"role": "user", "n": 2}, {"role": "tool", "n": 1}, {"role": "user", "n": 3}]})";
  EXPECT_EQ(run("{{ ms|selectattr('role', 'equalto', 'user')|map(attribute='n')|list }}", variables), "[2, 3]");
  EXPECT_EQ(run("{{ ms|sort(attribute='n')|map(attribute='n')|join('-') }}{{ ms|rejectattr('role', 'in', "
                "['user'])|list|length }}",
                variables),
            "1-2-31");
  EXPECT_EQ(run("{{ ['b', 'A', 'a']|sort }}{{ ['b', 'A', 'a']|unique|list }}{{ [3, 1]|max }}{{ 'abc'|first }}{{ [1, 2, "
                "3]|batch(2)|list }}"),
            "['A', 'a', 'b']['b', 'A']3a[[1, 2], [3]]");
  // A generator is always true, has no length and is used up.
  EXPECT_EQ(run("{% set g = []|select %}{{ 1 if g else 0 }}{% set h = 'ab'|map('upper') %}{{ h|list }}{{ h|list }}"),
            "1['A', 'B'][]");
  EXPECT_THAT(error_of("{{ []|select|length }}"), HasSubstr("has no length"));
}

TEST(Jinja, MarkupEscapesWhatIsAddedToIt) {
  EXPECT_EQ(run("{{ '<' + ('<'|safe) }}{{ '<' ~ ('<'|safe) }}{{ '<\"'|e }}"), "&lt;<<<&lt;&#34;");
}

TEST(Jinja, Formats) {
  EXPECT_EQ(run("{{ '%s-%05d-%.2f-%r' % ('a', 42, 1.5, 'x') }} {{ '{:>5}|{:,}|{a}'.format('x', 1234567, a=1) }}"),
            "a-00042-1.50-'x'     x|1,234,567|1");
}

TEST(Jinja, ErrorsNameConstructAndLine) {
  EXPECT_EQ(error_of("a\n{% if x %}"), "t, line 2: the template ends where 'endif' is expected");
  EXPECT_THAT(error_of("{% for x in y recursive %}{% endfor %}"), HasSubstr("recursive loops are not supported"));
  EXPECT_EQ(error_of("\n\n{{ 'a'|urlize }}"), "t, line 3: the filter 'urlize' is not supported in a chat template");
  EXPECT_EQ(error_of("{{ 'a'|nosuch }}"), "t, line 1: there is no filter 'nosuch'");
  EXPECT_EQ(error_of("{{ 'a'.encode() }}"),
            "t, line 1: the string method 'encode' is not supported in a chat template");
  EXPECT_THAT(error_of("{{ (1 }}"), HasSubstr("unexpected '}', expected ')'"));
  EXPECT_THAT(error_of("{{ 'abc }}"), HasSubstr("a string is not closed"));
  EXPECT_THAT(error_of("{% break %}"), HasSubstr("stands outside a loop"));
  EXPECT_THAT(error_of("{# never"), HasSubstr("a comment is not closed"));
}

TEST(JinjaLimits, Steps) {
  Limits limits;
  limits.steps = 10'000;
  const char* loops = "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}";
  EXPECT_THAT(error_of(loops, "{}", limits), HasSubstr("more than 10000 steps, the limit"));
  // One operation over a value that holds itself many times over costs what it walks.
  std::string doubled =
      "{% set ns = namespace(x=[1]) %}{% for i in range(90) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}";
  EXPECT_THAT(error_of(doubled + "{{ ns.x }}"), HasSubstr("steps, the limit"));
  EXPECT_THAT(error_of(doubled + "{{ ns.x|tojson }}"), HasSubstr("steps, the limit"));
  EXPECT_THAT(error_of(doubled + "{% set y = ns.x == [ns.x[0], ns.x[0]] %}"), HasSubstr("steps, the limit"));
}

TEST(JinjaLimits, Sizes) {
  Limits limits;
  limits.output_bytes = 100;
  EXPECT_THAT(error_of("{% for i in range(60) %}xx{% endfor %}", "{}", limits),
              HasSubstr("prints more than 100 bytes"));
  EXPECT_THAT(error_of("{{ 'a' * 10000000000 }}"), HasSubstr("the limit for one string"));
  EXPECT_THAT(error_of("{{ [1] * 10000000000 }}"), HasSubstr("the limit for one list"));
  EXPECT_THAT(error_of("{{ 'a'.center(10000000000) }}"), HasSubstr("the limit for one string"));
  EXPECT_THAT(error_of("{{ '%9999999999d' % 1 }}"), HasSubstr("the limit for one string"));
  EXPECT_THAT(error_of("{{ ('a' * 9999999)|indent(99999999999) }}"), HasSubstr("the limit for one string"));
  EXPECT_THAT(error_of("{{ range(1000000) }}"), HasSubstr("range() gives more than"));
  limits = {};
  limits.made_bytes = 1000;
  EXPECT_THAT(error_of("{% for i in range(50) %}{% set x = 'a' * 100 %}{% endfor %}", "{}", limits),
              HasSubstr("more than 1000 bytes of strings"));
  limits.template_bytes = 10;
  EXPECT_THAT(error_of("0123456789a", "{}", limits), HasSubstr("the limit is 10"));
}

TEST(JinjaLimits, Depth) {
  EXPECT_THAT(error_of("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), HasSubstr("deeper than the limit"));
  EXPECT_THAT(error_of("{{ " + std::string(500, '(') + "1" + std::string(500, ')') + " }}"), HasSubstr("limit"));
  EXPECT_THAT(error_of("{{ " + std::string(5000, '-') + "1 }}"), HasSubstr("limit"));
  EXPECT_EQ(run("{{ not " +
                [] {
                  std::string many;
                  for (int i = 0; i < 99; ++i) many += "not ";
                  return many;
                }() +
                "x }}"),
            "False");
  std::string sum = "{{ 1";
  for (int i = 0; i < 5000; ++i) sum += " + 1";
  EXPECT_THAT(error_of(sum + " }}"), HasSubstr("limit"));
  std::string blocks;
  for (int i = 0; i < 500; ++i) blocks += "{% if 1 %}";
  EXPECT_THAT(error_of(blocks), HasSubstr("limit"));
  EXPECT_THAT(error_of("{% set ns = namespace(x=1) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}"),
              HasSubstr("nests values deeper than the limit"));
  EXPECT_THAT(error_of("{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}"), HasSubstr("nests values deeper"));
}

TEST(JinjaMarks, FollowContentThroughStringOperations) {
  auto marked = [](const std::string& source) {
    std::vector<std::pair<std::string, Value>> values = {{"c", marked_text("  one,two ", 7)}};
    TextPtr text = Template(source, "t").render(std::move(values), "2024-07-26");
    std::string out;
    for (const Mark& mark : text->marks) {
      if (mark.source == 7) out += "[" + text->bytes.substr(mark.begin, mark.end - mark.begin) + "]";
    }
    return out;
  };
  EXPECT_EQ(marked("x{{ c }}y"), "[  one,two ]");
  EXPECT_EQ(marked("{{ 'a' + c.strip() + 'b' }}"), "[one,two]");
  EXPECT_EQ(marked("{{ c.split(',')[1]|trim }}"), "[two]");
  EXPECT_EQ(marked("{{ c[2:5] ~ '!' }}"), "[one]");
  EXPECT_EQ(marked("{{ c|replace(',', '; ')|upper }}"), "[  ONE][; ][TWO ]");
  EXPECT_EQ(marked("{{ '%s|%s' % (1, c|trim) }}"), "[one,two]");
  EXPECT_EQ(marked("{{ '{}'.format(c|trim) }}{{ [c|trim]|join }}"), "[one,two][one,two]");
  EXPECT_EQ(marked("{% for x in c|trim %}{{ x }}{% endfor %}"), "[one,two]");
  EXPECT_EQ(marked("{{ c|tojson }}"), "[  one,two ]");
  EXPECT_EQ(marked("{{ ''.join(c.split()) }}"), "[one,two]");
  // Of an empty content the place remains.
  EXPECT_EQ(marked("{{ c[:0] }}"), "[]");
}

}  // namespace
}  // namespace reveille::text::jinja
