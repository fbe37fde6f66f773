#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test-report.py DPCXR [KEEP]: reports of small real runs and of a comparison, opened in headless Chromium: nothing is
complained about, nothing is asked for from outside, charts are there, pointing, clicking, dragging and keys do something.
As TAP. With KEEP, runs and screenshots are left in that folder."""
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

from browser import Browser, find_chromium

EVIL = '<img src=x onerror="document.title=1">&\'"'  # a name that would run, or break out of an attribute

CONFIG = """
name: small
stages: [train, evaluate, report]
data:
  type: phantom
  patients: 400
  size: 32
  labels: [cardiomegaly, congestion, pleural_effusion_right]
  groups: {sex: {column: sex}, age: {column: age, bins: [0, 30, 60, 70, 80, 100]}}
  image: {size: 16}
train: {steps: 12, batch: {logical: 32}}
privacy: {epsilon: 8, delta: 1e-3}
device: {type: cpu, threads: 1}
evaluate: {ci: {method: bootstrap, replicates: 100}}
"""

numbers = {"done": 0, "failed": 0}


def result(name, problems):
    numbers["done"] += 1
    numbers["failed"] += bool(problems)
    print(f"{'not ok' if problems else 'ok'} {numbers['done']} - {name}")
    for problem in problems[:8]:
        print("# " + str(problem)[:2000].replace("\n", "\n# "), flush=True)


def run(*command, expect=0):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    if done.returncode != expect:
        raise SystemExit(f"Bail out! {' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def make_runs(dpcxr, place):
    config = place / "small.yaml"
    config.write_text(CONFIG)
    runs = place / "runs"
    run(dpcxr, "run", config, "--quiet", "--out", runs)
    run(dpcxr, "run", config, "name=tight", "privacy.epsilon=1", "--quiet", "--out", runs)
    run(dpcxr, "run", config, "name=open", "privacy.enabled=false", "--quiet", "--out", runs)
    run(dpcxr, "compare", runs / "small", runs / "tight", runs / "open", "--margin", "0.05")
    run(dpcxr, "report", "--release", runs / "small")
    return runs


def make_evil(dpcxr, runs):
    """The same run with a name and labels that are markup."""
    source, target = runs / "small", runs / "evil"
    run("cp", "-r", source, target)
    for path in (target / "private").iterdir():
        if path.suffix in (".json", ".csv", ".jsonl", ".yaml"):
            text = path.read_text()
            quoted = EVIL.replace('"', '\\"') if path.suffix != ".csv" else EVIL.replace('"', '""')
            if path.suffix == ".csv":
                text = re.sub(r"\b([yp])_congestion\b", lambda m: f'"{m[1]}_{quoted}"', text)
            else:
                text = re.sub(r"\bcongestion\b", lambda m: quoted, text)
            path.write_text(text)
    run(dpcxr, "report", target)
    return target / "private" / "report.html"


def check_files(folder):
    """Every figure is well-formed SVG with a name, and has its numbers."""
    problems = []
    drawings = sorted(folder.glob("*.svg"))
    for path in drawings:
        try:
            root = xml.parse(path).getroot()
        except xml.ParseError as error:
            problems.append(f"{path.name}: {error}")
            continue
        if not root.get("aria-label"):
            problems.append(f"{path.name}: has no label")
        if "NaN" in path.read_text() or "nan" in re.sub(r"<title>.*?</title>|<text.*?</text>", "", path.read_text()):
            problems.append(f"{path.name}: a place is not a number")
    for path in folder.glob("*.csv"):
        lines = path.read_text().splitlines()
        if len(lines) < 2:
            problems.append(f"{path.name}: is empty")
        if not any(d.name == path.stem + ".svg" or d.name.startswith(path.stem + "-") for d in drawings):
            problems.append(f"{path.name}: belongs to no drawing")
    return problems or ([] if len(drawings) > 5 else [f"only {len(drawings)} drawings"])


class Page:
    """A report that is open."""

    def __init__(self, browser, path):
        self.browser = browser
        browser.media()
        browser.open("file://" + str(path))

    def center(self, selector, index=0):
        """Of an element, after it was brought into view."""
        return self.browser.run(f"""(() => {{
            const e = document.querySelectorAll({selector!r})[{index}];
            if (!e) return null;
            e.scrollIntoView({{block: "center"}});
            const b = e.getBoundingClientRect();
            return [b.x + b.width / 2, b.y + b.height / 2, b.width, b.height];
        }})()""")

    def tip(self):
        return self.browser.run('(() => { const t = document.querySelector(".tip"); return t.hidden ? "" : t.textContent; })()')

    def ticks(self, chart):
        return self.browser.run(f"""[...document.querySelector({chart!r}).querySelectorAll(".axes text")].map((t) => t.textContent).join()""")


def check_content(page, figures, texts):
    problems = page.browser.problems()
    count = page.browser.run('document.querySelectorAll("figure").length')
    if count < figures:
        problems.append(f"{count} figures instead of {figures} or more")
    empty = page.browser.run("""[...document.querySelectorAll("svg.chart")].filter((s) => !s.querySelector("text") ||
        s.getBoundingClientRect().width < 50).length""")
    if empty:
        problems.append(f"{empty} charts are empty")
    unnamed = page.browser.run('document.querySelectorAll("svg.chart:not([aria-label]), svg.chart:not([role=img])").length')
    if unnamed:
        problems.append(f"{unnamed} charts have no name for a screen reader")
    without = page.browser.run("""[...document.querySelectorAll("figure")].filter((f) => !f.querySelector("details td")).length""")
    if without:
        problems.append(f"{without} figures have no table")
    text = page.browser.run("document.body.innerText")
    problems += [f'no "{t}" on the page' for t in texts if t not in text]
    twice = page.browser.run("""(() => { const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
        return ids.filter((id, i) => ids.indexOf(id) !== i).join(); })()""")
    if twice:
        problems.append("ids that are there twice: " + twice)
    return problems


def check_hover(page, mark):
    at = page.center(mark)
    if not at:
        return [f"there is no {mark}"]
    page.browser.mouse("mouseMoved", at[0], at[1])
    page.browser.settle()
    shown = page.tip()
    problems = [] if re.search(r"\d\.\d", shown) else [f'pointing at {mark} says "{shown}"']
    page.browser.mouse("mouseMoved", 5, 5)
    page.browser.settle()
    if page.tip():
        problems.append("what was said stays when nothing is pointed at")
    return problems + page.browser.problems()


def check_click(page):
    closed = page.browser.run('document.querySelector("figure details").open')
    x, y, _, _ = page.center("figure details summary")
    page.browser.click(x, y)
    opened = page.browser.run('document.querySelector("figure details").open')
    height = page.browser.run('document.querySelector("figure details table").getBoundingClientRect().height')
    return ([] if not closed and opened and height > 20 else [f"the table does not open: {closed}, {opened}, {height}"]) + \
        page.browser.problems()


def check_zoom(page, chart):
    problems = []
    before = page.ticks(chart)
    x, y, width, height = page.center(chart)
    page.browser.drag(x - width / 8, y - height / 8, x + width / 8, y + height / 8)
    after = page.ticks(chart)
    if before == after:
        problems.append(f"axes stay as they are: {before}")
    if page.browser.run(f'document.querySelector({chart!r}).outerHTML.includes("NaN")'):
        problems.append("a place is not a number")
    button = page.center(".reset")
    if not button:
        return problems + ["there is no way back"]
    page.browser.click(button[0], button[1])
    if page.ticks(chart) != before:
        problems.append(f"the way back leads to {page.ticks(chart)} instead of {before}")
    return problems + page.browser.problems()


def check_keys(page, chart):
    page.browser.mouse("mouseMoved", 5, 5)
    page.browser.run(f"document.querySelector({chart!r}).focus()")
    page.browser.settle()
    page.browser.key("ArrowRight")
    first = page.tip()
    page.browser.key("ArrowRight")
    second = page.tip()
    spoken = page.browser.run('document.querySelector("[aria-live]").textContent')
    page.browser.key("+")
    zoomed = page.browser.run('document.querySelectorAll(".reset").length')
    page.browser.key("Escape")
    left = page.browser.run('document.querySelectorAll(".reset").length')
    good = first and second and first != second and spoken == second and zoomed == 1 and left == 0 and not page.tip()
    return ([] if good else [f'"{first}", "{second}", spoken "{spoken}", {zoomed} and {left} zoomed, "{page.tip()}"']) + \
        page.browser.problems()


def check_looks(page):
    """Dark is dark, paper is white, and nothing is wider than a narrow window."""
    def color(script='getComputedStyle(document.body).backgroundColor'):
        return sum(map(int, re.findall(r"\d+", page.browser.run(script))[:3]))
    problems = []
    light = color()
    page.browser.media(dark=True)
    dark, line = color(), color('getComputedStyle(document.querySelector("svg.chart text")).fill')
    page.browser.media("print", dark=True)
    paper, ink = color(), color('getComputedStyle(document.querySelector("svg.chart text")).fill')
    page.browser.media()
    if not (light > 600 and dark < 200 and line > 300 and paper == 765 and ink < 400):
        problems.append(f"brightness: {light} light, {dark} dark with lines {line}, {paper} printed with ink {ink}")
    for width in (360, 1200):
        page.browser.send("Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1,
                                                                "mobile": False})
        page.browser.settle()
        wide = page.browser.run("document.documentElement.scrollWidth")
        if wide > width:
            problems.append(f"a window of {width} has a page of {wide}")
    page.browser.send("Emulation.clearDeviceMetricsOverride")
    return problems + page.browser.problems()


def check_evil(page):
    problems = page.browser.problems()
    if page.browser.run("document.title") == "1" or page.browser.run('document.querySelectorAll("img[onerror]").length'):
        problems.append("a label became markup")
    if EVIL not in page.browser.run("document.body.textContent"):
        problems.append("a label is not there as it is")
    return problems


def check_released(path):
    text = path.read_text()
    forbidden = ["AUROC", "auroc", "sensitivity", "img ", "cardiomegaly ", "/runs/", "private/report", "figure-roc"]
    config = text.split("config.yaml</summary>")[0]
    problems = [f'"{word}" is in the released report' for word in forbidden if word in config]
    return problems + ([] if "8.00" in text else ["the released report has no epsilon"])


def main():
    chromium = find_chromium()
    if not chromium:
        print("1..0 # SKIP chromium is not installed")
        return
    keep = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory() as temporary:
        place = keep or Path(temporary)
        place.mkdir(exist_ok=True)
        runs = make_runs(sys.argv[1], place)
        browser = Browser(chromium)
        try:
            tests(sys.argv[1], runs, browser)
        finally:
            browser.close()
    print(f"1..{numbers['done']}")
    sys.exit(numbers["failed"] > 0)


def skip(name, why):
    numbers["done"] += 1
    print(f"ok {numbers['done']} - {name} # SKIP {why}")


def check_experiments(dpcxr, runs, browser):
    """The experiments that people begin with, cut short."""
    source = Path(os.environ.get("DPCXR_SOURCE", Path(__file__).parents[2]))
    run(dpcxr, "run", source / "configs" / "quickstart.yaml", "train.steps=4", "data.image.size=32", "device.type=cpu", "--quiet",
        "--out", runs)
    result("the report of the quickstart", check_content(Page(browser, runs / "quickstart" / "private" / "report.html"), 10,
                                                         ["8 labels", "sex x age", "rightly called positive"]))
    data = Path(os.environ.get("DPCXR_SHARED", source.parent / "shared")) / "data"
    name = "the report of a run on real radiographs"
    if not (data / "cxr-real" / "metadata.csv").exists():
        skip(name, f"{data}/cxr-real is not there")
        return
    os.environ["DPCXR_DATA"] = str(data)
    run(dpcxr, "run", source / "configs" / "cxr-real-nih.yaml", "train.steps=6", "device.type=cpu", "--quiet", "--out", runs)
    page = Page(browser, runs / "cxr-real-nih" / "private" / "report.html")
    result(name, check_content(page, 11, ["not in the filter", "138 images of 103 patients", "Underdiagnosis rate by group",
                                          "too small", "nih14/"]) + check_hover(page, "#figure-groups-auroc .mark"))


def tests(dpcxr, runs, browser):
    report = runs / "small" / "private" / "report.html"
    result("figures of a run as files", check_files(report.parent / "figures"))
    page = Page(browser, report)
    result("the report of a run", check_content(page, 10, ["RESULT auroc=", "What is guaranteed", "cardiomegaly", "Epsilon",
                                                           "rightly called", "train", "too small"]))
    result("pointing at an interval", check_hover(page, "#figure-auroc .mark"))
    result("pointing at a working point", check_hover(page, "#figure-roc .mark.spot"))
    result("pointing at a count", check_hover(page, "#figure-confusion .mark"))
    result("opening the numbers of a figure", check_click(page))
    result("a closer look, and back", check_zoom(page, "#figure-roc svg.chart"))
    result("a closer look at logarithms", check_zoom(page, "#figure-epsilon-delta svg.chart"))
    result("keys", check_keys(page, "#figure-roc svg.chart"))
    result("dark, printed, narrow", check_looks(page))
    result("a run without a claim", check_content(Page(browser, runs / "open" / "private" / "report.html"), 7,
                                                  ["no privacy claim", "epsilon=none"]))
    comparison = runs / "comparison"
    result("figures of a comparison as files", check_files(comparison / "figures"))
    page = Page(browser, comparison / "comparison.html")
    result("a comparison", check_content(page, 5, ["baseline", "small", "tight", "open", "p (Holm)", "p (not inferior)"]))
    result("pointing at a run", check_hover(page, "#figure-auroc-epsilon .mark"))
    result("a closer look at a comparison", check_zoom(page, "#figure-auroc-epsilon svg.chart"))
    released = runs / "small" / "release" / "report.html"
    result("a released report has what is covered, and no more", check_released(released))
    result("a released report", check_content(Page(browser, released), 2, ["What is covered, and what is not"]))
    result("names that are markup", check_evil(Page(browser, make_evil(dpcxr, runs))))
    check_experiments(dpcxr, runs, browser)


main()
