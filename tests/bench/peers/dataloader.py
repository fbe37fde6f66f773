#!/usr/bin/env python3
"""What a user would load images with: a PyTorch DataLoader over PIL, beside `dpcxr bench loader` on the same images.

Both take turns; printed are images per second, medians over the rounds, and their ratios, as JSON.
The DataLoader does what dpcxr does to an image: decode, gray, antialiased bilinear resize, [0, 1]. Its workers are processes
that live on between epochs (persistent_workers), its batches are of 32; the first epoch is not counted. With draft, PIL shrinks
JPEG files while it decodes them, as dpcxr does. Needs Debian's python3-torch and python3-pil; versions are part of the output.
Example, from the project's root:
    /usr/bin/python3 tests/bench/peers/dataloader.py configs/cxr-real-kermany.yaml ../shared/data/cxr-real metadata.csv \\
        --where source=kermany-paediatric"""
import argparse
import csv, json, os, statistics, subprocess, sys, time

import numpy
import PIL
import torch
from PIL import Image


class Images(torch.utils.data.Dataset):
    def __init__(self, paths, size, draft):
        self.paths, self.size, self.draft = paths, size, draft

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        image = Image.open(self.paths[i])
        if self.draft and image.format == "JPEG":
            image.draft("L", (2 * self.size, 2 * self.size))
        image = image.convert("L").resize((self.size, self.size), Image.BILINEAR)
        return torch.from_numpy(numpy.asarray(image, dtype=numpy.float32) / 255).unsqueeze(0)


def epoch(loader, n):
    start, seen = time.perf_counter(), 0
    for batch in loader:
        seen += len(batch)
    assert seen == n
    return n / (time.perf_counter() - start)


def ours(o):
    command = [o.dpcxr, "bench", "loader", o.config, f"data.image.size={o.size}", *o.set, "--workers", str(o.workers), "--epochs",
               "1", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def read_table(o):
    rows = list(csv.DictReader(open(os.path.join(o.root, o.table))))
    for condition in o.where:
        column, value = condition.split("=", 1)
        rows = [row for row in rows if row[column] == value]
    return [os.path.join(o.root, row["path"]) for row in rows]


def main(o):
    paths = read_table(o)
    torch.set_num_threads(1)
    loaders = {f"pil{'_draft' if draft else ''}": torch.utils.data.DataLoader(
        Images(paths, o.size, draft), batch_size=32, num_workers=o.workers, persistent_workers=o.workers > 0)
        for draft in (False, True)}
    for loader in loaders.values():
        epoch(loader, len(paths))
    theirs, runs = {name: [] for name in loaders}, []
    for _ in range(o.rounds):
        for name, loader in loaders.items():
            theirs[name].append(epoch(loader, len(paths)))
        runs.append(ours(o))
    assert all(run["images"] == len(paths) for run in runs), "CONFIG and the table are not about the same images"
    rates = {name: statistics.median(values) for name, values in theirs.items()}
    for source in "decoded", "decoded_whole", "shards", "memory":
        rates[f"dpcxr_{source}"] = statistics.median(run[f"{source}_images_per_s"] for run in runs)
    print(json.dumps({"images": len(paths), "size": o.size, "workers": o.workers, "torch": torch.__version__,
                      "pillow": PIL.__version__, "images_per_s": {name: round(rate, 1) for name, rate in rates.items()},
                      "ratio_to_pil": {name: round(rate / rates["pil"], 2) for name, rate in rates.items()}}, indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", help="an experiment of dpcxr on the images of the table")
    parser.add_argument("root", help="the folder that paths of the table begin in")
    parser.add_argument("table", help="a CSV file in it with a column `path`")
    parser.add_argument("--where", metavar="COLUMN=VALUE", action="append", default=[], help="rows of the table to take")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="for the experiment")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dpcxr", default="build/dpcxr", help="the program (default build/dpcxr)")
    main(parser.parse_args())
