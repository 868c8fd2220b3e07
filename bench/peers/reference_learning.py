"""The two learning steps of src/learning (network.ts, distill.ts, tune.ts, views.ts) in PyTorch, with the same names.

As in reference_networks.py a parameter called "encoder/stage0/block0/first/conv/weight" on the TypeScript side is
"encoder.stage0.block0.first.conv.weight" here. Images are NCHW here; inputs come as src/learning feeds them, except that
images are turned to NCHW before. scripts/pytorch-reference.py and src/learning/pytorch.test.ts hold the two sides to
each other; bench/peers/pytorch_learning.py times these.
"""

import torch
from torch import nn
from torch.nn import functional

from reference_networks import BasicBlock, ConvNorm


def space_to_depth(x):
    """Blocks of 2 x 2, the channels of one pixel together."""
    n, c, h, w = x.shape
    return x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(n, 4 * c, h // 2, w // 2)


def depth_to_space(x):
    n, c, h, w = x.shape
    return x.view(n, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * h, 2 * w)


class Encoder(nn.Module):
    def __init__(self, widths, blocks):
        super().__init__()
        self.stem = ConvNorm(12, widths[0])
        self.blocks = blocks
        channels = widths[0]
        for stage, (out, count) in enumerate(zip(widths, blocks)):
            holder = nn.Module()
            for block in range(count):
                holder.add_module(f"block{block}", BasicBlock(channels, out, 2 if stage > 0 and block == 0 else 1))
                channels = out
            self.add_module(f"stage{stage}", holder)

    def forward(self, view):
        x = self.stem(space_to_depth(view).contiguous(memory_format=self.layout))
        features = []
        for stage, count in enumerate(self.blocks):
            holder = getattr(self, f"stage{stage}")
            for block in range(count):
                x = getattr(holder, f"block{block}")(x)
            features.append(x)
        return features

    layout = torch.contiguous_format


class Decoder(nn.Module):
    def __init__(self, widths):
        super().__init__()
        channels = widths[3]
        for stage in (2, 1, 0):
            up = nn.Module()
            up.reduce = ConvNorm(channels, widths[stage], 1)
            channels = widths[max(0, stage - 1)]
            up.merge = ConvNorm(2 * widths[stage], channels)
            self.add_module(f"up{stage}", up)
        self.maps = nn.Conv2d(channels, 12, 1)

    def forward(self, features):
        x = features[3]
        for stage in (2, 1, 0):
            up = getattr(self, f"up{stage}")
            above = functional.interpolate(up.reduce(x), scale_factor=2, mode="nearest")
            x = up.merge(torch.cat([above, features[stage]], 1))
        maps = depth_to_space(self.maps(x))
        return maps[:, 0] - 2, maps[:, 1] - 0.8, maps[:, 2]


class Rotation(nn.Module):
    def __init__(self, channels, positions):
        super().__init__()
        self.reduce = ConvNorm(channels, 16, 1)
        self.direction = nn.Linear(16 * positions, 2)

    def forward(self, coarse):
        first, second = self.direction(self.reduce(coarse).permute(0, 2, 3, 1).flatten(1)).chunk(2)
        cosine = first[:, 0] * second[:, 0] + first[:, 1] * second[:, 1]
        sine = first[:, 1] * second[:, 0] - first[:, 0] * second[:, 1]
        return torch.stack([cosine, sine], 1)


def view_pixels(theta, side):
    return functional.affine_grid(theta, [theta.shape[0], 1, side, side], align_corners=False)


def read_crops(canvas, sizes, pixels):
    """Bilinear, beyond a crop's edge its edge pixel repeated. canvas [N, C, P, P], pixels [N, h, w, 2]."""
    last = (sizes - 0.5).view(-1, 1, 1, 2)
    inside = torch.maximum(torch.minimum(pixels, last), pixels.new_tensor(0.5))
    return functional.grid_sample(canvas, inside * (2 / canvas.shape[-1]) - 1, "bilinear", "border", align_corners=False)


def read_frame(maps, extent, sizes, pixels):
    grid = (pixels - sizes.view(-1, 1, 1, 2) / 2) * (2 / extent)
    return functional.grid_sample(maps, grid, "bilinear", "zeros", align_corners=False)


def normalise_colour(view, geometry):
    mean = view.new_tensor(geometry["colourMean"]).view(1, 3, 1, 1) * 255
    return (view - mean) / (255 * geometry["colourDeviation"])


def suppress_background(view, mask, margins):
    """Keeps the mask grown by margins[n] pixels, one-hot over 0 to K."""
    grown = ((mask - 0.5) * 4 + 0.5).clamp(0, 1)
    keep = grown * margins[:, 0].view(-1, 1, 1, 1)
    for k in range(1, margins.shape[1]):
        grown = functional.max_pool2d(grown, 3, 1, 1)
        keep = keep + grown * margins[:, k].view(-1, 1, 1, 1)
    return view * keep


def dice_loss(probabilities, targets, weights):
    axes = (1, 2)
    both = 2 * (probabilities * targets).sum(axes) + 1
    every = probabilities.sum(axes) + targets.sum(axes) + 1
    return ((1 - both / every) * weights).mean()


class Distill(nn.Module):
    """distillStep: two views of each of batch/2 heads, four spatial tasks. Returns the loss and the metrics."""

    def __init__(self, network, geometry, tasks):
        super().__init__()
        self.geometry, self.tasks, self.side = geometry, tasks, network["viewSize"]
        self.encoder = Encoder(network["widths"], network["blocks"])
        self.decoder = Decoder(network["widths"])
        self.rotation = Rotation(network["widths"][3], (self.side // 16) ** 2)

    def forward(self, pixels, targets, sizes, theta, gains, trust, turn):
        with torch.no_grad():
            # One read per head serves both views: the second view's positions stand below the first's.
            heads, side = pixels.shape[0], self.side
            canvas = torch.cat([pixels, targets], 1).to(gains.dtype)
            positions = torch.cat(view_pixels(theta, side).chunk(2), 1)
            seen = read_crops(canvas, sizes, positions).view(heads, 6, 2, side, side).transpose(0, 1)
            seen = seen.transpose(1, 2).reshape(6, 2 * heads, side, side)
            colours = normalise_colour(seen[:3].transpose(0, 1) * gains.view(-1, 3, 1, 1), self.geometry)
            mask, distance, acrosome = seen[3] / 255, seen[4] / 255 * 2 - 1, seen[5] / 255
            weights = torch.cat([trust, trust])
            rows = weights.view(-1, 1, 1)
        features = self.encoder(colours)
        mask_logit, distance_guess, acrosome_logit = self.decoder(features)
        metrics = {
            "mask": functional.binary_cross_entropy_with_logits(mask_logit, mask, rows)
            + dice_loss(torch.sigmoid(mask_logit), mask, weights),
            "distance": (functional.smooth_l1_loss(distance_guess, distance, reduction="none", beta=0.1) * rows).mean(),
        }
        inside = mask * rows
        parts = functional.binary_cross_entropy_with_logits(acrosome_logit, acrosome, inside, reduction="sum")
        metrics["parts"] = parts / (inside.sum() + 1e-3)
        metrics["rotation"] = functional.smooth_l1_loss(self.rotation(features[3]), turn, beta=0.5)
        return sum(metrics[name] * self.tasks[name] for name in metrics), metrics


class Classifier(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.logits = nn.Linear(2 * channels, classes)

    def forward(self, coarse, foreground, random, rate):
        cover = functional.avg_pool2d(foreground, foreground.shape[-1] // coarse.shape[-1])
        weighted = (coarse * (cover / (cover.sum((1, 2, 3), keepdim=True) + 1e-3))).sum((2, 3))
        pooled = torch.cat([weighted, coarse.mean((2, 3))], 1)
        return self.logits(pooled * (random >= rate) / (1 - rate))


class Tune(nn.Module):
    """tuneStep in its default configuration. Returns the loss and the metrics."""

    def __init__(self, network, geometry, classes, smoothing, dropout):
        super().__init__()
        self.geometry, self.side = geometry, network["viewSize"]
        self.smoothing, self.rate = smoothing, dropout
        self.encoder = Encoder(network["widths"], network["blocks"])
        self.classifier = Classifier(network["widths"][3], classes)

    def forward(self, pixels, frames, sizes, theta, gains, margins, labels, weights, random):
        with torch.no_grad():
            at = view_pixels(theta, self.side)
            seen = read_crops(pixels.to(gains.dtype), sizes, at) * gains.view(-1, 3, 1, 1)
            mask = read_frame(frames.to(gains.dtype) / 255, self.geometry["frameExtent"], sizes, at)
            view = suppress_background(normalise_colour(seen, self.geometry), mask, margins)
            targets = labels * (1 - self.smoothing) + self.smoothing / labels.shape[1]
        logits = self.classifier(self.encoder(view)[3], mask, random, self.rate)
        loss = -((functional.log_softmax(logits, 1) * targets).sum(1) * weights).mean()
        right = (logits.detach().argmax(1) == labels.argmax(1)).to(logits.dtype).mean()
        return loss, {"classes": loss.detach(), "accuracy": right}


class WeightAverage:
    """The running average of parameters and running statistics, as the TypeScript step keeps it."""

    def __init__(self, network):
        tracked = [*network.named_parameters(), *network.named_buffers()]
        self.names = [name for name, value in tracked if value.is_floating_point()]
        self.live = [value for _, value in tracked if value.is_floating_point()]
        self.values = [value.detach().clone() for value in self.live]

    @torch.no_grad()
    def update(self, decay):
        torch._foreach_mul_(self.values, decay)
        torch._foreach_add_(self.values, [value.detach() for value in self.live], alpha=1 - decay)


def use_layout(network, layout):
    """Weights and features in this memory format."""
    network.to(memory_format=layout)
    network.encoder.layout = layout
    return network
