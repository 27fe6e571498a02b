#!/usr/bin/env python3
"""Photographs a run's report.html in headless Chromium, everything unfolded: the picture in the README.

    tools/report_picture.py runs/default docs/report.png
    tools/report_picture.py runs/default phone.png --width 390 --dark
"""
import argparse
import base64
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from chromium import Chromium, find_chromium  # noqa: E402  (the tests' own driver: there is only one)


def photograph(page, height, target):
    # Bands and legends settle within a frame of the last chart; waiting for `drawn` is enough.
    page.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.wait("[...document.querySelectorAll('.chart')].every(c => c.dataset.drawn)")
    width = page.run("window.innerWidth")
    whole = page.run("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": min(whole, height) if height else whole, "scale": 1}
    data = page.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
    target.write_bytes(base64.b64decode(data))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path, help="a run folder with a report.html")
    parser.add_argument("picture", type=pathlib.Path, help="the PNG file to write")
    parser.add_argument("--width", type=int, default=1000, help="of the window, in pixels (default: 1000)")
    parser.add_argument("--height", type=int, default=0, help="cut below this many pixels (default: the whole page)")
    parser.add_argument("--dark", action="store_true", help="as a reader in dark mode sees it")
    arguments = parser.parse_args()
    program = find_chromium()
    if not program:
        sys.exit("error: there is no chromium on this machine")
    with Chromium(program) as browser:
        page = browser.page(width=arguments.width, height=900, dark=arguments.dark)
        page.open((arguments.run / "report.html").resolve().as_uri())
        page.wait("document.documentElement.dataset.ready === 'yes'")
        photograph(page, arguments.height, arguments.picture)


if __name__ == "__main__":
    main()
