"""Writes fixtures/corruptions.json: corruptions of CIFAR-10-C, computed again with NumPy, SciPy and Pillow.

    python3 test/parity/corruptions.py

Random numbers come from named streams, so that the draws are the same. Deterministic. Needs numpy, scipy and Pillow.
"""

import base64
import io
import json
import math
import pathlib

import numpy as np
import PIL
import scipy
from PIL import Image
from scipy import ndimage, stats

from streams import Stream

SIDE = 32


def picture():
    """Discs and stripes with noise, with saturated and dark parts."""
    rng = np.random.default_rng(4)
    y, x, c = np.mgrid[0:SIDE, 0:SIDE, 0:3]
    disc = ((y - 12) ** 2 + (x - 18) ** 2 < 60) * (90 + 60 * c)
    values = 40 + 4 * x * (c != 2) + disc - 30 * (((x + y) // 5) % 2) + rng.integers(0, 25, x.shape)
    return np.clip(values, 0, 255).astype(np.uint8)


BYTES = picture()
X = (BYTES / 255).astype(np.float32).astype(np.float64)


def drawn(stream, call, shape):
    return np.array([call(stream) for _ in range(math.prod(shape))]).reshape(shape)


def gaussian_noise(x, c, random):
    return x + c * drawn(random, lambda r: r.normal(), x.shape)


def impulse_noise(x, c, random):
    u = drawn(random, lambda r: r.uniform(), x.shape)
    return np.where(u < c / 2, 1.0, np.where(u < c, 0.0, x))


def defocus_blur(x, c, random):
    grid = np.arange(-8, 9)
    flat = (grid[:, None] ** 2 + grid**2 <= c["radius"] ** 2).astype(float)
    flat /= flat.sum()
    tap = np.exp(-np.array([1, 0, 1]) / (2 * c["alias"] ** 2))
    tap /= tap.sum()
    kernel = ndimage.correlate(flat, np.outer(tap, tap), mode="mirror")
    return np.stack([ndimage.correlate(x[..., i], kernel, mode="mirror") for i in range(3)], -1)


def blurred(x, sigma):
    return ndimage.gaussian_filter(x, (sigma, sigma, 0), mode="nearest", truncate=4)


def glass_blur(x, c, random):
    x = np.floor(blurred(x, c["sigma"]) * 255 + 1e-4) / 255  # white stays white whatever the rounding
    reach = c["reach"]
    for _ in range(c["rounds"]):
        for h in range(SIDE - reach, reach, -1):
            for w in range(SIDE - reach, reach, -1):
                dx, dy = (random.integer(2 * reach) - reach for _ in range(2))
                x[h, w], x[h + dy, w + dx] = x[h + dy, w + dx], x[h, w]  # of views: the second is not changed
    return blurred(x, c["sigma"])


def moved_along(x, radius, sigma, angle):
    """ImageMagick's line of pixels, from the pixel on."""
    total = np.zeros_like(x)
    weights = np.exp(-np.arange(2 * radius + 1) ** 2 / (2 * sigma**2))
    for i, weight in enumerate(weights / weights.sum()):
        dx, dy = math.ceil(i * math.cos(math.radians(angle)) - 0.5), math.ceil(i * math.sin(math.radians(angle)) - 0.5)
        rows, columns = np.clip(np.arange(SIDE) + dy, 0, SIDE - 1), np.clip(np.arange(SIDE) + dx, 0, SIDE - 1)
        total += weight * x[rows][:, columns]
    return total


def motion_blur(x, c, random):
    return moved_along(x, c["radius"], c["sigma"], random.uniform(-45, 45))


def clipped_zoom(x, factor):
    cropped = math.ceil(SIDE / factor)
    top = (SIDE - cropped) // 2
    # By default, SciPy makes the last row and column black if rounding puts them outside.
    crop = x[top : top + cropped, top : top + cropped]
    zoomed = ndimage.zoom(crop, (factor, factor, 1), order=1, mode="nearest")
    trim = (zoomed.shape[0] - SIDE) // 2
    return zoomed[trim : trim + SIDE, trim : trim + SIDE]


def zoom_blur(x, c, random):
    factors = np.arange(1, c["end"], c["step"])
    return (x + sum(clipped_zoom(x, factor) for factor in factors)) / (len(factors) + 1)


def snow(x, c, random):
    layer = c["mean"] + c["deviation"] * drawn(random, lambda r: r.normal(), (SIDE, SIDE))
    layer = clipped_zoom(layer[..., None], c["zoom"])[..., 0]
    layer[layer < c["threshold"]] = 0
    layer = np.floor(np.clip(layer, 0, 1) * 255) / 255
    layer = moved_along(layer, c["radius"], c["sigma"], random.uniform(-135, -45))[..., None]
    grey = (x @ [0.299, 0.587, 0.114])[..., None]
    x = c["kept"] * x + (1 - c["kept"]) * np.maximum(x, grey * 1.5 + 0.5)
    return x + layer + np.rot90(layer, k=2)


def plasma(decay, random):
    """Diamond and square, in whole arrays that wrap around."""
    size, noise = SIDE, 100.0
    grid = np.zeros((size, size))
    step = size

    def around(total):
        return total / 4 + noise * drawn(random, lambda r: r.uniform(-noise, noise), total.shape)

    while step >= 2:
        half = step // 2
        corners = grid[0:size:step, 0:size:step]
        total = corners + np.roll(corners, -1, 0)
        total = total + np.roll(total, -1, 1)
        grid[half:size:step, half:size:step] = around(total)
        centres, corners = grid[half:size:step, half:size:step], grid[0:size:step, 0:size:step]
        rows = centres + np.roll(centres, 1, 0) + corners + np.roll(corners, -1, 1)
        grid[0:size:step, half:size:step] = around(rows)
        columns = centres + np.roll(centres, 1, 1) + corners + np.roll(corners, -1, 0)
        grid[half:size:step, 0:size:step] = around(columns)
        step //= 2
        noise /= decay
    grid -= grid.min()
    return grid / grid.max()


def fog(x, c, random):
    highest = x.max()
    x = x + c["amount"] * plasma(c["decay"], random)[..., None]
    return x * highest / (highest + c["amount"])


def brightness(x, c, random):
    import colorsys

    result = np.empty_like(x)
    for place in np.ndindex(SIDE, SIDE):
        h, s, v = colorsys.rgb_to_hsv(*x[place])
        result[place] = colorsys.hsv_to_rgb(h, s, min(v + c, 1))
    return result


def contrast(x, c, random):
    means = x.mean((0, 1), keepdims=True)
    return (x - means) * c + means


def elastic_transform(x, c, random):
    third = SIDE // 3
    points = SIDE // 2 + third * np.array([[1, 1], [1, -1], [-1, -1]], float)  # (x, y)
    moved = points + np.array([[random.uniform(-c["moved"], c["moved"]) for _ in range(2)] for _ in range(3)])
    back = np.linalg.solve(np.c_[moved, np.ones(3)], points)  # (x', y', 1) to (x, y)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    places = np.stack([columns, rows, np.ones_like(rows)], -1) @ back
    at = [places[..., 1], places[..., 0]]
    x = np.stack([ndimage.map_coordinates(x[..., i], at, order=1, mode="mirror") for i in range(3)], -1)
    if c["amount"] == 0:
        return x
    dx, dy = (
        c["amount"]
        * ndimage.gaussian_filter(drawn(random, lambda r: r.uniform(-1, 1), (SIDE, SIDE)), c["sigma"], mode="reflect", truncate=3)
        for _ in range(2)
    )
    at = [rows + dy, columns + dx]
    return np.stack([ndimage.map_coordinates(x[..., i], at, order=1, mode="reflect") for i in range(3)], -1)


def pixelate(x, c, random):
    image = Image.fromarray(BYTES).resize((int(SIDE * c),) * 2, Image.Resampling.BOX)
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX)) / 255


def jpeg_compression(x, c, random):
    file = io.BytesIO()
    Image.fromarray(BYTES).save(file, "JPEG", quality=c)
    return np.asarray(Image.open(file)) / 255


def grey(x, c, random):
    return (1 - c) * x + c * (x @ [0.299, 0.587, 0.114])[..., None]


def elastic(amount, sigma, moved):
    return {"amount": SIDE * amount, "sigma": SIDE * sigma, "moved": SIDE * moved}


CASES = [
    (gaussian_noise, {1: 0.04, 5: 0.10}),
    (impulse_noise, {1: 0.01, 5: 0.07}),
    (defocus_blur, {1: {"radius": 0.3, "alias": 0.4}, 5: {"radius": 1.5, "alias": 0.1}}),
    (glass_blur, {2: {"sigma": 0.25, "reach": 1, "rounds": 1}, 5: {"sigma": 0.4, "reach": 1, "rounds": 2}}),
    (motion_blur, {1: {"radius": 6, "sigma": 1}, 5: {"radius": 9, "sigma": 2.5}}),
    (zoom_blur, {1: {"end": 1.06, "step": 0.01}, 5: {"end": 1.26, "step": 0.01}}),
    (
        snow,
        {
            1: {"mean": 0.1, "deviation": 0.2, "zoom": 1, "threshold": 0.6, "radius": 8, "sigma": 3, "kept": 0.95},
            4: {"mean": 0.25, "deviation": 0.3, "zoom": 2.25, "threshold": 0.6, "radius": 12, "sigma": 6, "kept": 0.85},
        },
    ),
    (fog, {1: {"amount": 0.2, "decay": 3}, 5: {"amount": 1.5, "decay": 1.75}}),
    (brightness, {1: 0.05, 5: 0.3}),
    (contrast, {1: 0.75, 5: 0.15}),
    (elastic_transform, {1: elastic(0, 0, 0.08), 2: elastic(0.05, 0.2, 0.07), 5: elastic(0.1, 0.03, 0.03)}),
    (pixelate, {1: 0.95, 5: 0.65}),
    (jpeg_compression, {1: 80, 5: 40}),
    (grey, {2: 0.4, 5: 1}),
]


def main():
    results = []
    for corrupt, strengths in CASES:
        for severity, strength in strengths.items():
            random = Stream(0, "corruption", corrupt.__name__, severity, 7)
            values = np.clip(corrupt(X.copy(), strength, random), 0, 1) * 255
            packed = base64.b64encode((100 * values).round().astype("<u2").tobytes()).decode()
            results.append({"name": corrupt.__name__, "severity": severity, "hundredths": packed})
    means = [0.4, 3, 9.5, 12, 75, 480]
    fixture = {
        "madeWith": f"numpy {np.__version__}, scipy {scipy.__version__}, Pillow {PIL.__version__}",
        "side": SIDE,
        "pixels": base64.b64encode(BYTES.tobytes()).decode(),
        "results": results,
        "poisson": [{"mean": m, "below": stats.poisson.cdf([m - m**0.5, m, m + m**0.5], m).tolist()} for m in means],
    }
    path = pathlib.Path(__file__).parent / "fixtures" / "corruptions.json"
    path.write_text(json.dumps(fixture) + "\n")


if __name__ == "__main__":
    main()
