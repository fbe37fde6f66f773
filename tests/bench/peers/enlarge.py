#!/usr/bin/env python3
"""Large radiographs, for measuring how they are decoded: images of a table, enlarged and written as JPEG, with a table of
their own. usage: enlarge.py ROOT TABLE FOLDER SIDE COUNT [COLUMN=VALUE]...
The table FOLDER/metadata.csv has the columns of TABLE; the files have SIDE pixels a side and quality 90. Needs python3-pil."""
import csv, os, sys

from PIL import Image


def main(root, table, folder, side, count, *conditions):
    rows = list(csv.DictReader(open(os.path.join(root, table))))
    for condition in conditions:
        column, value = condition.split("=", 1)
        rows = [row for row in rows if row[column] == value]
    rows = rows[:: max(len(rows) // int(count), 1)][: int(count)]
    os.makedirs(folder, exist_ok=True)
    for i, row in enumerate(rows):
        image = Image.open(os.path.join(root, row["path"])).convert("L").resize((int(side), int(side)), Image.BICUBIC)
        row["path"] = f"{i:05d}.jpg"
        image.save(os.path.join(folder, row["path"]), quality=90)
    with open(os.path.join(folder, "metadata.csv"), "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
