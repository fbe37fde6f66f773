#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One step of DP-SGD without noise, as PyTorch computes it in float64: see README.md for what the files hold.
Made with PyTorch 1.13.0, torchvision 0.14.1, numpy 1.24.2 (Debian 12: python3-torch, python3-torchvision)."""
import os
import sys

import numpy as np
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import safetensors_io  # noqa: E402

PATIENTS = [0, 1, 1, 2, 2, 2]  # of each image
LABELS, SAMPLES = 3, 256


def mix(x):
    """splitmix64's finaliser on uint64 arrays."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def formula(tensor, n):
    """n floats in [-0.5, 0.5), exact in float32 and in C: bits 40..63 of splitmix64 over 2^24, minus one half."""
    with np.errstate(over="ignore"):
        index = np.uint64(tensor) * np.uint64(1 << 32) + np.arange(1, n + 1, dtype=np.uint64)
        bits = mix(index * np.uint64(0x9E3779B97F4A7C15))
    return ((bits >> np.uint64(40)).astype(np.float64) / 2**24 - 0.5).astype(np.float32)


def build(channels, widths, groups):
    """torchvision's ResNet with one block a stage, GroupNorm and Mish; widths of the stem and of the four stages."""
    net = ResNet(BasicBlock, [1, 1, 1, 1])
    net.conv1 = nn.Conv2d(channels, widths[0], 7, 2, 3, bias=False)
    net.bn1, net.relu, net.avgpool = nn.GroupNorm(groups, widths[0]), nn.Mish(), nn.AdaptiveAvgPool2d(1)
    before = widths[0]
    for i, width in enumerate(widths[1:], 1):
        stride = 1 if i == 1 else 2
        down = None
        if stride != 1:
            down = nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.GroupNorm(groups, width))
        block = BasicBlock(before, width, stride, down, norm_layer=lambda c: nn.GroupNorm(groups, c))
        block.relu = nn.Mish()
        setattr(net, f"layer{i}", nn.Sequential(block))
        before = width
    net.fc = nn.Linear(before, LABELS)
    return net


def set_weights(net):
    """Tensor i (in the order of named_parameters) becomes formula(i) * scale + offset, in float32.
    Returns scales and offsets: about Kaiming's sizes for matrices, 1 +- 1/4 for norm weights, +- 1/2 for biases."""
    scales, offsets = [], []
    with torch.no_grad():
        for i, (name, p) in enumerate(net.named_parameters()):
            scale, offset = 1.0, 0.0
            if p.dim() > 1:
                fan = p.shape[0] * p[0, 0].numel() if p.dim() == 4 else p.shape[1]  # out of a convolution, into fc
                scale = 2.0 ** np.round(np.log2(4 / np.sqrt(fan)))
            elif name.endswith("weight"):
                scale, offset = 0.5, 1.0
            values = formula(i, p.numel()) * np.float32(scale) + np.float32(offset)
            p.copy_(torch.from_numpy(values.reshape(p.shape)))
            scales.append(scale)
            offsets.append(offset)
    return np.array(scales, np.float32), np.array(offsets, np.float32)


def inputs(channels, size):
    n = len(PATIENTS)
    images = formula(1000, n * size * size * channels).reshape(n, size, size, channels) * np.float32(4)
    targets = (formula(1001, n * LABELS) > 0).astype(np.float32).reshape(n, LABELS)
    mask = (formula(1002, n * LABELS) > -0.3).astype(np.float32).reshape(n, LABELS)
    mask[4] = 0  # nothing known of this image: loss 0, gradient 0
    mask[3] = [1, 0, 1]
    return images, targets, mask


def image_gradients(net, images, targets, mask):
    """Per image: loss (mean over known labels), logits, and the gradient of the loss by parameter, all float64."""
    losses, logits, gradients = [], [], []
    for image, target, known in zip(images, targets, mask):
        net.zero_grad()
        x = torch.from_numpy(image).double().permute(2, 0, 1)[None]
        out = net(x)[0]
        each = nn.functional.binary_cross_entropy_with_logits(out, torch.from_numpy(target).double(), reduction="none")
        loss = (each * torch.from_numpy(known).double()).sum() / max(known.sum(), 1)
        loss.backward()
        losses.append(loss.item())
        logits.append(out.detach().numpy())
        gradients.append({k: p.grad.numpy().copy() for k, p in net.named_parameters()})
    return np.array(losses), np.stack(logits), gradients


def step(gradients, units, clip_norm):
    """Norms of unit gradients [parameters, units] and the mean over units of clipped unit gradients, by parameter."""
    names = list(gradients[0])
    mean = [{k: np.mean([gradients[i][k] for i in unit], axis=0) for k in names} for unit in units]
    norms = np.array([[np.linalg.norm(g[k]) for g in mean] for k in names])
    total = np.sqrt((norms**2).sum(axis=0))
    factor = np.minimum(1, clip_norm / np.maximum(total, 1e-300))
    return norms, {k: sum(f * g[k] for f, g in zip(factor, mean)) / len(units) for k in names}, total


def sample_positions(n):
    """Where large tensors are looked at: SAMPLES positions spread over the tensor, all of a small one."""
    return np.arange(n) if n <= SAMPLES else (np.arange(SAMPLES) * 2654435761 % n)


def make(path, channels, widths, groups, size, clip_norm, whole):
    torch.manual_seed(0)
    net = build(channels, widths, groups)
    scales, offsets = set_weights(net)
    net.double()
    images, targets, mask = inputs(channels, size)
    losses, logits, gradients = image_gradients(net, images, targets, mask)
    tensors = {"losses": losses, "logits": logits, "scales": scales, "offsets": offsets}
    if whole:
        tensors.update(images=images, targets=targets, mask=mask)
        tensors.update({f"weight {k}": p.detach().numpy().astype(np.float32) for k, p in net.named_parameters()})
    for kind, owner in (("image", range(len(PATIENTS))), ("patient", PATIENTS)):
        units = [[i for i, o in enumerate(owner) if o == u] for u in sorted(set(owner))]
        norms, moved, total = step(gradients, units, clip_norm)
        print(os.path.basename(path), kind, "unit norms", np.round(total, 3))
        assert (total > clip_norm).any() and ((total > 0) & (total < clip_norm)).any(), "some clipped, some not"
        tensors[f"norms {kind}"] = norms
        tensors[f"coefficients {kind}"] = np.minimum(1, clip_norm / np.maximum(total, 1e-300))
        for (k, p), direction in zip(net.named_parameters(), moved.values()):
            start = p.detach().numpy().astype(np.float32)
            lost = np.linalg.norm((start - direction.astype(np.float32)) - start + direction) / np.linalg.norm(direction)
            assert lost < 3e-5, f"{k}: rounding of the weights alone is {lost:.2g} of the step"
            if whole:
                tensors[f"moved {kind} {k}"] = -direction.astype(np.float32)
            else:
                tensors[f"moved {kind} {k}"] = -direction.ravel()[sample_positions(direction.size)]
                tensors[f"norm {kind} {k}"] = np.array(np.linalg.norm(direction))
    parameters = sum(p.numel() for p in net.parameters())
    shapes = "; ".join(f"{k} {' '.join(map(str, p.shape))}" for k, p in net.named_parameters())
    safetensors_io.write(path, tensors, {
        "torch": torch.__version__, "channels": str(channels), "size": str(size), "groups": str(groups),
        "widths": " ".join(map(str, widths)), "labels": str(LABELS), "clip_norm": repr(clip_norm),
        "patients": " ".join(map(str, PATIENTS)), "parameters": str(parameters), "shapes": shapes})
    print(path, parameters, "parameters,", os.path.getsize(path), "bytes")


if __name__ == "__main__":
    narrow, full = [8, 8, 16, 32, 64], [64, 64, 128, 256, 512]
    for c, clip_norm in ((1, 8.0), (3, 8.0)):
        make(os.path.join(HERE, f"narrow-{c}.safetensors"), c, narrow, 8, 48, clip_norm, True)
    make(os.path.join(HERE, "resnet9-3.safetensors"), 3, full, 32, 64, 28.0, False)
