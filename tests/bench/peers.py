#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dpcxr bench step beside its peers, PyTorch and Opacus, alternating in several rounds; prints tables in Markdown.

    tests/bench/peers.py [--opacus FOLDER] [--rounds N] [--steps N] [--minutes M] [--quick]

Peers are looked for and never installed: a Python with torch (--python), Opacus 1.3's checkout (--opacus, or on
PYTHONPATH), and the folder of opacus_bench.py (--peers, ../shared/peers by default). What is missing is said, and its
columns are empty. Opacus is run twice: as users run it, and with glibc's malloc told to keep its memory, because by
default it gives every large array back to the system and takes page faults for the next one.
Every figure is the median over the rounds; ratios are medians of the rounds' own ratios, because speed drifts. Peak
memory is that of a fresh process for each figure. After --minutes nothing new is begun: what is there is printed.
"""
import argparse
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIZES = ((64, 64), (128, 16), (224, 16), (512, 8))
TUNED = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}
ARITHMETIC = ("fp32", "bf16")


def output(command, env=None):
    """Standard output, or None with the last line of what went wrong on standard error."""
    done = subprocess.run(command, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stdout
    print(f"{' '.join(command)}: {(done.stderr.strip() or 'failed').splitlines()[-1]}", file=sys.stderr)
    return None


class Peers:
    """What is installed of them, and one run of one of them."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.script = os.path.join(arguments.peers, "opacus_bench.py")
        path = [arguments.peers, arguments.opacus, os.environ.get("PYTHONPATH")]
        self.env = {"PYTHONPATH": os.pathsep.join(p for p in path if p)}
        self.missing = {mode: self.why_missing(mode) for mode in ("plain", "opacus")}

    def why_missing(self, mode):
        if not os.path.exists(self.script):
            return f"no {self.script}"
        module = "torch" if mode == "plain" else "torch, opacus"
        done = output([self.arguments.python, "-W", "ignore", "-c", f"import {module}"], self.env)
        return None if done is not None else f"{self.arguments.python} cannot import {module}"

    def run(self, mode, size, batch, tuned):
        if self.missing[mode]:
            return None
        command = [self.arguments.python, self.script, mode, str(size), str(batch), str(self.arguments.steps),
                   str(self.arguments.threads)]
        text = output(command, {**self.env, **(TUNED if tuned else {})})
        match = re.search(r"img/s=([0-9.]+).*peakMB=([0-9.]+)", text or "")
        return (float(match[1]), float(match[2])) if match else None


def ours(arguments, size, batch, precision):
    text = output([arguments.dpcxr, "bench", "step", "--size", str(size), "--batch", str(batch), "--repeats",
                   str(arguments.steps), "--threads", str(arguments.threads), "--precision", precision, "--json"])
    return json.loads(text) if text else None


def one_round(arguments, peers, size, batch, deadline):
    """One figure of each, one after the other; None for those that there is no time for."""
    contestants = {precision: lambda precision=precision: ours(arguments, size, batch, precision)
                   for precision in ARITHMETIC}
    for mode in ("plain", "opacus"):
        for tuned in (False, True):
            name = f"{mode} tuned" if tuned else mode
            contestants[name] = lambda mode=mode, tuned=tuned: peers.run(mode, size, batch, tuned)
    figures = {}
    for name, measure in contestants.items():
        figures[name] = measure() if time.monotonic() < deadline else None
        print(f"{size}, {batch}: {name}: {median([rate(figures[name])], '{:.1f} images/s')}", file=sys.stderr, flush=True)
    return figures


def median(values, form):
    """Of those that are there."""
    there = [value for value in values if value is not None]
    return form.format(statistics.median(there)) if there else "-"


def rate(figure, precision_key="private_images_per_s"):
    if figure is None:
        return None
    return figure[precision_key] if isinstance(figure, dict) else figure[0]


def memory(figure):
    if figure is None:
        return None
    return figure["peak_memory_mb"] if isinstance(figure, dict) else figure[1]


def ratio(a, b):
    return a / b if a and b else None


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def speed_rows(results):
    for (size, batch), rounds in results.items():
        cells = [f"{size}, {batch}"]
        for name in ("plain", "plain tuned", "opacus", "opacus tuned"):
            cells.append(median([rate(r[name]) for r in rounds], "{:.1f}"))
        for precision in ARITHMETIC:
            cells.append(median([rate(r[precision]) for r in rounds], "{:.1f}"))
        yield cells


def ratio_rows(results):
    for (size, batch), rounds in results.items():
        cells = [f"{size}, {batch}"]
        for precision in ARITHMETIC:
            for peer in ("opacus", "opacus tuned", "plain tuned"):
                cells.append(median([ratio(rate(r[precision]), rate(r[peer])) for r in rounds], "{:.1f}"))
        for precision in ARITHMETIC:
            cells.append(median([ratio(rate(r[precision]), rate(r[precision], "nonprivate_images_per_s")) for r in rounds],
                                "{:.2f}"))
        for precision in ARITHMETIC:
            cells.append(median([rate(r[precision], "sgemm_fraction") for r in rounds], "{:.2f}"))
        yield cells


def memory_rows(results):
    for (size, batch), rounds in results.items():
        cells = [f"{size}, {batch}"]
        for name in ("plain", "opacus", "opacus tuned", "fp32", "bf16"):
            cells.append(median([memory(r[name]) for r in rounds], "{:.0f}"))
        for precision in ARITHMETIC:
            cells.append(median([ratio(memory(r["opacus"]), memory(r[precision])) for r in rounds], "{:.1f}"))
        yield cells


def profile_rows(results):
    for (size, batch), rounds in results.items():
        for precision in ARITHMETIC:
            profiles = [r[precision]["profile"] for r in rounds if r[precision]]
            if profiles:
                yield [f"{size}, {batch}", precision] + [median([p[phase]["percent"] for p in profiles], "{:.1f}")
                                                         for phase in profiles[0]]


def setting(arguments, results):
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "unknown processor")
    commit = (output(["git", "-C", SOURCE, "describe", "--always", "--dirty"]) or "no commit").strip()
    figures = [r["fp32"] for rounds in results.values() for r in rounds if r["fp32"]]
    print(f"{datetime.date.today()}, {model}, {arguments.threads} threads, commit {commit}, {arguments.rounds} rounds of "
          f"{arguments.steps} steps.", end=" ")
    if figures:
        isa = figures[0]["isa"]
        print(f"Own loops {isa['kernels']}, oneDNN {isa['onednn']}, OpenBLAS as {isa['openblas']}; sgemm: OpenBLAS "
              f"{median([f['openblas_sgemm_gflops'] for f in figures], '{:.0f}')}, oneDNN "
              f"{median([f['onednn_sgemm_gflops'] for f in figures], '{:.0f}')} GFLOP/s.", end="")
    print("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dpcxr", default=os.path.join(SOURCE, "build", "dpcxr"))
    parser.add_argument("--python", default="/usr/bin/python3", help="with torch")
    parser.add_argument("--peers", default=os.path.join(SOURCE, "..", "shared", "peers"), help="folder of opacus_bench.py")
    parser.add_argument("--opacus", help="checkout of Opacus 1.3")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--quick", action="store_true", help="the smallest size only, one round")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds = 1
    peers = Peers(arguments)
    for mode, why in peers.missing.items():
        if why:
            print(f"{mode}: not run, {why}\n")
    results = {pair: [] for pair in SIZES[:1 if arguments.quick else None]}
    deadline = time.monotonic() + 60 * arguments.minutes
    for _ in range(arguments.rounds):
        for size, batch in results:
            results[size, batch].append(one_round(arguments, peers, size, batch, deadline))
    setting(arguments, results)
    print("Images a second. \"tuned\": glibc's malloc keeps its memory.\n")
    table(["size, batch", "PyTorch, not private", "the same, malloc tuned", "Opacus", "Opacus, malloc tuned",
           "dpcxr, private", "dpcxr, private, bf16"], speed_rows(results))
    print("How many times as fast: private dpcxr over its peers and over itself without privacy; its arithmetic over "
          "the faster f32 sgemm's.\n")
    table(["size, batch", "over Opacus", "over Opacus tuned", "over PyTorch tuned, not private", "bf16 over Opacus",
           "bf16 over Opacus tuned", "bf16 over PyTorch tuned, not private", "over not private", "bf16 over not private",
           "of sgemm", "bf16 of sgemm"], ratio_rows(results))
    print("Peak memory in MB.\n")
    table(["size, batch", "PyTorch, not private", "Opacus", "Opacus, malloc tuned", "dpcxr", "dpcxr, bf16", "Opacus / dpcxr",
           "Opacus / dpcxr bf16"], memory_rows(results))
    print("Where the time of a private step goes, in percent.\n")
    table(["size, batch", "precision", "phase A", "clipping", "phase B", "noise", "update", "packing"], profile_rows(results))


if __name__ == "__main__":
    main()
