#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reference values of optimizers and schedules from PyTorch 1.13.0 (Debian 12: python3-torch), all in float32.

optimizers.safetensors: "start" [60], "gradients" [20, 60], and for every case the weights after each of 20 steps,
[20, 60]; the tensor's name is "TYPE OPTIONS", OPTIONS as in an experiment file. The learning rate of a case is constant,
but for those whose name starts with "scheduled": there it is multiplied by 1 - step / 40.
schedules.safetensors: learning-rate factors [steps] in float64, named likewise."""
import json
import os
import sys

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import safetensors_io  # noqa: E402

STEPS, SIZE = 20, 60
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "nadam": torch.optim.NAdam}
CASES = [
    ("sgd", dict(lr=0.1)),
    ("sgd", dict(lr=0.05, momentum=0.9)),
    ("sgd", dict(lr=0.05, momentum=0.9, weight_decay=0.01, dampening=0.5)),
    ("sgd", dict(lr=0.02, momentum=0.8, nesterov=True, weight_decay=0.1)),
    ("scheduled sgd", dict(lr=0.05, momentum=0.9)),
    ("adam", dict(lr=0.001)),
    ("adam", dict(lr=0.01, betas=[0.5, 0.9], eps=0.001, weight_decay=0.1)),
    ("adamw", dict(lr=0.001)),
    ("adamw", dict(lr=0.01, betas=[0.8, 0.99], eps=1e-06, weight_decay=0.2)),
    ("scheduled adamw", dict(lr=0.01, weight_decay=0.2)),
    ("nadam", dict(lr=0.002)),
    ("nadam", dict(lr=0.0005)),
    ("nadam", dict(lr=0.01, betas=[0.7, 0.98], eps=0.0001, weight_decay=0.05, momentum_decay=0.1)),
    ("scheduled nadam", dict(lr=0.01)),
]


def options_text(options):
    """As YAML: what an experiment file would say."""
    return "{" + ", ".join(f"{k}: {json.dumps(v)}" for k, v in options.items()) + "}"


def run(name, options, start, gradients):
    weights = torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = OPTIMIZERS[name.split()[-1]]([weights], **options)
    path = []
    for step in range(STEPS):
        if name.startswith("scheduled"):
            optimizer.param_groups[0]["lr"] = options["lr"] * (1 - step / 40)
        weights.grad = torch.from_numpy(gradients[step].copy())
        optimizer.step()
        path.append(weights.detach().numpy().copy())
    return np.stack(path)


def make_optimizers():
    rng = np.random.default_rng(20)
    start = (0.5 * rng.normal(size=SIZE)).astype(np.float32)
    # sizes from 1e-6 to 0.3, some exact zeros, a trend per weight so that moments build up
    scale = 10.0 ** rng.uniform(-6, -0.5, size=SIZE)
    gradients = ((rng.normal(size=(STEPS, SIZE)) + rng.normal(size=SIZE)) * scale).astype(np.float32)
    gradients[:, :2] = 0
    gradients[::3, 2] = 0
    tensors = {"start": start, "gradients": gradients}
    for name, options in CASES:
        tensors[f"{name} {options_text(options)}"] = run(name, options, start, gradients)
    safetensors_io.write(os.path.join(HERE, "optimizers.safetensors"), tensors, {"torch": torch.__version__})


def factors(build, steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = build(optimizer)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return np.array(values)


def make_schedules():
    s = torch.optim.lr_scheduler

    def warmup(optimizer, n):
        return s.LinearLR(optimizer, start_factor=1 / (n + 1), end_factor=1, total_iters=n)

    def both(n, steps, last):
        return lambda o: s.SequentialLR(
            o, [warmup(o, n), s.CosineAnnealingLR(o, T_max=steps - 1 - n, eta_min=last)], milestones=[n])

    safetensors_io.write(os.path.join(HERE, "schedules.safetensors"), {
        "constant {warmup_steps: 9}": factors(lambda o: warmup(o, 9), 30),
        "cosine {final_factor: 0}": factors(lambda o: s.CosineAnnealingLR(o, T_max=39, eta_min=0), 40),
        "cosine {final_factor: 0.1}": factors(lambda o: s.CosineAnnealingLR(o, T_max=24, eta_min=0.1), 25),
        "cosine {warmup_steps: 5, final_factor: 0.05}": factors(both(5, 40, 0.05), 40),
    }, {"torch": torch.__version__})


make_optimizers()
make_schedules()
