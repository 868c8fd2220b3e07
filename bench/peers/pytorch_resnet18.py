"""One training step of ResNet-18 in PyTorch, timed on request. The peer of bench/train-step.ts.

Reads JSON lines {"steps": k} and answers {"seconds": t, "cpu": c, "loss": l}: t is the time of k whole steps, c what
all threads used of it.
"""

import argparse
import json
import os
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--size", type=int, default=64)
parser.add_argument("--widths", type=int, nargs="+", default=[64, 128, 256, 512])
parser.add_argument("--layout", choices=["nhwc", "nchw"], default="nhwc", help="nhwc is about 1.15 times faster here")
options = parser.parse_args()
# Between its turns it must not spin: the other side is being measured then.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
sys.dont_write_bytecode = True

import torch  # noqa: E402

import reference_networks as networks  # noqa: E402

torch.set_num_threads(options.threads)
torch.set_num_interop_threads(1)
torch.set_flush_denormal(True)
torch.manual_seed(1)
layout = torch.channels_last if options.layout == "nhwc" else torch.contiguous_format
network = networks.ResNet18(options.widths, 10).train().to(memory_format=layout)
optimizer = networks.adamw(network, 0.05, lr=1e-3)
images = torch.rand(options.batch, 3, options.size, options.size).contiguous(memory_format=layout)
labels = torch.arange(options.batch) % 10


def step():
    optimizer.zero_grad(set_to_none=True)
    loss = torch.nn.functional.cross_entropy(network(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


print(json.dumps({"name": f"PyTorch {torch.__version__}", "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    steps = json.loads(line)["steps"]
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(steps):
        loss = step()
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    print(json.dumps({"seconds": seconds, "cpu": used, "loss": loss}), flush=True)
