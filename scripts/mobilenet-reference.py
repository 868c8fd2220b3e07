"""What PyTorch makes of MobileNet v1 in float64, from the same files that src/learning/tfjs.ts reads.

    /usr/bin/python3 scripts/mobilenet-reference.py [FOLDER]

Writes src/learning/fixtures/mobilenet: a narrow network with random weights in TensorFlow.js's layers format, and
features.json with its feature maps of a drawn image. With FOLDER, a copy of Google's MobileNet v1 of width 0.25, it also
writes imagenet.json: some numbers of each map that those weights give. The weights themselves are not kept.
"""

import json
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F

from reference_training import ROOT, Stream

FIXTURES = ROOT / "src" / "learning" / "fixtures" / "mobilenet"
WIDTHS = [8, 8, 12, 16]
# Table 1 of the paper: (stride, stage) of each separable convolution down to a sixteenth.
LAYERS = [(1, 0), (2, 1), (1, 1), (2, 2), (1, 2), (2, 3), (1, 3), (1, 3), (1, 3), (1, 3), (1, 3)]
SAMPLES = 40


def arrays(widths):
    """Keras's names and shapes, in its order."""

    def norm(name, channels):
        for part in ("gamma", "beta", "moving_mean", "moving_variance"):
            yield f"{name}_bn/{part}", [channels]

    channels = widths[0] // 2
    yield "conv1/kernel", [3, 3, 3, channels]
    yield from norm("conv1", channels)
    for k, (_, stage) in enumerate(LAYERS, 1):
        yield f"conv_dw_{k}/depthwise_kernel", [3, 3, channels, 1]
        yield from norm(f"conv_dw_{k}", channels)
        yield f"conv_pw_{k}/kernel", [1, 1, channels, widths[stage]]
        channels = widths[stage]
        yield from norm(f"conv_pw_{k}", channels)


def drawn(name, shape):
    """Variances small enough to show Keras's epsilon, kernels small enough not to magnify rounding layer by layer."""
    stream, count = Stream(5, name), math.prod(shape)
    ranges = {"gamma": (0.5, 2), "beta": (-1, 1), "moving_mean": (-0.5, 0.5), "moving_variance": (0.05, 1)}
    bound = math.sqrt(3 / (9 if "depthwise" in name else math.prod(shape[:-1])))
    low, high = ranges.get(name.split("/")[1], (-bound, bound))
    return stream.uniform(count, low, high).astype("<f4").reshape(shape)


def write_weights():
    """Two groups, the first in two files; a third, which no encoder reads, has no file, as in partial copies."""
    FIXTURES.mkdir(parents=True, exist_ok=True)
    manifest = []
    everything = list(arrays(WIDTHS))
    for number, group in enumerate([everything[:50], everything[50:]], 1):
        data = b"".join(drawn(name, shape).tobytes() for name, shape in group)
        parts = [data[:1001], data[1001:]] if number == 1 else [data]
        paths = [f"group{number}-shard{i}of{len(parts)}" for i in range(1, len(parts) + 1)]
        for path, part in zip(paths, parts):
            (FIXTURES / path).write_bytes(part)
        weights = [{"name": name, "shape": shape, "dtype": "float32"} for name, shape in group]
        manifest.append({"paths": paths, "weights": weights})
    rest = [{"name": "conv_preds/bias", "shape": [10], "dtype": "float32"}]
    manifest.append({"paths": ["group3-shard1of1"], "weights": rest})
    text = json.dumps({"modelTopology": None, "weightsManifest": manifest})
    (FIXTURES / "model.json").write_text(text + "\n")


def read_weights(folder):
    found = {}
    for group in json.loads((folder / "model.json").read_text())["weightsManifest"]:
        if not all((folder / path).exists() for path in group["paths"]):
            continue
        data = np.frombuffer(b"".join((folder / path).read_bytes() for path in group["paths"]), "<f4")
        for array in group["weights"]:
            count = math.prod(array["shape"])
            found[array["name"]] = torch.from_numpy(data[:count].astype(np.float64).reshape(array["shape"]))
            data = data[count:]
    return found


def same(x, kernel, stride, groups):
    """TensorFlow's SAME: https://www.tensorflow.org/api_docs/python/tf/nn#same_padding"""
    size, reach = x.shape[-1], kernel.shape[-1]
    total = max(reach - stride, 0) if size % stride == 0 else max(reach - size % stride, 0)
    before, after = total // 2, total - total // 2
    return F.conv2d(F.pad(x, (before, after, before, after)), kernel, stride=stride, groups=groups)


def features(weights, pixels):
    """pixels [S, S, 3] from 0 to 255 → the four maps, each [s, s, C]."""

    def finish(x, name):
        gamma, beta, mean, variance = (
            weights[f"{name}_bn/{part}"].reshape(1, -1, 1, 1)
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return F.relu6((x - mean) / torch.sqrt(variance + 1e-3) * gamma + beta)

    x = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1
    x = finish(same(x, weights["conv1/kernel"].permute(3, 2, 0, 1), 2, 1), "conv1")
    maps = {}
    for k, (stride, stage) in enumerate(LAYERS, 1):
        depthwise = weights[f"conv_dw_{k}/depthwise_kernel"].permute(2, 3, 0, 1)
        x = finish(same(x, depthwise, stride, depthwise.shape[0]), f"conv_dw_{k}")
        x = finish(same(x, weights[f"conv_pw_{k}/kernel"].permute(3, 2, 0, 1), 1, 1), f"conv_pw_{k}")
        maps[stage] = x[0].permute(1, 2, 0)
    return [maps[stage] for stage in range(4)]


def image(side):
    return np.floor(256 * Stream(11, "image").uniform(side * side * 3)).reshape(side, side, 3)


def short(values):
    return [float(f"{value:.7g}") for value in values]


def write(name, content):
    (FIXTURES / name).write_text(json.dumps(content) + "\n")


write_weights()
maps = features(read_weights(FIXTURES), image(32))
for m in maps:
    print("random", tuple(m.shape), "at 0:", float((m == 0).double().mean()), "at 6:", float((m == 6).double().mean()))
write("features.json", {"side": 32, "widths": WIDTHS, "maps": [short(m.flatten().tolist()) for m in maps]})

if len(sys.argv) > 1:
    from pathlib import Path

    maps = features(read_weights(Path(sys.argv[1])), image(64))
    content = []
    for m in maps:
        flat = m.flatten()
        at = [int(i) for i in np.floor(Stream(11, "samples").uniform(SAMPLES) * len(flat))]
        content.append({"shape": list(m.shape), "sum": float(flat.sum()), "at": at, "values": short(flat[at].tolist())})
        print("ImageNet", tuple(m.shape), "mean", float(flat.mean()), "at 0:", float((m == 0).double().mean()))
    write("imagenet.json", {"side": 64, "maps": content})
