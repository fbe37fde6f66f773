# SPDX-License-Identifier: MIT
"""safetensors in Python, from the format's description (struct, json, numpy; Debian 12 does not package the library).
An implementation of its own: what it writes tests dpcxr's reader, and it reads what dpcxr writes."""
import json
import struct

import numpy as np

DTYPES = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "I64": "<i8", "U8": "u1", "BF16": "<u2"}
NAMES = {np.dtype(t): n for n, t in DTYPES.items() if n != "BF16"}


def to_bf16(x):
    """The high half of each float32, rounded to nearest even, as uint16."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def write(path, tensors, metadata=None, bf16=()):
    """tensors: {name: array}; names in bf16 hold uint16 bits of bfloat16 values."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, array in tensors.items():
        array = np.asarray(array)
        raw = array.tobytes()
        header[name] = {"dtype": "BF16" if name in bf16 else NAMES[array.dtype], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    """Returns ({name: array}, metadata); bfloat16 comes back as float32."""
    content = open(path, "rb").read()
    (n,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8:8 + n])
    metadata = header.pop("__metadata__", {})
    tensors, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda e: e[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        assert begin == end, f"{name}: hole or overlap"
        end = stop
        raw = np.frombuffer(content[8 + n + begin:8 + n + stop], DTYPES[entry["dtype"]])
        if entry["dtype"] == "BF16":
            raw = (raw.astype(np.uint32) << 16).view(np.float32)
        tensors[name] = raw.reshape(entry["shape"])
    assert 8 + n + end == len(content), "bytes at the end"
    return tensors, metadata
