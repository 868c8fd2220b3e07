"""Small image files of every kind, written by Pillow, tifffile or by hand, with the pixels they stand for.

Run: python3 scripts/images-reference.py   (Debian: python3-pil, python3-tifffile; made with Pillow 9.4, tifffile 2023)
Writes src/imaging/fixtures/images.json for src/imaging/decode.test.ts.
"""

import base64
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL
import tifffile
from PIL import Image

random = np.random.default_rng(65)
cases = []


def add(name, content, rgb, format, depth=8, tolerance=0):
    height, width, _ = rgb.shape
    cases.append(
        {
            "name": name,
            "format": format,
            "bitDepth": depth,
            "width": width,
            "height": height,
            "rgb": [int(v) for v in rgb.ravel()],
            "tolerance": tolerance,
            "bytes": base64.b64encode(content).decode(),
        }
    )


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def tiff(samples, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, samples, software=None, metadata=None, **options)
    return out.getvalue()


def deep_png(samples, colour):
    """A 16-bit PNG, which Pillow cannot write in colour. colour: 0 grey, 2 RGB, 4 grey + alpha, 6 RGBA."""
    height, width = samples.shape[:2]
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def grey(plane):
    return np.repeat(plane[:, :, None], 3, axis=2)


def on_white(rgb, alpha, top):
    share = alpha.astype(float) / top
    return rgb * share[:, :, None] + top * (1 - share[:, :, None])


def from16(samples):
    return np.floor(np.asarray(samples, float) * 255 / 65535 + 0.5)


def bitmap(rgb, bits, top_down=False, palette=None, compression=0, header=40):
    """A BMP by hand. palette: indices and colours instead of rgb."""
    if palette:
        indices, colours = palette
        table = b"".join(bytes([b, g, r, 0]) for r, g, b in colours)
        rows = [bytes(row.tolist()) for row in indices]
        height, width = indices.shape
    else:
        table = b""
        height, width, _ = rgb.shape
        fourth = (lambda: [0]) if bits == 32 else (lambda: [])
        rows = [bytes(v for r, g, b in row.tolist() for v in [b, g, r, *fourth()]) for row in rgb]
    rows = [row + b"\0" * (-len(row) % 4) for row in rows]
    if not top_down:
        rows.reverse()
    offset = 14 + header + len(table)
    info = struct.pack("<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits, compression, 0, 0, 0, 0, 0)
    info = info.ljust(header, b"\0")
    body = b"".join(rows)
    return struct.pack("<2sIHHI", b"BM", offset + len(body), 0, 0, offset) + info + table + body


rgb = random.integers(0, 256, (5, 7, 3), dtype=np.uint8)
plane = random.integers(0, 256, (5, 7), dtype=np.uint8)
alpha = random.integers(0, 256, (5, 7), dtype=np.uint8)
alpha[0, :3] = [0, 255, 128]
rgba = np.dstack([rgb, alpha])
deep = random.integers(0, 65536, (5, 7, 3), dtype=np.uint16)
deep[0, :3] = [[0, 65535, 257], [32768, 32767, 128], [129, 65406, 65407]]
deep_alpha = random.integers(0, 65536, (5, 7), dtype=np.uint16)
deep_alpha[0, :3] = [0, 65535, 32768]
camera = random.integers(0, 4096, (5, 7), dtype=np.uint16)
camera[0, 0] = 4095

add("PNG, RGB", saved(Image.fromarray(rgb), "PNG"), rgb, "png")
add("PNG, grey", saved(Image.fromarray(plane), "PNG"), grey(plane), "png")
add("PNG, black and white", saved(Image.fromarray(plane > 127), "PNG"), grey(np.where(plane > 127, 255, 0)), "png")
add("PNG, RGBA", saved(Image.fromarray(rgba), "PNG"), on_white(rgb, alpha, 255), "png", tolerance=0)
add("PNG, grey and alpha", saved(Image.fromarray(np.dstack([plane, alpha]), "LA"), "PNG"), on_white(grey(plane), alpha, 255), "png", tolerance=0)
indexed = Image.fromarray(plane % 4, "P")
colours = [(250, 10, 20), (30, 240, 50), (60, 70, 230), (0, 0, 0)]
indexed.putpalette([v for colour in colours for v in colour])
add("PNG, palette", saved(indexed, "PNG"), np.array(colours)[plane % 4], "png")
add("PNG, palette with a transparent colour", saved(indexed, "PNG", transparency=3), np.array([*colours[:3], (255, 255, 255)])[plane % 4], "png")
add("PNG, RGB 16 bit", deep_png(deep, 2), from16(deep), "png", 16)
add("PNG, grey 16 bit", deep_png(deep[:, :, 0], 0), grey(from16(deep[:, :, 0])), "png", 16)
add("PNG, RGBA 16 bit", deep_png(np.dstack([deep, deep_alpha]), 6), from16(on_white(deep, deep_alpha, 65535)), "png", 16)
add("PNG, grey and alpha 16 bit", deep_png(np.dstack([deep[:, :, 0], deep_alpha]), 4), from16(on_white(grey(deep[:, :, 0]), deep_alpha, 65535)), "png", 16)
add("PNG, 12-bit camera data", deep_png(camera, 0), grey(np.floor(camera.astype(float) * 255 / 4095 + 0.5)), "png", 16)
add("TIFF, RGB", tiff(rgb, photometric="rgb"), rgb, "tiff")
add("TIFF, RGB, LZW by Pillow", saved(Image.fromarray(rgb), "TIFF", compression="tiff_lzw"), rgb, "tiff")
add("TIFF, RGB 16 bit, big-endian", tiff(deep, photometric="rgb", byteorder=">"), from16(deep), "tiff", 16)
add("TIFF, grey 16 bit", tiff(deep[:, :, 1], photometric="minisblack"), grey(from16(deep[:, :, 1])), "tiff", 16)
add("TIFF, grey, white is zero", tiff(plane, photometric="miniswhite"), grey(255 - plane.astype(int)), "tiff")
add("TIFF, two pages: the first", tiff(np.stack([rgb, 255 - rgb]), photometric="rgb"), rgb, "tiff")
add("WebP, lossless", saved(Image.fromarray(rgb), "WEBP", lossless=True), rgb, "webp")
add("BMP, 24 bit", bitmap(rgb, 24), rgb, "bmp")
add("BMP, 24 bit by Pillow", saved(Image.fromarray(rgb), "BMP"), rgb, "bmp")
add("BMP, 24 bit, top row first", bitmap(rgb, 24, top_down=True), rgb, "bmp")
add("BMP, 24 bit, long header", bitmap(rgb, 24, header=124), rgb, "bmp")
add("BMP, 32 bit, fourth byte unused", bitmap(rgb, 32), rgb, "bmp")
add("BMP, 8 bit palette", bitmap(None, 8, palette=(plane % 4, colours)), np.array(colours)[plane % 4], "bmp")
add("BMP, 8 bit palette, top row first", bitmap(None, 8, top_down=True, palette=(plane % 4, colours)), np.array(colours)[plane % 4], "bmp")
add("BMP, grey by Pillow", saved(Image.fromarray(plane), "BMP"), grey(plane), "bmp")

smooth = np.zeros((16, 24, 3), np.uint8)
smooth[:, :8] = (200, 60, 90)
smooth[:, 8:16] = (240, 240, 240)
smooth[:, 16:] = (20, 90, 160)
add("JPEG, RGB", saved(Image.fromarray(smooth), "JPEG", quality=98, subsampling=0), smooth, "jpeg", tolerance=3)
add("JPEG, progressive", saved(Image.fromarray(smooth), "JPEG", quality=98, subsampling=0, progressive=True), smooth, "jpeg", tolerance=3)
add("JPEG, grey", saved(Image.fromarray(smooth[:, :, 0]), "JPEG", quality=98), grey(smooth[:, :, 0]), "jpeg", tolerance=3)
turned = Image.Exif()
turned[0x0112] = 6  # the camera was turned: the stored picture must be rotated clockwise to be seen upright
add("JPEG, turned by its EXIF tag", saved(Image.fromarray(smooth), "JPEG", quality=98, subsampling=0, exif=turned.tobytes()), np.rot90(smooth, -1), "jpeg", tolerance=3)
inks = np.zeros((16, 16, 4), np.uint8)
inks[:, 8:, 3] = 255
# No ink is paper white; full black ink is nearly black in any profile.
add("JPEG, CMYK", saved(Image.fromarray(inks, "CMYK"), "JPEG", quality=98), grey(np.where(inks[:, :, 3] > 0, 25, 255)), "jpeg", tolerance=26)
one = np.array([[[7, 99, 201]]], np.uint8)
add("PNG, 1 × 1", saved(Image.fromarray(one), "PNG"), one, "png")
add("BMP, 1 × 1", bitmap(one, 24), one, "bmp")

target = Path(__file__).resolve().parent.parent / "src/imaging/fixtures/images.json"
made_by = f"scripts/images-reference.py, Pillow {PIL.__version__}, tifffile {tifffile.__version__}"
target.write_text(json.dumps({"madeBy": made_by, "images": cases}, separators=(",", ":")) + "\n")
