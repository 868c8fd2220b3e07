"""The networks of src/autodiff/testing/networks.ts in PyTorch, with the same names.

A parameter of the TypeScript side called "stage1/block0/first/conv/weight" is "stage1.block0.first.conv.weight" here;
`androscope_name` translates. Layouts differ (NCHW here, NHWC there): `androscope_layout` turns weights.
"""

import torch
from torch import nn
from torch.nn import functional


class ConvNorm(nn.Module):
    def __init__(self, channels, out, kernel=3, stride=1, activation=functional.relu):
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, stride, (kernel - 1) // 2, bias=False)
        self.norm = nn.BatchNorm2d(out)
        self.activation = activation

    def forward(self, x):
        y = self.norm(self.conv(x))
        return self.activation(y) if self.activation else y


class BasicBlock(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.first = ConvNorm(channels, out, 3, stride)
        self.second = ConvNorm(out, out, 3, 1, None)
        self.shortcut = None if stride == 1 and channels == out else ConvNorm(channels, out, 1, stride, None)

    def forward(self, x):
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return functional.relu(self.second(self.first(x)) + shortcut)


class ResNet18(nn.Module):
    """He et al. 2016, table 1: 7x7 stem of stride 2, 3x3 max pooling of stride 2, four stages of two basic blocks."""

    def __init__(self, widths, classes):
        super().__init__()
        self.stem = ConvNorm(3, widths[0], 7, 2)
        channels = widths[0]
        for stage, out in enumerate(widths):
            blocks = nn.Module()
            for block in range(2):
                blocks.add_module(f"block{block}", BasicBlock(channels, out, 2 if stage > 0 and block == 0 else 1))
                channels = out
            self.add_module(f"stage{stage}", blocks)
        self.logits = nn.Linear(channels, classes)

    def forward(self, x):
        x = functional.max_pool2d(self.stem(x), 3, 2, 1)
        for stage in range(4):
            blocks = getattr(self, f"stage{stage}")
            x = blocks.block1(blocks.block0(x))
        return self.logits(x.mean((2, 3)))


class SmallUNet(nn.Module):
    """Ronneberger et al. 2015 in small: SiLU on the way down, GELU on the way up, so that both are held to PyTorch."""

    def __init__(self, widths):
        super().__init__()
        channels = 3
        for level, out in enumerate(widths):
            self.add_module(f"down{level}", ConvNorm(channels, out, activation=functional.silu))
            channels = out
        for level in reversed(range(len(widths) - 1)):
            self.add_module(f"up{level}", ConvNorm(channels + widths[level], widths[level], activation=functional.gelu))
            channels = widths[level]
        self.mask = nn.Conv2d(channels, 1, 1)
        self.levels = len(widths)

    def forward(self, x):
        skips = []
        for level in range(self.levels):
            x = getattr(self, f"down{level}")(x if level == 0 else functional.max_pool2d(x, 2))
            skips.append(x)
        for level in reversed(range(self.levels - 1)):
            x = functional.interpolate(x, scale_factor=2, mode="nearest")
            x = getattr(self, f"up{level}")(torch.cat([x, skips[level]], 1))
        return self.mask(x)


def mask_loss(logits, targets):
    """Mean binary cross-entropy plus one minus the Dice coefficient per image, smoothed by one pixel."""
    probabilities = torch.sigmoid(logits)
    axes = (1, 2, 3)
    both = 2 * (probabilities * targets).sum(axes) + 1
    every = probabilities.sum(axes) + targets.sum(axes) + 1
    return functional.binary_cross_entropy_with_logits(logits, targets) + (1 - both / every).mean()


def adamw(network, weight_decay, **options):
    """AdamW that spares biases and normalisation the decay: here, whatever has one dimension."""
    parameters = list(network.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, **options)


NORM_NAMES = {"weight": "scale", "bias": "shift", "running_mean": "mean", "running_var": "variance"}


def androscope_name(name):
    parts = name.split(".")
    if len(parts) > 1 and parts[-2] == "norm":
        parts[-1] = NORM_NAMES[parts[-1]]
    return "/".join(parts)


def androscope_layout(tensor):
    """[K, C, kh, kw] to [kh, kw, C, K] and [out, in] to [in, out]; anything else as it is."""
    return tensor.permute(2, 3, 1, 0) if tensor.dim() == 4 else tensor.t() if tensor.dim() == 2 else tensor
