#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""events.py DPCXR: a run's TensorBoard files, read by protobuf's own decoder and crcmod's CRC-32C, as TAP. Field
numbers are those of TensorBoard's event.proto, summary.proto, tensor.proto and pr_curve/plugin_data.proto; purging at
a restart is as its event_accumulator does it. Exit status 77 where python3-protobuf or python3-crcmod is missing.
"""
import csv
import json
import math
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import time

try:
    import crcmod.predefined
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
except ImportError as missing:
    print(f"1..0 # SKIP {missing}")
    sys.exit(77)

# message: {field: (number, type, repeated)}; a type in capitals is a message
MESSAGES = {
    "Event": {"wall_time": (1, "double"), "step": (2, "int64"), "file_version": (3, "string"),
              "summary": (5, "Summary"), "session_log": (7, "SessionLog")},
    "SessionLog": {"status": (1, "int32")},
    "Summary": {"value": (1, "Value", True)},
    "Value": {"tag": (1, "string"), "simple_value": (2, "float"), "tensor": (8, "TensorProto"),
              "metadata": (9, "SummaryMetadata")},
    "SummaryMetadata": {"plugin_data": (1, "PluginData"), "display_name": (2, "string"),
                        "data_class": (4, "int32")},
    "PluginData": {"plugin_name": (1, "string"), "content": (2, "bytes")},
    "PrCurvePluginData": {"version": (1, "int32"), "num_thresholds": (2, "uint32")},
    "TensorProto": {"dtype": (1, "int32"), "tensor_shape": (2, "TensorShapeProto"),
                    "tensor_content": (4, "bytes")},
    "TensorShapeProto": {"dim": (2, "Dim", True)},
    "Dim": {"size": (1, "int64")},
}
SMALL = """name: t
data: {type: phantom, labels: [cardiomegaly, congestion], patients: 200, size: 32, image: {size: 16}}
train: {steps: 6, batch: {logical: 12}, checkpoint: {every_minutes: 0}}
privacy: {epsilon: 8, delta: 1e-3, noise: {source: seeded}}
device: {type: cpu, threads: 1}
"""
crc32c = crcmod.predefined.mkCrcFun("crc-32c")


def classes():
    """The messages as classes of the protobuf library."""
    file = descriptor_pb2.FileDescriptorProto(name="events.proto", package="t", syntax="proto3")
    field_type = descriptor_pb2.FieldDescriptorProto
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, *repeated) in fields.items():
            row = message.field.add(name=field, number=number, label=3 if repeated else 1)
            if kind in MESSAGES:
                row.type, row.type_name = field_type.TYPE_MESSAGE, ".t." + kind
            else:
                row.type = getattr(field_type, "TYPE_" + kind.upper())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName("t." + name)) for name in MESSAGES}


TYPES = classes()


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def read_events(path):
    """All events of a file, up to a record that a kill cut; ValueError where a sum does not hold or a field is not
    known."""
    data, at, events = path.read_bytes(), 0, []
    while at + 16 <= len(data):
        length, crc = struct.unpack_from("<QI", data, at)
        record = data[at + 12 : at + 12 + length]
        if at + 16 + length > len(data):
            break
        record_crc = struct.unpack_from("<I", data, at + 12 + length)[0]
        if masked(data[at : at + 8]) != crc or record_crc != masked(record):
            raise ValueError(f"{path}: the sums of the record at {at} do not hold")
        event = TYPES["Event"].FromString(record)
        whole = event.ByteSize()
        event.DiscardUnknownFields()
        if event.ByteSize() != whole:
            raise ValueError(f"{path}: fields that are not TensorBoard's at {at}")
        events.append(event)
        at += 16 + length
    return events


def scalars(events):
    """(step, name) -> value, after restarts took away what is done again; ValueError where a step is there
    twice."""
    found = {}
    for event in events:
        if event.session_log.status == 1:
            found = {key: value for key, value in found.items() if key[0] < event.step}
        for value in event.summary.value:
            if (event.step, value.tag) in found:
                raise ValueError(f"{value.tag} of step {event.step} is there twice")
            if not value.HasField("tensor"):
                found[event.step, value.tag] = value.simple_value
    return found


def metrics(run):
    """The same of metrics.jsonl, where the later line of a step counts."""
    found = {}
    for line in (run / "private/metrics.jsonl").read_text().splitlines():
        if not line.endswith("}"):
            continue  # cut by a kill
        row = json.loads(line)
        value = math.nan if row["value"] is None else row["value"]
        found[row["step"], row["name"]] = struct.unpack("<f", struct.pack("<f", value))[0]
    return found


def same(a, b):
    if a.keys() != b.keys():
        return False
    return all(math.isclose(a[key], b[key], rel_tol=1e-6) or math.isnan(a[key]) and math.isnan(b[key]) for key in a)


def curve(path, label, thresholds):
    """Rows of the plugin, from predictions-SPLIT.csv; None where a class is missing."""
    with open(path, newline="", encoding="utf-8") as file:
        known = [row for row in csv.DictReader(file) if row["y_" + label]]
    rows = [(row["y_" + label] == "1", float(row["p_" + label])) for row in known]
    columns = []
    for i in range(thresholds):
        called = [truth for truth, score in rows if math.floor(score * (thresholds - 1)) >= i]
        tp, positives = sum(called), sum(truth for truth, _ in rows)
        fp = len(called) - tp
        rates = tp / max(1, tp + fp), tp / max(1, positives)
        columns.append((tp, fp, len(rows) - positives - fp, positives - tp, *rates))
    return list(zip(*columns)) if 0 < columns[0][0] < len(rows) else None


class Tap:
    def __init__(self):
        self.number, self.failed = 0, False

    def check(self, good, name):
        self.number += 1
        self.failed |= not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}", flush=True)

    def skip(self, name, why):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {why}")


def check_curves(tap, run, events):
    values = [value for event in events for value in event.summary.value]
    found = {value.tag: value for value in values if value.HasField("tensor")}
    for split in ("valid", "test"):
        for label in ("cardiomegaly", "congestion"):
            value = found.pop(f"{split}/{label}", None)
            wanted = curve(run / f"private/predictions-{split}.csv", label, 201)
            if wanted is None or value is None:
                tap.check(wanted is None and value is None, f"no curve {split}/{label}")
                continue
            numbers = struct.unpack("<1206f", value.tensor.tensor_content)
            flat = [number for row in wanted for number in row]
            plugin = value.metadata.plugin_data
            tap.check(plugin.plugin_name == "pr_curves" and value.tensor.dtype == 1 and
                      [dim.size for dim in value.tensor.tensor_shape.dim] == [6, 201] and
                      TYPES["PrCurvePluginData"].FromString(plugin.content).num_thresholds == 201 and
                      all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(numbers, flat)),
                      f"the curve {split}/{label} is that of its predictions")
    tap.check(not found, "no other curves")


def check_run(tap, dpcxr, folder):
    subprocess.run([dpcxr, "run", "small.yaml", "--quiet", "--out", "runs"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    run = folder / "runs/t"
    files = sorted((run / "private").glob("*tfevents*"))
    tap.check(len(files) == 1 and files[0].stat().st_mode & 0o777 == 0o600, "one file, private")
    events = read_events(files[0])
    tap.check(events[0].file_version == "brain.Event:2", "begins with its version")
    tap.check(all(abs(event.wall_time - time.time()) < 3600 for event in events), "wall times")
    tap.check(len(metrics(run)) > 18 and same(scalars(events), metrics(run)), "the scalars of metrics.jsonl")
    check_curves(tap, run, events)


def size(folder):
    return sum(file.stat().st_size for file in folder.glob("*tfevents*"))


def check_resume(tap, dpcxr, folder):
    """Killed after steps that no checkpoint has: they are done again."""
    command = [dpcxr, "run", "small.yaml", "--quiet", "--out", "runs", "name=r", "train.steps=200",
               "train.checkpoint.every_minutes=60"]
    run = folder / "runs/r"
    name = "a resumed run has a second file, and each step once"
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and size(run / "private") < 4096: # a full buffer
            time.sleep(0.005)
        process.kill()
    first = min((run / "private").glob("*tfevents*"))
    if process.returncode != -signal.SIGKILL or len(read_events(first)) < 3:
        tap.skip(name, "the run was not killed between its steps")
        return
    subprocess.run(command + ["--resume"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    files = sorted((run / "private").glob("*tfevents*"))
    events = [event for file in files for event in read_events(file)]
    found = scalars(events)
    steps = [step for step, tag in found if tag == "train_loss"]  # fewer than planned: the lost ones were charged
    each_once = steps == list(range(1, max(steps) + 1))
    tap.check(len(files) == 2 and each_once and same(found, metrics(run)), name)


def main():
    tap = Tap()
    dpcxr = os.path.realpath(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "small.yaml").write_text(SMALL)
        check_run(tap, dpcxr, folder)
        check_resume(tap, dpcxr, folder)
    print(f"1..{tap.number}")
    sys.exit(tap.failed)


main()
