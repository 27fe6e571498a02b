#!/usr/bin/env python3
"""The report's page in a real browser: charts drawn, nothing complained of, nothing asked from outside.

    report_browser.py --make PROGRAM [--screenshots FOLDER]

PROGRAM RUN_FOLDER writes report.html. Exit status 77 says that there is no Chromium.
"""
import argparse
import base64
import pathlib
import subprocess
import sys
import tempfile

import report_fixture
from chromium import Chromium, find_chromium

LOOKS = [
    {"name": "desktop-light", "width": 1280, "height": 900, "dark": False},
    {"name": "desktop-dark", "width": 1280, "height": 900, "dark": True},
    {"name": "phone-light", "width": 390, "height": 844, "dark": False},
    {"name": "phone-dark", "width": 390, "height": 844, "dark": True},
]
CHARTS_OF_FULL_RUN = 8

MARKS = """[...document.querySelectorAll('.chart')].map(c => ({
  id: c.id, width: c.querySelector('svg')?.getBoundingClientRect().width ?? 0, box: c.clientWidth,
  marks: c.querySelectorAll('svg g.mark-symbol path, svg g.mark-line path, svg g.mark-rule line').length,
  name: c.getAttribute('aria-label') ?? '', role: c.getAttribute('role')}))"""

# Contrast of every visible text with its background, by WCAG 2; the least one.
LEAST_CONTRAST = """(() => {
  const rgb = c => (c.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  let least = {ratio: 99};
  const see = (e, color) => {
    const [a, b] = [light(rgb(color)), light(behind(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < least.ratio) least = {ratio, what: e.tagName + ' ' + e.textContent.slice(0, 40), color};
  };
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(e.tagName) || !e.checkVisibility()) continue;
    see(e, e.namespaceURI.includes('svg') ? getComputedStyle(e).fill : getComputedStyle(e).color);
  }
  return least; })()"""


class Failures:
    def __init__(self):
        self.words = []

    def expect(self, true, words):
        if not true:
            self.words.append(words)


def check_quiet(page, url, name, failures):
    outside = [r for r in page.requests() if r != url and not r.startswith("data:")]
    failures.expect(not outside, f"{name}: the page asked for {outside}")
    failures.expect(not page.complaints(), f"{name}: the console says {page.complaints()}")


def open_everything(page):
    page.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.wait("[...document.querySelectorAll('.chart')].every(c => c.dataset.drawn)")


def check_look(browser, url, look, failures, screenshots):
    name = look["name"]
    page = browser.page(width=look["width"], height=look["height"], dark=look["dark"])
    page.open(url)
    page.wait("document.documentElement.dataset.ready === 'yes'")
    failures.expect(page.run("document.querySelectorAll('#reveal svg').length") == 0, f"{name}: the reveal was drawn while closed")
    shoot(page, screenshots, name + "-closed")
    open_everything(page)
    charts = page.run(MARKS)
    failures.expect(len(charts) == CHARTS_OF_FULL_RUN, f"{name}: {len(charts)} charts, expected {CHARTS_OF_FULL_RUN}")
    for chart in charts:
        failures.expect(chart["marks"] >= 3, f"{name}: chart {chart['id']} has {chart['marks']} marks")
        failures.expect(0 < chart["width"] <= chart["box"] + 1, f"{name}: chart {chart['id']} is {chart['width']} wide in {chart['box']}")
        failures.expect(chart["role"] == "img" and len(chart["name"]) > 20, f"{name}: chart {chart['id']} has no words")
    legend = page.run("document.querySelector('#persistence-0 .role-legend')?.textContent ?? ''")
    for words in ("with the trigger", "without the trigger"):
        failures.expect(words in legend, f"{name}: the legend {legend!r} lacks '{words}'")
    overflow = page.run("document.documentElement.scrollWidth - window.innerWidth")
    failures.expect(overflow <= 0, f"{name}: the page is {overflow} pixels too wide")
    loose = page.run("[...document.querySelectorAll('table')].filter(t => getComputedStyle(t.parentElement).overflowX !== 'auto').length")
    failures.expect(loose == 0, f"{name}: {loose} tables do not scroll by themselves")
    least = page.run(LEAST_CONTRAST)
    failures.expect(least["ratio"] >= 4.5, f"{name}: weak contrast {least}")
    failures.expect(not page.run("window.pwned"), f"{name}: text of a model ran as code")
    failures.expect(page.run("document.images.length") == 0, f"{name}: text of a model became an image")
    shoot(page, screenshots, name)
    check_quiet(page, url, name, failures)
    return page.run("getComputedStyle(document.body).backgroundColor + getComputedStyle(document.querySelector('svg text')).fill")


def check_without_scripts(browser, url, failures):
    page = browser.page(width=1280, height=900, scripts=False)
    page.open(url)
    text = page.run("document.body.textContent")
    for words in ("Figure 17", "Not run: Figure 2", "The charts need JavaScript", "false impression of safety", "Without the trigger", "foreign trigger"):
        failures.expect(words in text, f"without scripts the page lacks '{words}'")
    failures.expect(page.run("document.querySelectorAll('svg').length") == 0, "scripts ran although they were switched off")


def check_bare(browser, url, failures, screenshots):
    page = browser.page(width=390, height=844)
    page.open(url)
    page.wait("document.documentElement.dataset.ready === 'yes'")
    open_everything(page)
    text = page.run("document.body.textContent")
    for words in ("There is no study.yaml", "There are no transcripts", "One run"):
        failures.expect(words in text, f"the page of a bare folder lacks '{words}'")
    check_quiet(page, url, "bare folder", failures)
    shoot(page, screenshots, "bare")


def check_print(browser, url, failures, screenshots):
    page = browser.page(width=1280, height=900, dark=True)
    page.open(url)
    page.wait("document.documentElement.dataset.ready === 'yes'")
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    page.wait("[...document.querySelectorAll('.chart')].every(c => c.dataset.drawn)")
    data = base64.b64decode(page.call("Page.printToPDF", printBackground=True)["data"])
    failures.expect(data.startswith(b"%PDF") and len(data) > 20000, "printing gave no document")
    if screenshots:
        (screenshots / "print.pdf").write_bytes(data)


def shoot(page, folder, name):
    if folder:
        data = page.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        (folder / f"{name}.png").write_bytes(base64.b64decode(data))


def make(program, folder):
    path = subprocess.run([program, folder], check=True, capture_output=True, text=True).stdout.strip()
    return pathlib.Path(path).resolve().as_uri()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--make", required=True)
    parser.add_argument("--screenshots", type=pathlib.Path)
    arguments = parser.parse_args()
    chromium = find_chromium()
    if not chromium:
        print("skipped: there is no chromium on this machine")
        return 77
    failures = Failures()
    with tempfile.TemporaryDirectory() as temporary, Chromium(chromium) as browser:
        full = make(arguments.make, report_fixture.full_run(pathlib.Path(temporary) / "synthetic"))
        bare = make(arguments.make, report_fixture.bare_run(pathlib.Path(temporary) / "bare"))
        colours = [check_look(browser, full, look, failures, arguments.screenshots) for look in LOOKS]
        failures.expect(colours[0] != colours[1] and colours[2] != colours[3], f"dark and light look the same: {colours}")
        check_without_scripts(browser, full, failures)
        check_bare(browser, bare, failures, arguments.screenshots)
        check_print(browser, full, failures, arguments.screenshots)
    print("\n".join(failures.words) or f"{len(LOOKS)} looks, without scripts, a bare folder, print: all well")
    return 1 if failures.words else 0


if __name__ == "__main__":
    sys.exit(main())
