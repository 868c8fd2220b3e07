"""Writes src/autodiff/fixtures/pytorch-*.json: what PyTorch makes of two networks in twenty AdamW steps.

    /usr/bin/python3 scripts/pytorch-reference.py

Needs PyTorch (Debian: apt-get install python3-torch; made with its 1.13.1). PyTorch computes in float64, so that the
whole difference that the test sees is the float32 rounding of the other side. Weights and batches are not stored: both
sides draw them from the same counter-based generator, so this file also holds src/runs/random.ts to a second
implementation.
"""

import numpy as np
import torch

from reference_training import ROOT, Stream, networks, rounded, write


def images(seed, step, batch, size):
    values = rounded(Stream(seed, "images", step).uniform(batch * size * size * 3, -1, 1))
    return torch.from_numpy(values).reshape(batch, size, size, 3).permute(0, 3, 1, 2).contiguous()


def class_targets(seed, step, batch, classes, smoothing):
    labels = np.floor(Stream(seed, "labels", step).uniform(batch, 0, classes)).astype(np.int64)
    targets = np.full((batch, classes), smoothing / classes)
    targets[np.arange(batch), labels] += 1 - smoothing
    return torch.from_numpy(rounded(targets))


def masks(seed, step, batch, size):
    """Disks: centre and radius in pixels from three draws per image."""
    draws = Stream(seed, "disks", step).uniform(3 * batch).reshape(batch, 3)
    y, x = np.mgrid[0:size, 0:size]
    disks = [
        (x - size * (0.3 + 0.4 * cx)) ** 2 + (y - size * (0.3 + 0.4 * cy)) ** 2 < (size * (0.1 + 0.3 * r)) ** 2
        for cx, cy, r in draws
    ]
    return torch.from_numpy(np.stack(disks)[:, None].astype(np.float64))



def schedule(peak):
    """Twenty learning rates: five up, fifteen down."""
    return [float(f"{peak * r:.3g}") for r in [*np.linspace(0.2, 1, 5), *np.linspace(1, 0.1, 15)]]


def resnet18():
    settings = {
        "seed": 16, "widths": [16, 16, 32, 64], "classes": 10, "size": 64, "batch": 16, "smoothing": 0.1,
        "learningRates": schedule(1e-4), "weightDecay": 4.0, "betas": [0.9, 0.999], "epsilon": 1e-3,
        "clipNorm": None, "emaDecay": 0.9,
    }  # fmt: skip
    seed, batch = settings["seed"], settings["batch"]

    def loss_of(network, step):
        targets = class_targets(seed, step, batch, settings["classes"], settings["smoothing"])
        return torch.nn.functional.cross_entropy(network(images(seed, step, batch, settings["size"])), targets), {}

    return lambda: networks.ResNet18(settings["widths"], settings["classes"]), loss_of, settings


def small_unet():
    settings = {
        "seed": 5, "widths": [16, 32, 48], "size": 16, "batch": 16,
        "learningRates": schedule(1e-3), "weightDecay": 1.0, "betas": [0.9, 0.99], "epsilon": 1e-8,
        "clipNorm": 0.5, "emaDecay": 0.9,
    }  # fmt: skip
    seed, batch, size = settings["seed"], settings["batch"], settings["size"]

    def loss_of(network, step):
        return networks.mask_loss(network(images(seed, step, batch, size)), masks(seed, step, batch, size)), {}

    return lambda: networks.SmallUNet(settings["widths"]), loss_of, settings


def main():
    torch.set_num_threads(1)
    folder = ROOT / "src" / "autodiff" / "fixtures"
    for name, make in (("resnet18", resnet18), ("unet", small_unet)):
        write(folder / f"pytorch-{name}.json", *make(), ["param", "adam.m", "adam.v", "buffer", "ema"], 1e-3)


if __name__ == "__main__":
    main()
