"""What the scripts that write PyTorch's numbers share: the random streams of src/runs/random.ts, first values, the
training loop and its summary. Not run by itself.
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
from reference_learning import WeightAverage  # noqa: E402

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


def short(value):
    """Nine digits: two more than float32 has."""
    return float(f"{value:.9g}")


def summary(values, name, seed):
    """Size, norm, sum, projections on random signs, which bound the norm of a difference, and some entries."""
    flat = networks.androscope_layout(values).reshape(-1).detach().numpy()
    signs = [np.where(Stream(seed, "signs", name, k).uniform(flat.size) < 0.5, -1.0, 1.0) for k in range(3)]
    at = sorted({(k * (flat.size - 1)) // 3 for k in range(4)})
    return {
        "shape": list(networks.androscope_layout(values).shape),
        "norm": short(np.linalg.norm(flat)),
        "largest": short(np.abs(flat).max()),
        "sum": short(flat.sum()),
        "projections": [short(flat @ s) for s in signs],
        "samples": [[int(i), short(flat[i])] for i in at],
    }


EARLY = 5
"""After so many steps parameters are looked at for the first time: drift is small then, and the bound sharp."""


class Run:
    """A network trained by `settings`, and everything that came of it."""

    def __init__(self, network, loss_of, settings, disturbance=0.0):
        """`disturbance` multiplies the weights before every step by 1 + that times a normal number."""
        self.settings, self.network = settings, network
        network.double().train()
        initialize(network, settings["seed"])
        self.first = {name: p.detach().clone() for name, p in network.named_parameters()}
        betas, eps = tuple(settings["betas"]), settings["epsilon"]
        self.optimizer = networks.adamw(network, settings["weightDecay"], lr=0.0, betas=betas, eps=eps)
        self.average = WeightAverage(network)
        self.losses, self.norms, self.metrics = [], [], {}
        for step, rate in enumerate(settings["learningRates"]):
            with torch.no_grad():
                for p in network.parameters() if disturbance else ():
                    p.mul_(1 + disturbance * torch.randn_like(p))
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.optimizer.zero_grad()
            loss, metrics = loss_of(network, step)
            loss.backward()
            limit = settings["clipNorm"] or math.inf
            self.norms.append(float(torch.nn.utils.clip_grad_norm_(network.parameters(), limit)))
            self.optimizer.step()
            if step + 1 == EARLY:
                self.early = {networks.androscope_name(n): p.detach().clone() for n, p in network.named_parameters()}
            self.average.update(settings["emaDecay"])
            self.losses.append(float(loss))
            for name, value in metrics.items():
                self.metrics.setdefault(name, []).append(float(value))

    def tensors(self):
        """kind -> name -> tensor, names as on the TypeScript side."""
        named = {networks.androscope_name(name): p for name, p in self.network.named_parameters()}
        buffers = {name: b for name, b in self.network.named_buffers() if b.is_floating_point()}
        moments = {key: {name: self.optimizer.state[p][key] for name, p in named.items()} for key in ("exp_avg", "exp_avg_sq")}
        return {
            "param": named,
            "adam.m": moments["exp_avg"],
            "adam.v": moments["exp_avg_sq"],
            "buffer": {networks.androscope_name(name): b for name, b in buffers.items()},
            "ema": {networks.androscope_name(name): v for name, v in zip(self.average.names, self.average.values)},
        }

    def differences(self, other):
        """Largest relative differences, kind by kind; of losses and gradient norms step by step."""
        relative = lambda mine, theirs: [abs(b / a - 1) for a, b in zip(mine, theirs)]  # noqa: E731
        found = {"losses": relative(self.losses, other.losses), "gradientNorms": relative(self.norms, other.norms)}
        for name, values in self.metrics.items():
            found[f"metric.{name}"] = [abs(b - a) / max(abs(a), 1e-3) for a, b in zip(values, other.metrics[name])]
        first = {networks.androscope_name(name): value for name, value in self.first.items()}
        found["early"] = max(
            float((value - other.early[name]).norm() / (value - first[name]).norm()) for name, value in self.early.items()
        )
        for kind, tensors in self.tensors().items():
            theirs = other.tensors()[kind]
            off = {name: float((value - theirs[name]).norm()) for name, value in tensors.items()}
            found[kind] = max(off[name] / float(value.norm()) for name, value in tensors.items())
            if kind == "param":
                found["movement"] = max(off[name] / float((value - first[name]).norm()) for name, value in tensors.items())
        return found


DISTURBANCE = 3e-7


def sensitivity(make_network, loss_of, settings):
    """What a disturbance of all weights by 3e-7 at every step grows to, at worst of five: per step, and at the end per
    kind of array. Float32, which rounds by 6e-8 at a time, does about as much.

    A rectifier or a maximum that sits on its edge flips in float32 and takes gradients with it, AdamW makes a full step
    of a gradient that is nothing but rounding, and every step passes on what the one before got wrong. How far float32
    may be off is therefore a property of the network, its data and its seed, which this finds out without asking the
    implementation that is to be tested.
    """
    plain = Run(make_network(), loss_of, settings)
    found = []
    for k in range(5):
        torch.manual_seed(k)
        found.append(plain.differences(Run(make_network(), loss_of, settings, DISTURBANCE)))
    worst = {}
    for key in found[0]:
        values = [f[key] for f in found]
        worst[key] = [max(v) for v in zip(*values)] if isinstance(values[0], list) else max(values)
    return plain, worst


def write(path, make_network, loss_of, settings, kinds, largest):
    """Stores a reference, or refuses where the seed makes it worthless: see `sensitivity`."""
    run, worst = sensitivity(make_network, loss_of, settings)
    peak = max([*worst["losses"], worst["param"]])
    print(f"{path.name}: {DISTURBANCE} a step grows to", {k: f"{max(v) if isinstance(v, list) else v:.1e}" for k, v in worst.items()})
    if peak > largest:
        raise SystemExit(f"{path.name}: this grows to {peak:.1e}. Choose another seed.")
    seed = settings["seed"]
    first = {networks.androscope_name(name): value for name, value in run.first.items()}
    moved = lambda name, value: {"moved": short((value - first[name]).norm())}  # noqa: E731
    brief = lambda value: [float(f"{v:.2g}") for v in value] if isinstance(value, list) else float(f"{value:.2g}")  # noqa: E731
    tensors = run.tensors()
    head = {
        "madeWith": f"PyTorch {torch.__version__}, float64",
        "settings": settings,
        "losses": [short(v) for v in run.losses],
        "gradientNorms": [short(v) for v in run.norms],
        "metrics": {name: [short(v) for v in values] for name, values in run.metrics.items()},
        "earlySteps": EARLY,
        "sensitivity": {key: brief(value) for key, value in worst.items()},
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    tensors["early"] = run.early
    for kind in ["early", *kinds]:
        entries = {name: summary(value, name, seed) for name, value in tensors[kind].items()}
        if kind in ("early", "param"):
            entries = {name: {**entry, **moved(name, tensors[kind][name])} for name, entry in entries.items()}
        if kind == "early":
            entries = {name: {key: entry[key] for key in ("norm", "projections", "moved")} for name, entry in entries.items()}
        # A line for every array: short diffs where the reference changes.
        body = ",\n".join(f"  {json.dumps(n)}: {json.dumps(e, separators=(',', ':'))}" for n, e in entries.items())
        lines.append(f" {json.dumps(kind)}: {{\n{body}\n }}")
    path.parent.mkdir(exist_ok=True)
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"  {path.stat().st_size} bytes, losses {run.losses[0]:.4f} to {run.losses[-1]:.4f}")
