#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Peak memory of private training over physical and logical batch sizes, and speed over threads, in Markdown.

    tests/bench/memory.py [--size S] [--part memory|scaling] [--quick]

Each memory figure is a process of its own that takes two private steps and nothing else (dpcxr bench step --memory-only).
"""
import argparse
import json
import os
import statistics
import subprocess

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def bench(arguments, **options):
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    command = [arguments.dpcxr, "bench", "step", "--size", str(arguments.size), *words, "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def memory(arguments, threads, precision, batch, logical):
    command = [arguments.dpcxr, "bench", "step", "--size", str(arguments.size), "--threads", str(threads), "--precision",
               precision, "--batch", str(batch), "--logical", str(logical), "--memory-only", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return f"{json.loads(done.stdout)['peak_memory_mb']:.0f}"


def sweep(arguments, title, pairs):
    print(f"Peak memory in MB, {arguments.size} px, {title}.\n")
    head = [f"{batch} of {logical}" for batch, logical in pairs]
    print("| physical of logical | " + " | ".join(head) + " |\n" + "|---" * (len(pairs) + 1) + "|")
    for threads in (1, 2):
        for precision in ("fp32", "bf16"):
            cells = [memory(arguments, threads, precision, *pair) for pair in pairs]
            print(f"| {precision}, {threads} thread{'s' * (threads > 1)} | " + " | ".join(cells) + " |", flush=True)
    print()


def scaling(arguments):
    """One thread and two in turn: ratios of neighbours, because speed drifts."""
    print(f"Images a second on one thread and on two, {arguments.size} px, 16 images at once.\n")
    print("| precision | one | two | times as fast |\n|---|---|---|---|")
    for precision in ("fp32", "bf16"):
        pairs = [[bench(arguments, batch=16, threads=threads, precision=precision, repeats=5)["private_images_per_s"]
                  for threads in (1, 2)] for _ in range(1 if arguments.quick else 3)]
        one, two = (statistics.median(values) for values in zip(*pairs))
        print(f"| {precision} | {one:.1f} | {two:.1f} | {statistics.median(b / a for a, b in pairs):.2f} |")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dpcxr", default=os.path.join(SOURCE, "build", "dpcxr"))
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--quick", action="store_true", help="fewer sizes")
    parser.add_argument("--part", choices=("memory", "scaling"), help="one of the two only")
    arguments = parser.parse_args()
    physical = (1, 64) if arguments.quick else (1, 2, 4, 8, 16, 32, 64)
    logical = (64, 256) if arguments.quick else (64, 256, 1024, 4096)
    if arguments.part != "scaling":
        sweep(arguments, "64 images a step", [(batch, 64) for batch in physical])
        sweep(arguments, "16 images at once", [(16, images) for images in logical])
    if arguments.part != "memory":
        scaling(arguments)


if __name__ == "__main__":
    main()
