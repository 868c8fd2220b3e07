"""Numbers that the tests of src/imaging compare with, computed by scipy and scikit-image.

Run: python3 scripts/imaging-reference.py   (Debian: python3-scipy, python3-skimage; made with scipy 1.10, skimage 0.19)
Writes src/imaging/fixtures/reference.json. The inputs are stored with the outputs, so the tests need no Python.
"""

import json
from pathlib import Path

import numpy as np
import scipy
import skimage
from scipy import ndimage
from skimage import filters, measure

random = np.random.default_rng(20220207)


def rounded(values, digits=6):
    return [round(float(v), digits) for v in np.asarray(values).ravel()]


def squares(distances):
    return [int(round(float(d) ** 2)) for d in distances.ravel()]


def plane(values):
    height, width = values.shape
    return {"width": width, "height": height, "data": rounded(values)}


def mask(values):
    height, width = values.shape
    return {"width": width, "height": height, "data": "".join("#" if v else "." for v in values.ravel())}


def gaussians():
    cases = []
    for shape, sigma in [((11, 17), 0.4), ((11, 17), 1.2), ((17, 11), 2.5), ((4, 3), 3.0), ((1, 9), 1.0), ((1, 1), 2.0)]:
        image = np.round(random.normal(100, 40, shape), 2)
        smooth = ndimage.gaussian_filter(image.astype(np.float64), sigma, mode="reflect", truncate=4.0)
        cases.append({"sigma": sigma, "input": plane(image), "output": rounded(smooth, 4)})
    return cases


def thresholds():
    cases = []
    for values in [
        np.concatenate([random.normal(10, 3, 300), random.normal(60, 9, 120)]),
        np.concatenate([random.normal(0, 1, 350), random.normal(4, 1, 50)]),
        random.uniform(-5, 5, 200),
        random.gamma(2, 7, 300),
        np.array([3.0, 3.0, 3.0, 8.0]),
    ]:
        values = values.astype(np.float32)
        cases.append(
            {
                "values": rounded(values),
                "otsu": float(filters.threshold_otsu(values.astype(np.float64)[None, :], nbins=256)),
                "bin": float((values.max() - values.min()) / 256),
                "quantiles": [
                    [share, float(np.quantile(values.astype(np.float64), share, method="nearest"))]
                    for share in (0, 0.031, 0.2, 0.77, 0.951, 1)
                ],
            }
        )
    return cases


def blobs(shape, sigma, share):
    """Random shapes: smoothed noise, cut so that about a share is inside."""
    noise = ndimage.gaussian_filter(random.normal(size=shape), sigma, mode="wrap")
    return noise > np.quantile(noise, 1 - share)


def disk(radius):
    reach = int(np.floor(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return x * x + y * y <= radius * radius


def masks():
    cases = []
    for shape, sigma, share in [((30, 41), 1.3, 0.5), ((41, 30), 2.2, 0.3), ((25, 25), 0.7, 0.45), ((33, 33), 1.1, 0.75)]:
        inside = blobs(shape, sigma, share)
        labels = measure.label(inside, connectivity=1)
        border = lambda r: r.bbox[0] == 0 or r.bbox[1] == 0 or r.bbox[2] == shape[0] or r.bbox[3] == shape[1]
        opening = []
        for radius in (1, 1.5, 2, 2.9):
            # scipy takes what lies beyond the image as outside unless told otherwise.
            eroded = ndimage.binary_erosion(inside, disk(radius), border_value=1)
            dilated = ndimage.binary_dilation(inside, disk(radius), border_value=0)
            opened = ndimage.binary_dilation(eroded, disk(radius), border_value=0)
            opening.append({"radius": radius, "eroded": mask(eroded), "dilated": mask(dilated), "opened": mask(opened)})
        cases.append(
            {
                "mask": mask(inside),
                "squaredDistance": squares(ndimage.distance_transform_edt(inside)),
                "squaredDistanceOutside": squares(ndimage.distance_transform_edt(~inside)),
                "filled": mask(ndimage.binary_fill_holes(inside)),
                "morphology": opening,
                "regions": [
                    {
                        "area": int(r.area),
                        "x": round(r.centroid[1] + 0.5, 9),
                        "y": round(r.centroid[0] + 0.5, 9),
                        "touchesBorder": bool(border(r)),
                    }
                    for r in measure.regionprops(labels)
                ],
            }
        )
    return cases


def main():
    target = Path(__file__).resolve().parent.parent / "src/imaging/fixtures/reference.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    reference = {
        "madeBy": f"scripts/imaging-reference.py, scipy {scipy.__version__}, scikit-image {skimage.__version__}",
        "gaussians": gaussians(),
        "thresholds": thresholds(),
        "masks": masks(),
    }
    target.write_text(json.dumps(reference, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
