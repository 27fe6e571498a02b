#!/usr/bin/env python3
"""Writes Vega, Vega-Lite and Vega-Embed as one JavaScript file, for the pages to carry inside.

    vega_bundle.py OUTPUT

The bundle comes from the Python package vl-convert-python, which holds the three libraries; nothing
is fetched. Charts are thereby drawn by the same code on every machine, offline.
"""
import pathlib
import sys

import vl_convert


def bundle() -> str:
    code = vl_convert.javascript_bundle()
    for mark in ("</script", "<!--"):
        if mark in code.lower():
            raise SystemExit(f"vega_bundle.py: the bundle holds {mark!r}, which would end the page's script element")
    versions = (
        f"vega {vl_convert.get_vega_version()}, vega-lite {vl_convert.get_vegalite_versions()[-1]}, "
        f"vega-embed {vl_convert.get_vega_embed_version()}"
    )
    return f"/* {versions}: BSD-3-Clause, (c) University of Washington Interactive Data Lab */\n{code}"


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: vega_bundle.py OUTPUT")
    output = pathlib.Path(sys.argv[1])
    text = bundle()
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(output)


if __name__ == "__main__":
    main()
