"""ResNet-18 in PyTorch, timed on request: the peer of bench/cases/resnet18.ts.

--work train: forward, backward and AdamW. --work eager, script: inference, as it is written, or as TorchScript after
optimize_for_inference, which folds normalisation and fuses.
"""

import argparse

import turns  # first: nothing below may write bytecode

import torch

import reference_networks as networks

parser = argparse.ArgumentParser()
parser.add_argument("--work", choices=["train", "eager", "script"], required=True)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--size", type=int, default=64)
parser.add_argument("--widths", type=int, nargs="+", default=[64, 128, 256, 512])
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.set_num_interop_threads(1)
torch.set_flush_denormal(True)


def training(layout, foreach):
    torch.manual_seed(1)
    network = networks.ResNet18(options.widths, 10).train().to(memory_format=layout)
    optimizer = networks.adamw(network, 0.05, lr=1e-3, foreach=foreach)
    images = torch.rand(options.batch, 3, options.size, options.size).contiguous(memory_format=layout)
    labels = torch.arange(options.batch) % 10

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def inference(layout, script):
    torch.manual_seed(1)
    network = networks.ResNet18(options.widths, 10).eval().to(memory_format=layout)
    images = torch.rand(options.batch, 3, options.size, options.size).contiguous(memory_format=layout)
    if script:
        with torch.no_grad():
            network = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, images)))

    def forward():
        with torch.inference_mode():
            return network(images).argmax(1).tolist()

    return forward


layouts = {"channels_last": torch.channels_last, "NCHW": torch.contiguous_format}
if options.work == "train":
    candidates = [
        (f"{name}{', foreach' if foreach else ''}", training(layout, foreach))
        for name, layout in layouts.items()
        for foreach in (False, True)
    ]
else:
    candidates = [(name, inference(layout, options.work == "script")) for name, layout in layouts.items()]
kind = "TorchScript " if options.work == "script" else ""
label, work = turns.fastest(candidates)
del candidates
turns.serve(f"PyTorch {torch.__version__} {kind}({label})", work, threads=torch.get_num_threads())
