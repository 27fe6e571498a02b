#!/usr/bin/env python3
"""Writes src/text/unicode_table.cc: what the text room knows about every code point.

The figures are asked of the `tokenizers` package itself, because ids must be equal to its ids and
its parts follow different editions of Unicode: the regular expressions 16.0, the normal forms 9.0.
`newer` marks what is not the same in Unicode 14.0 (that of Python 3.11, and of the oldest PCRE2 that
we build with).  Run with the project's Python 3.11 environment:

    .venv/bin/python tools/unicode_table.py > src/text/unicode_table.cc
"""
import sys
import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

CATEGORIES = ("Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co").split()
JOINS, DECOMPOSES, NEWER = 1 << 5, 1 << 6, 1 << 7
POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def matches(pattern):
    """The code points that a regular expression of one character matches."""
    found = set()
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    for start in range(0, len(POINTS), 4096):
        text = "".join(map(chr, POINTS[start : start + 4096]))
        for piece, _ in split.pre_tokenize_str(text):
            found.update(map(ord, piece))
    return found


def properties():
    table = [0] * 0x110000
    for point in range(0xD800, 0xE000):
        table[point] = CATEGORIES.index("Cs")
    for number, category in enumerate(CATEGORIES):
        if category in ("Cn", "Cs"):
            continue
        for point in matches(r"\p{%s}" % category):
            table[point] = number
    assert unicodedata.unidata_version == "14.0.0"
    nfd, nfkd = normalizers.NFD(), normalizers.NFKD()
    for point in POINTS:
        char = chr(point)
        # PCRE2 takes U+180E, a format character, for a space.
        if CATEGORIES[table[point]] != unicodedata.category(char) or point == 0x180E:
            table[point] |= NEWER
        if nfkd.normalize_str(char) != char:
            table[point] |= DECOMPOSES
        # U+0301 has combining class 230 and U+0334 class 1: they change places only when no
        # character of class 0 stands between them.
        between = "\u0301" + char + "\u0334"
        if CATEGORIES[table[point] & 31][0] == "M" and nfd.normalize_str(between) != between:
            table[point] |= JOINS
    for point in POINTS:
        for char in nfd.normalize_str(chr(point))[1:]:
            table[ord(char)] |= JOINS
    for point in POINTS:
        # Half-width sound marks and vowels join as what they are compatible with.
        if table[ord(nfkd.normalize_str(chr(point))[0])] & JOINS:
            table[point] |= JOINS
    return table


def main():
    table = properties()
    starts = [p for p in range(0x110000) if p == 0 or table[p] != table[p - 1]]
    out = [
        "// Made by tools/unicode_table.py; do not edit. Categories of Unicode 16.0, one entry a range:",
        "// first code point << 8 | newer << 7 | decomposes << 6 | joins << 5 | category.",
        '#include "text/unicode.h"',
        "",
        "namespace reveille::text {",
        "",
        "// clang-format off",
        "const std::uint32_t kUnicodeRanges[] = {",
    ]
    entries = ["0x%X" % (p << 8 | table[p]) for p in starts]
    line = ""
    for entry in entries:
        if len(line) + len(entry) + 2 > 120:
            out.append(line.rstrip())
            line = ""
        line += entry + ", "
    out += [line.rstrip(), "};", "// clang-format on", "",
            "const std::size_t kUnicodeRangeCount = %d;" % len(entries), "",
            "}  // namespace reveille::text"]
    sys.stdout.write("\n".join(out) + "\n")


main()
