"""One of the two learning steps in PyTorch, timed on request: the peer of bench/cases/learning.ts.

Takes the folder that bench/learning.ts wrote: settings, batches, first weights. Tries the ways to run the step that
PyTorch offers and keeps the fastest.
"""

import argparse
import itertools
import json
from pathlib import Path

import turns  # first: nothing below may write bytecode

import numpy as np
import torch

import reference_learning as learning
import reference_networks as networks

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.set_num_interop_threads(1)
torch.set_flush_denormal(True)

header = json.loads((options.folder / "workload.json").read_text())
stored = (options.folder / "workload.bin").read_bytes()
settings, stage = header["settings"], header["stage"]


def array(name):
    place = header["arrays"][name]
    values = np.frombuffer(stored, place["dtype"], place["bytes"] // np.dtype(place["dtype"]).itemsize, place["from"])
    return torch.from_numpy(values.reshape(place["shape"]).copy())


ORDER = {
    "distill": ["pixels", "targets", "sizes", "theta", "gains", "trust", "turn"],
    "tune": ["pixels", "frames", "sizes", "theta", "gains", "margins", "labels", "weights", "random"],
}[stage]
IMAGES = ("pixels", "targets", "frames")


def batch(number):
    values = {name: array(f"{number}/{name}") for name in ORDER}
    return [v.permute(0, 3, 1, 2).contiguous() if name in IMAGES else v for name, v in values.items()]


batches = [batch(number) for number in range(header["batches"])]


def network_of():
    network = (
        learning.Distill(header["network"], header["geometry"], settings["tasks"])
        if stage == "distill"
        else learning.Tune(
            header["network"], header["geometry"], header["classes"], settings["labelSmoothing"], settings["dropout"]
        )
    )
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            own = networks.androscope_layout(parameter)
            own.copy_(array(f"param/{networks.androscope_name(name)}"))
    return network.train()


def stepper(layout, foreach):
    network = learning.use_layout(network_of(), layout)
    optimizer = networks.adamw(network, settings["weightDecay"], lr=header["learningRate"], foreach=foreach)
    average = learning.WeightAverage(network)
    parameters = list(network.parameters())
    done = itertools.count()
    losses = []

    def step():
        number = next(done)
        optimizer.zero_grad(set_to_none=True)
        loss, metrics = network(*batches[number % len(batches)])
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, settings["clipNorm"])
        optimizer.step()
        average.update(min(settings["averageDecay"], (1 + number) / (10 + number)))
        values = [loss.item(), norm.item(), *(value.item() for value in metrics.values())]
        if number == 0:
            losses.append(values[0])

    return step, losses


layouts = {"channels_last": torch.channels_last, "NCHW": torch.contiguous_format}
steppers = {
    f"{name}{', foreach' if foreach else ''}": stepper(layout, foreach)
    for name, layout in layouts.items()
    for foreach in (False, True)
}
label, work = turns.fastest([(name, step) for name, (step, _) in steppers.items()])
loss = steppers[label][1][0]
del steppers
turns.serve(f"PyTorch {torch.__version__} ({label})", work, threads=torch.get_num_threads(), loss=loss)
