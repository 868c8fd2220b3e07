"""Stage 0's masks with scikit-image and scipy, timed on request. The peer of bench/cases/masks.ts.

The same operations as src/heads/pseudomask.ts with the same settings, written as one would with these libraries: whole
arrays, exact distance transforms, labels. What several outlines share is computed once, as in ours. The one step that
has no counterpart is the flood with merging of src/heads/touching.ts; here it is a watershed of the distance transform
whose basins are merged by the same rule.

Speaks as turns.py says; a unit of work is one crop, in turn over the list. --masks FOLDER writes every mask there first,
as bytes, so that the two sides' results can be compared.
"""

import argparse
import itertools
import os
import sys

parser = argparse.ArgumentParser()
parser.add_argument("images", help="file with one path of an image per line")
parser.add_argument("--masks")
parser.add_argument("--threads", type=int, default=1)
options = parser.parse_args()
for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]:
    os.environ[name] = str(options.threads)
sys.dont_write_bytecode = True

import numpy as np  # noqa: E402
import scipy  # noqa: E402
import skimage  # noqa: E402
import skimage.io  # noqa: E402
from scipy import ndimage as ndi  # noqa: E402
from scipy.spatial import ConvexHull  # noqa: E402
from skimage.feature import peak_local_max  # noqa: E402
from skimage.filters import threshold_otsu  # noqa: E402
from skimage.segmentation import watershed  # noqa: E402

from turns import serve  # noqa: E402

SMOOTHING, LEVEL, SADDLE, OPENING, FALL, REACH, BAND = 1.2, 0.5, 0.85, 0.5, 0.4, 0.3, 0.3
TRIANGLE = np.array([7 - abs(k) for k in range(-6, 7)], float)


def black_border(image):
    dark = image.sum(axis=2, dtype=np.int32) < 30
    if not (dark[0].any() or dark[-1].any() or dark[:, 0].any() or dark[:, -1].any()):
        return np.zeros_like(dark)
    labels, _ = ndi.label(dark)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return np.isin(labels, edge[edge > 0])


def contrast(image):
    height, width, _ = image.shape
    border = black_border(image)
    use = ~border
    pixels = image[use]
    background = np.array(
        [np.argmax(np.convolve(np.bincount(pixels[:, c], minlength=256), TRIANGLE, "same")) for c in range(3)]
    )
    drop = background - image.astype(np.int32)
    drop[border] = 0
    total = drop.sum(axis=2)
    rank = int(0.95 * (total.size - 1))
    darkest = np.partition(total, rank, axis=None)[rank]
    dark, near = use & (total >= darkest), use & (np.abs(total) < 45)
    stain = drop[dark].sum(axis=0) / max(1, dark.sum())
    spread = (drop[near] ** 2).sum(axis=0) / max(1, near.sum())
    weights = np.maximum(0, stain) / (spread + 4)
    weights = weights / (weights.sum() or 1)
    values = (drop @ weights).astype(np.float32)
    return flatten(values, use), background


def flatten(values, use):
    height, width = values.shape
    u = ((2 * np.arange(width) + 1) / width - 1)[None, :]
    v = ((2 * np.arange(height) + 1) / height - 1)[:, None]
    across, down = np.broadcast_to(u, values.shape), np.broadcast_to(v, values.shape)
    limit = deviation = 25.0
    for _ in range(3):
        chosen = use & (np.abs(values) <= limit)
        n = chosen.sum()
        if n < 30:
            break
        a = np.stack([np.ones(n), across[chosen], down[chosen]])
        normal = a @ a.T
        normal[1, 1] += 1e-3 * n
        fit = np.linalg.solve(normal, a @ values[chosen])
        values = np.where(use, values - (fit[0] + fit[1] * u + fit[2] * v), values).astype(np.float32)
        deviation = np.sqrt((values[chosen].astype(float) ** 2).sum() / n)
        limit = max(4, 2.5 * deviation)
    return values, deviation


def distance(mask):
    """Distance of inside pixels to the nearest outside one; far where there is none."""
    return ndi.distance_transform_edt(mask) if not mask.all() else np.full(mask.shape, 1e4)


def disk(radius):
    reach = np.arange(-int(radius), int(radius) + 1)
    return reach[:, None] ** 2 + reach[None, :] ** 2 <= radius * radius + 1e-9


def opened(mask, radius):
    # Small disks are faster as footprints, large ones by distances; the results are the same.
    if radius < 1:
        return mask
    if radius < 4:
        shape = disk(radius)
        return ndi.binary_dilation(ndi.binary_erosion(mask, shape, border_value=1), shape)
    core = distance(mask) > radius
    return distance(~core) <= radius if core.any() else core


def largest(mask):
    labels, count = ndi.label(mask)
    if count <= 1:
        return mask if count else None
    return labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])


def central(mask, width, x, y):
    """The region that fits best by size and nearness, its holes filled, and its score."""
    labels, count = ndi.label(mask)
    if count == 0:
        return None, 0
    flat = labels.ravel()
    areas = np.bincount(flat)[1:]
    rows, columns = np.divmod(np.flatnonzero(flat), mask.shape[1])
    inside = flat[flat > 0]
    cx = np.bincount(inside, columns + 0.5)[1:] / areas
    cy = np.bincount(inside, rows + 0.5)[1:] / areas
    scores = areas * np.exp(-((cx - x) ** 2 + (cy - y) ** 2) / (2 * (0.2 * width) ** 2))
    best = np.argmax(scores)
    return ndi.binary_fill_holes(labels == best + 1), scores[best]


def cut_tail(mask):
    return opened(mask, OPENING * distance(mask).max())


def split_touching(mask):
    depth = ndi.gaussian_filter(distance(mask).astype(np.float32), 1)
    summits = peak_local_max(depth, min_distance=1, exclude_border=False, labels=mask.astype(np.int32))
    if len(summits) <= 1:
        return mask.astype(np.int32), len(summits)
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(summits.T)] = np.arange(1, len(summits) + 1)
    labels = watershed(-depth, markers, mask=mask, connectivity=2)
    tops = ndi.maximum(depth, labels, np.arange(1, len(summits) + 1))
    passes = {}
    for shift in [(0, 1), (1, 0), (1, 1), (1, -1)]:
        height, width = mask.shape
        a = (slice(0, height - shift[0]), slice(max(0, -shift[1]), width - max(0, shift[1])))
        b = (slice(shift[0], height), slice(max(0, shift[1]), width + min(0, shift[1])))
        one, two = labels[a], labels[b]
        meet = (one != two) & (one > 0) & (two > 0)
        for p, q, level in zip(one[meet], two[meet], np.minimum(depth[a], depth[b])[meet]):
            key = (min(p, q), max(p, q))
            passes[key] = max(passes.get(key, 0), level)
    parent = list(range(len(summits) + 1))

    def find(k):
        while parent[k] != k:
            k = parent[k]
        return k

    for (p, q), level in sorted(passes.items(), key=lambda item: -item[1]):
        p, q = find(p), find(q)
        if p == q:
            continue
        low, high = (p, q) if tops[p - 1] < tops[q - 1] else (q, p)
        if level > SADDLE * tops[low - 1]:
            parent[low] = high
    roots = np.array([0] + [find(k) for k in range(1, len(summits) + 1)])
    names, labels = np.unique(roots[labels], return_inverse=True)
    return labels.reshape(mask.shape), len(names) - 1


def refine(absorption, rough):
    inside = distance(rough)
    half = inside.max()
    band = BAND * half
    signed = np.where(rough, inside - 0.5, 0.5 - distance(~rough))
    undecided = np.abs(signed) <= band
    light = np.maximum(absorption, 0)
    mask = rough
    for _ in range(2):
        core = (inside if mask is rough else distance(mask)) > 0.1 * half
        weight = ndi.gaussian_filter(core.astype(np.float32), REACH * half)
        value = ndi.gaussian_filter(np.where(core, light, 0), REACH * half)
        head = np.where(undecided, (weight > 1e-6) & (absorption * weight > FALL * value), signed > band)
        head = largest(ndi.binary_fill_holes(head))
        if head is None:
            return rough
        head = largest(opened(head, OPENING * distance(head).max()))
        if head is None:
            return rough
        mask = ndi.binary_fill_holes(head)
    return mask


def smoothed(plane, smoothing):
    smooth = ndi.gaussian_filter(plane, smoothing * min(1, min(plane.shape) / 131))
    return smooth, threshold_otsu(np.maximum(smooth, 0))


def outline(stain, level):
    smooth, otsu = stain
    height, width = smooth.shape
    size = min(width, height)
    whole = np.zeros(smooth.shape, bool)
    filled = ndi.binary_fill_holes(smooth > level * otsu)
    found, _ = central(opened(filled, 0.02 * size), size, width / 2, height / 2)
    if found is None:
        return whole
    margin = 2 + int(np.ceil(BAND * distance(found).max()))
    rows, columns = ndi.find_objects(found.astype(np.int8))[0]
    top, left = max(0, rows.start - margin), max(0, columns.start - margin)
    window = (slice(top, rows.stop + margin), slice(left, columns.stop + margin))
    place = (size, width / 2 - left, height / 2 - top)
    body = cut_tail(found[window])
    labels, count = split_touching(body)
    if count > 1:
        parts = [central(labels == k, *place) for k in range(1, count + 1)]
        head = max(parts, key=lambda part: part[1])[0]
        head = head if head is None else ndi.binary_fill_holes(cut_tail(head))
    else:
        head, _ = central(body, *place)
    if head is not None and head.any():
        whole[window] = refine(smooth[window], head)
    return whole


def overlap(a, b):
    either = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / either if either else 0


def ramp(value, zero, one):
    return min(1, max(0, (value - zero) / (one - zero)))


def plausibility(mask, plane, noise):
    area = np.count_nonzero(mask)
    if area == 0:
        return 0
    height, width = mask.shape
    ring = np.zeros(mask.shape, bool)
    ring[[0, -1]] = True
    ring[:, [0, -1]] = True
    edge = mask & ~ndi.binary_erosion(mask)
    rows, columns = np.nonzero(mask)
    covariance = np.cov(columns, rows, bias=True) + np.eye(2) / 12
    minor, major = np.linalg.eigvalsh(covariance)
    corners = np.argwhere(edge)
    corners = np.concatenate([corners + d for d in [(0, 0), (0, 1), (1, 0), (1, 1)]])
    share = area / mask.size
    return (
        min(ramp(share, 0.005, 0.02), ramp(share, 0.85, 0.7))
        * ramp(area / ConvexHull(corners).volume, 0.6, 0.88)
        * ramp(np.count_nonzero(mask & ring) / np.count_nonzero(edge), 0.5, 0.1)
        * ramp(np.sqrt(major) / max(0.25, np.sqrt(minor)), 6, 4)
        * ramp(plane[mask].mean() / max(1, noise), 1.5, 4)
    )


def pseudo_mask(image):
    (plane, noise), _ = contrast(image)
    stain = smoothed(plane, SMOOTHING)
    mask = outline(stain, LEVEL)
    gate = plausibility(mask, plane, noise)
    if gate == 0:
        return mask, 0
    masks = [
        mask,
        outline(stain, LEVEL * 0.75),
        outline(stain, LEVEL * 1.3),
        outline(smoothed(plane, SMOOTHING * 1.8), LEVEL),
    ]
    return mask, gate * np.mean([overlap(masks[i], masks[j]) for i in range(4) for j in range(i + 1, 4)])


paths = [line for line in open(options.images).read().split("\n") if line]
crops = [np.ascontiguousarray(skimage.io.imread(path)[:, :, :3]) for path in paths]
if options.masks:
    for i, crop in enumerate(crops):
        pseudo_mask(crop)[0].astype(np.uint8).tofile(os.path.join(options.masks, f"{i}.bin"))
ahead = itertools.cycle(crops)
serve(f"scikit-image {skimage.__version__}, scipy {scipy.__version__}", lambda: pseudo_mask(next(ahead)))
