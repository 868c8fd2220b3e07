"""Writes src/autodiff/fixtures/pytorch-*.json: what PyTorch makes of two networks in five AdamW steps.

    /usr/bin/python3 scripts/pytorch-reference.py

Needs PyTorch (Debian: apt-get install python3-torch; made with its 1.13.1). PyTorch computes in float64, so that the
whole difference that the test sees is the float32 rounding of the other side. Weights and batches are not stored: both
sides draw them from the same counter-based generator, so this file also holds src/runs/random.ts to a second
implementation.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench" / "peers"))
import reference_networks as networks  # noqa: E402

MASK32 = np.uint64(0xFFFFFFFF)


def philox(counter, key):
    """Philox 4x32-10 over arrays of counters. `counter`: four uint64 arrays below 2^32."""
    c = [np.asarray(part, np.uint64) & MASK32 for part in counter]
    k = [np.uint64(part) for part in key]
    for _ in range(10):
        first = c[0] * np.uint64(0xD2511F53)
        second = c[2] * np.uint64(0xCD9E8D57)
        c = [(second >> np.uint64(32)) ^ c[1] ^ k[0], second & MASK32, (first >> np.uint64(32)) ^ c[3] ^ k[1], first & MASK32]
        k = [np.uint64((int(k[0]) + 0x9E3779B9) & 0xFFFFFFFF), np.uint64((int(k[1]) + 0xBB67AE85) & 0xFFFFFFFF)]
    return c


def hash32(text, start=0x811C9DC5):
    value = start
    for character in text:
        value = ((value ^ ord(character)) * 0x01000193) & 0xFFFFFFFF
    return value


class Stream:
    """Random.seeded(seed).stream(...names) of src/runs/random.ts."""

    def __init__(self, seed, *names):
        self.key = (seed & 0xFFFFFFFF, seed >> 32)
        text = "/".join(f"{'string' if isinstance(n, str) else 'number'}:{n}" for n in names)
        start = ([hash32(text)], [hash32(text, 0x12345678)], [len(text)], [1])
        a, b, _, _ = philox(start, self.key)
        self.id = (int(a[0]), int(b[0]))

    def uniform(self, count, low=0.0, high=1.0):
        """The first `count` draws of a fresh stream, float64."""
        n = np.arange((count + 3) // 4, dtype=np.uint64)
        block = philox((n & MASK32, n >> np.uint64(32), np.full_like(n, self.id[0]), np.full_like(n, self.id[1])), self.key)
        # A block is drawn from its end.
        bits = np.stack(block[::-1], 1).reshape(-1)[:count]
        return low + (high - low) * (bits.astype(np.float64) + 0.5) / 2.0**32

    def normal(self, count, deviation):
        pairs = self.uniform(2 * count).reshape(count, 2)
        return deviation * np.sqrt(-2 * np.log(pairs[:, 0])) * np.cos(2 * np.pi * pairs[:, 1])


def rounded(values):
    """Through float32, which is what the other side starts from."""
    return values.astype(np.float32).astype(np.float64)


def initialize(network, seed):
    """The first values that src/autodiff draws: He for convolutions, uniform for linear layers.

    Scales and shifts do not start at ones and zeros here, so that mixing them up would show and a difference has a norm
    to be measured by.
    """
    for name, parameter in network.named_parameters():
        own, count = networks.androscope_name(name), parameter.numel()
        shape = networks.androscope_layout(parameter).shape
        bound = 1 / math.sqrt(math.prod(shape[:-1]))
        if parameter.dim() == 1:
            low = 0.5 if own.endswith("/scale") else -0.5
            values = Stream(seed, "affine", own).uniform(count, low, low + 1)
        elif parameter.dim() == 2:
            values = Stream(seed, own).uniform(count, -bound, bound)
        else:
            values = Stream(seed, own).normal(count, math.sqrt(2) * bound)
        with torch.no_grad():
            networks.androscope_layout(parameter).copy_(torch.from_numpy(rounded(values)).reshape(shape))


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


def summary(values, name, seed):
    """Size, norm, sum, projections on random signs, which bound the norm of a difference, and some entries."""
    flat = networks.androscope_layout(values).reshape(-1).detach().numpy()
    signs = [np.where(Stream(seed, "signs", name, k).uniform(flat.size) < 0.5, -1.0, 1.0) for k in range(3)]
    at = sorted({(k * (flat.size - 1)) // 7 for k in range(8)})
    return {
        "shape": list(networks.androscope_layout(values).shape),
        "norm": float(np.linalg.norm(flat)),
        "largest": float(np.abs(flat).max()),
        "sum": float(flat.sum()),
        "projections": [float(flat @ s) for s in signs],
        "samples": [[int(i), float(flat[i])] for i in at],
    }


def train(network, loss_of, settings, disturbance=0.0):
    """Five steps and what comes of them. `disturbance` multiplies the first weights by 1 + that times a normal number."""
    seed = settings["seed"]
    network.double().train()
    initialize(network, seed)
    with torch.no_grad():
        for p in network.parameters():
            p.mul_(1 + disturbance * torch.randn_like(p))
    first = {name: p.detach().clone() for name, p in network.named_parameters()}
    betas, eps = tuple(settings["betas"]), settings["epsilon"]
    optimizer = networks.adamw(network, settings["weightDecay"], lr=0.0, betas=betas, eps=eps)
    losses, norms = [], []
    for step, rate in enumerate(settings["learningRates"]):
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss = loss_of(network, step)
        loss.backward()
        limit = settings["clipNorm"] or math.inf
        norms.append(float(torch.nn.utils.clip_grad_norm_(network.parameters(), limit)))
        optimizer.step()
        losses.append(float(loss))
    parameters = {}
    for name, p in network.named_parameters():
        own = networks.androscope_name(name)
        moments = optimizer.state[p]
        parameters[own] = {
            **summary(p, own, seed),
            "moved": float((p - first[name]).norm()),
            "moments": {slot: summary(moments[key], own, seed) for slot, key in (("m", "exp_avg"), ("v", "exp_avg_sq"))},
        }
    buffers = {
        networks.androscope_name(name): summary(b, networks.androscope_name(name), seed)
        for name, b in network.named_buffers()
        if b.is_floating_point()
    }
    return {
        "madeWith": f"PyTorch {torch.__version__}, float64",
        "settings": settings,
        "losses": losses,
        "gradientNorms": norms,
        "parameters": parameters,
        "buffers": buffers,
    }


def stability(make_network, loss_of, settings):
    """The largest relative difference of losses and parameters when the weights are disturbed by 1e-6, five times.

    A rectifier or a maximum that sits on its edge flips in float32 and takes the gradients of a whole channel with it,
    and AdamW makes a full step of a gradient that is nothing but rounding. A reference is only of use with a seed where
    neither happens, which this finds out without asking the implementation that is to be tested.
    """
    plain = make_network()
    losses = train(plain, loss_of, settings)["losses"]
    worst = 0.0
    for k in range(5):
        torch.manual_seed(k)
        other = make_network()
        disturbed = train(other, loss_of, settings, 1e-6)["losses"]
        worst = max([worst, *(abs(b / a - 1) for a, b in zip(losses, disturbed))])
        pairs = zip(plain.parameters(), other.parameters())
        worst = max([worst, *(float((a - b).norm() / a.norm()) for a, b in pairs)])
    return worst


def resnet18():
    settings = {
        "seed": 10, "widths": [16, 32, 64, 128], "classes": 10, "size": 64, "batch": 8, "smoothing": 0.1,
        "learningRates": [1e-3, 2e-3, 2e-3, 1e-3, 5e-4],
        "weightDecay": 0.05, "betas": [0.9, 0.999], "epsilon": 1e-3, "clipNorm": None,
    }  # fmt: skip
    seed, batch = settings["seed"], settings["batch"]

    def loss_of(network, step):
        targets = class_targets(seed, step, batch, settings["classes"], settings["smoothing"])
        return torch.nn.functional.cross_entropy(network(images(seed, step, batch, settings["size"])), targets)

    return lambda: networks.ResNet18(settings["widths"], settings["classes"]), loss_of, settings


def small_unet():
    settings = {
        "seed": 5, "widths": [12, 24, 48], "size": 32, "batch": 4,
        "learningRates": [2e-3, 2e-3, 1e-3, 1e-3, 1e-3],
        "weightDecay": 0.1, "betas": [0.9, 0.99], "epsilon": 1e-8, "clipNorm": 0.5,
    }  # fmt: skip
    seed, batch, size = settings["seed"], settings["batch"], settings["size"]

    def loss_of(network, step):
        return networks.mask_loss(network(images(seed, step, batch, size)), masks(seed, step, batch, size))

    return lambda: networks.SmallUNet(settings["widths"]), loss_of, settings


def one_line_per_array(result):
    """JSON with a line for every parameter: short diffs where the reference changes."""
    sections = []
    for key, value in result.items():
        if key in ("parameters", "buffers"):
            lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in value.items())
            sections.append(f" {json.dumps(key)}: {{\n{lines}\n }}")
        else:
            sections.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(sections) + "\n}\n"


def main():
    torch.set_num_threads(1)
    folder = ROOT / "src" / "autodiff" / "fixtures"
    folder.mkdir(exist_ok=True)
    for name, make in (("resnet18", resnet18), ("unet", small_unet)):
        make_network, loss_of, settings = make()
        sensitivity = stability(make_network, loss_of, settings)
        if sensitivity > 2e-5:
            raise SystemExit(f"{name}: a disturbance of 1e-6 grows to {sensitivity:.1e}. Choose another seed.")
        result = train(make_network(), loss_of, settings)
        path = folder / f"pytorch-{name}.json"
        path.write_text(one_line_per_array(result))
        print(f"{path.name}: 1e-6 grows to {sensitivity:.1e}; {path.stat().st_size} bytes, losses {[round(x, 4) for x in result['losses']]}", end="; ")
        print(f"gradient norms {[round(x, 4) for x in result['gradientNorms']]}")


if __name__ == "__main__":
    main()
