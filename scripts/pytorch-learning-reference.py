"""Writes src/learning/fixtures/pytorch-*.json: what PyTorch makes of the two learning steps in twenty AdamW steps.

    /usr/bin/python3 scripts/pytorch-learning-reference.py

The networks are narrow and the crops small and drawn, but each step is whole: augmentation, losses, clipping, AdamW,
weight average. As in pytorch-reference.py nothing but results is stored.
"""

import numpy as np
import torch

from reference_training import ROOT, Stream, rounded, write  # finds the next one's folder

from reference_learning import Distill, Tune

NETWORK = {"widths": [16, 16, 32, 48], "blocks": [1, 2, 2, 1], "viewSize": 48}
GEOMETRY = {"frameExtent": 52, "viewExtent": 40, "colourMean": [0.6, 0.5, 0.7], "colourDeviation": 0.2}
SIDE = 56
COMMON = {
    "network": NETWORK, "geometry": GEOMETRY, "side": SIDE, "betas": [0.9, 0.999], "epsilon": 1e-8, "clipNorm": 1.5,
    "weightDecay": 4.0, "emaDecay": 0.9,
    "learningRates": [float(f"{1e-4 * r:.3g}") for r in [*np.linspace(0.2, 1, 5), *np.linspace(1, 0.1, 15)]],
}  # fmt: skip
DRAWS = 12


def disks(draws, side):
    """A disk per row of draws: x, y, radius in pixels, and each pixel's distance to the centre [N, side, side]."""
    cx, cy, r = (side * (low + 0.2 * draws[:, k]).reshape(-1, 1, 1) for k, low in enumerate((0.4, 0.4, 0.15)))
    y, x = np.mgrid[0:side, 0:side]
    return cy, r, np.sqrt((x - cx) ** 2 + (y - cy) ** 2), y


def crops(seed, step, count):
    """Coloured disks on coloured ground with noise, uint8 [N, 3, side, side], their targets and their sizes."""
    draws = Stream(seed, "heads", step).uniform(count * DRAWS).reshape(count, DRAWS)
    cy, r, distance, y = disks(draws, SIDE)
    inside = distance < r
    noise = Stream(seed, "noise", step).uniform(count * SIDE * SIDE * 3).reshape(count, SIDE, SIDE, 3)
    ground, head = (draws[:, k : k + 3].reshape(-1, 1, 1, 3) for k in (3, 6))
    colour = np.where(inside[..., None], 40 + 80 * head, 130 + 80 * ground)
    pixels = np.floor(colour + 40 * (noise - 0.5))
    signed = np.floor(127.5 + 127.5 * np.clip((r - distance) / r, -1, 1) + 0.5)
    targets = np.stack([np.where(inside, 255, 0), signed, np.where(inside & (y < cy), 255, 0)], -1)
    sizes = SIDE - np.floor(6 * draws[:, 9:11])
    turned = lambda x: torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)).astype(np.uint8))  # noqa: E731
    return turned(pixels), turned(targets), sizes


def maps(seed, step, sizes, extent):
    """Windows turned, zoomed and shifted at random, and the angles."""
    count = len(sizes)
    draws = Stream(seed, "views", step).uniform(4 * count).reshape(count, 4)
    angle, half = 2 * np.pi * draws[:, 0], extent / 2 * (0.7 + 0.5 * draws[:, 1])
    cos, sin = half * np.cos(angle), half * np.sin(angle)
    x, y = (sizes[:, k] / 2 + 8 * (draws[:, 2 + k] - 0.5) for k in (0, 1))
    return np.stack([cos, -sin, x, sin, cos, y], 1).reshape(count, 2, 3), angle


def tensor(values):
    return torch.from_numpy(rounded(np.ascontiguousarray(values)))


def gains(seed, step, count):
    return tensor(Stream(seed, "gains", step).uniform(3 * count, 0.8, 1.2).reshape(count, 3))


def distill():
    settings = {"seed": 12, "batch": 16, "tasks": {"mask": 1, "distance": 1, "parts": 0.5, "rotation": 0.2}, **COMMON}
    seed, heads = settings["seed"], settings["batch"] // 2

    def loss_of(network, step):
        pixels, targets, sizes = crops(seed, step, heads)
        theta, angles = maps(seed, step, np.concatenate([sizes, sizes]), GEOMETRY["frameExtent"])
        turn = angles[:heads] - angles[heads:]
        trust = Stream(seed, "trust", step).uniform(heads)
        return network(
            pixels, targets, tensor(sizes), tensor(theta), gains(seed, step, 2 * heads), tensor(trust),
            tensor(np.stack([np.cos(turn), np.sin(turn)], 1)),
        )  # fmt: skip

    return lambda: Distill(NETWORK, GEOMETRY, settings["tasks"]), loss_of, settings


def tune():
    settings = {"seed": 4, "batch": 16, "classes": 4, "labelSmoothing": 0.1, "dropout": 0.4, "margin": 8, **COMMON}
    seed, batch, classes = settings["seed"], settings["batch"], settings["classes"]
    view = NETWORK["viewSize"]

    def loss_of(network, step):
        pixels, _, sizes = crops(seed, step, batch)
        theta, _ = maps(seed, step, sizes, GEOMETRY["viewExtent"])
        draws = Stream(seed, "frames", step).uniform(batch * DRAWS).reshape(batch, DRAWS)
        _, r, distance, _ = disks(draws, view)
        frames = np.floor(255 * np.clip((r - distance) / 2 + 0.5, 0, 1))[:, None]
        chosen = np.floor(draws[:, 3:6] * [[settings["margin"] + 1, classes, classes]]).astype(int)
        # Two experts, who need not agree.
        labels = 0.75 * np.eye(classes)[chosen[:, 1]] + 0.25 * np.eye(classes)[chosen[:, 2]]
        random = Stream(seed, "dropout", step).uniform(batch * 2 * NETWORK["widths"][3]).reshape(batch, -1)
        return network(
            pixels, torch.from_numpy(frames.astype(np.uint8)), tensor(sizes), tensor(theta), gains(seed, step, batch),
            tensor(np.eye(settings["margin"] + 1)[chosen[:, 0]]), tensor(labels), tensor(draws[:, 6]), tensor(random),
        )  # fmt: skip

    return (
        lambda: Tune(NETWORK, GEOMETRY, classes, settings["labelSmoothing"], settings["dropout"]),
        loss_of,
        settings,
    )


def main():
    torch.set_num_threads(1)
    folder = ROOT / "src" / "learning" / "fixtures"
    for name, make in (("distill", distill), ("tune", tune)):
        write(folder / f"pytorch-{name}.json", *make(), ["param", "buffer", "ema"], 1e-3)


if __name__ == "__main__":
    main()
