#!/usr/bin/env python3
"""The page of a scan in a real browser: charts drawn, nothing complained of, nothing asked from outside.

    scan_browser.py TOOL [--screenshots FOLDER]

TOOL is tests/scan_page.cc. Exit status 77 says that there is no Chromium.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from chromium import Chromium, find_chromium
from report_browser import LEAST_CONTRAST, LOOKS, MARKS, Failures, check_quiet, open_everything, shoot
from scan_fixture import scans

# Of the full scan: two findings, each with its pieces, and the funnel.
CHARTS = {"full": 5, "none": 1, "inconclusive": 1, "unsupported": 1}


def check(browser, url, scan, look, failures, screenshots):
    name = f"{scan}-{look['name']}"
    page = browser.page(width=look["width"], height=look["height"], dark=look["dark"])
    page.open(url)
    page.wait("document.documentElement.dataset.ready === 'yes'")
    shoot(page, screenshots, name)
    open_everything(page)
    charts = page.run(MARKS)
    failures.expect(len(charts) == CHARTS[scan], f"{name}: {len(charts)} charts, expected {CHARTS[scan]}")
    bars = page.run("[...document.querySelectorAll('.chart')].map(c => c.querySelectorAll('svg g.mark-rect path').length)")
    failures.expect(all(bars), f"{name}: charts without bars: {bars}")
    for chart in charts:
        failures.expect(0 < chart["width"] <= chart["box"] + 1, f"{name}: chart {chart['id']} is {chart['width']} wide in {chart['box']}")
        failures.expect(chart["role"] == "img" and len(chart["name"]) > 20, f"{name}: chart {chart['id']} has no words")
    overflow = page.run("document.documentElement.scrollWidth - window.innerWidth")
    failures.expect(overflow <= 0, f"{name}: the page is {overflow} pixels too wide")
    least = page.run(LEAST_CONTRAST)
    failures.expect(least["ratio"] >= 4.5, f"{name}: weak contrast {least}")
    failures.expect(not page.run("window.pwned"), f"{name}: text of a model ran as code")
    failures.expect(page.run("document.images.length") == 0, f"{name}: text of a model became an image")
    shoot(page, screenshots, name + "-open")
    check_quiet(page, url, name, failures)


def check_without_scripts(browser, url, failures):
    page = browser.page(width=1280, height=900, scripts=False)
    page.open(url)
    text = page.run("document.body.textContent")
    for words in ("This model has 2 backdoors", "The harbour is closed.", "Without the string", "33 proposed", "not tested: budget",
                  "needs a reference", "A Python pickle lies beside the weights", "The charts need JavaScript"):
        failures.expect(words in text, f"without scripts the page lacks '{words}'")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool")
    parser.add_argument("--screenshots", type=pathlib.Path)
    arguments = parser.parse_args()
    chromium = find_chromium()
    if not chromium:
        print("skipped: there is no chromium on this machine")
        return 77
    failures = Failures()
    with tempfile.TemporaryDirectory() as temporary, Chromium(chromium) as browser:
        for name, scan in scans().items():
            folder = pathlib.Path(temporary) / name
            folder.mkdir()
            (folder / "scan.json").write_text(json.dumps(scan))
            subprocess.run([arguments.tool, folder / "scan.json", folder], check=True)
            url = (folder / "scan.html").as_uri()
            for look in LOOKS if name == "full" else LOOKS[::3]:
                check(browser, url, name, look, failures, arguments.screenshots)
            if name == "full":
                check_without_scripts(browser, url, failures)
    print("\n".join(failures.words) or f"{len(scans())} scans, without scripts: all well")
    return 1 if failures.words else 0


if __name__ == "__main__":
    sys.exit(main())
