"""Writes fixtures/augmentations.json: timm's RandAugment, on Pillow, and its random erasing.

    python3 test/parity/augmentations.py

Pixels of each operation at fixed arguments, the arguments of fixed magnitudes, and the distributions of 2,000 draws.
Deterministic. Needs numpy, Pillow, torch and timm.
"""

import base64
import json
import math
import pathlib
import random
from unittest import mock

import numpy as np
import PIL
import timm
import torch
from PIL import Image, ImageOps
from timm.data import auto_augment as aa
from timm.data.random_erasing import RandomErasing

FILL = tuple(round(255 * mean) for mean in (0.485, 0.456, 0.406))
HPARAMS = {"img_mean": FILL, "interpolation": Image.Resampling.BICUBIC}
DRAWS = 2000
QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]


def plain_name(name):
    """Both forms of an operation have one name."""
    return name.removesuffix("Increasing").removesuffix("Rel")


def posterize(image, bits):
    """Pillow no longer accepts 0 bits, of magnitude 10. It used to return a black image."""
    return Image.new("RGB", image.size) if bits == 0 else ImageOps.posterize(image, bits)


# --- pixels ----------------------------------------------------------------------------------------------------------


def pictures():
    """Shapes with noise over a gradient, of several sizes; small ones with few values, and with a channel of one value."""
    rng = np.random.default_rng(0)
    for height, width in [(16, 20), (17, 17), (7, 9), (2, 5)]:
        y, x, c = np.mgrid[0:height, 0:width, 0:3]
        values = 30 + 6 * x * (c != 1) + 5 * y * (c != 0) + 70 * (((x // 4) + (y // 5)) % 2) + rng.integers(0, 40, x.shape)
        yield np.clip(values, 0, 255).astype(np.uint8)
    flat = np.full((24, 24, 3), 90, np.uint8)
    flat[4:12, 3:15, 1] = 200
    flat[..., 2] = rng.integers(40, 60, (24, 24))
    yield flat


ARGUMENTS = {
    "AutoContrast": [0],
    "Equalize": [0],
    "Invert": [0],
    "Rotate": [27.0, -27.0, 13.37, -4.5, 30.0, 0.0],
    "Posterize": [0, 1, 2, 3, 4],
    "Solarize": [0, 26, 128, 255, 256],
    "SolarizeAdd": [0, 55, 99, 110, 128],
    "Color": [0.1, 0.55, 1.0, 1.81, 1.9],
    "Contrast": [0.1, 0.55, 1.0, 1.81, 1.9],
    "Brightness": [0.1, 0.55, 1.0, 1.81, 1.9],
    "Sharpness": [0.1, 0.55, 1.0, 1.81, 1.9],
    "ShearX": [0.27, -0.27, 0.03, 0.3, 0.0],
    "ShearY": [0.27, -0.27, 0.03, 0.3, 0.0],
    "TranslateX": [0.405, -0.405, 0.1, 0.45, 0.0],
    "TranslateY": [0.405, -0.405, 0.1, 0.45, 0.0],
}


def apply(name, image, argument):
    if name == "Posterize":
        return posterize(image, argument)
    function = aa.NAME_TO_OP[f"{name}Rel" if name.startswith("Translate") else name]
    arguments = [] if aa.LEVEL_TO_ARG[name] is None else [argument]
    return function(image, *arguments, fillcolor=FILL, resample=HPARAMS["interpolation"])


def packed(pixels):
    return base64.b64encode(np.asarray(pixels).tobytes()).decode()


def pixel_cases():
    for number, pixels in enumerate(pictures()):
        image = Image.fromarray(pixels)
        results = [
            {"name": name, "argument": argument, "pixels": packed(apply(name, image, argument))}
            for name, arguments in ARGUMENTS.items()
            if number < 4 or name in ("AutoContrast", "Equalize", "Color", "Contrast")
            for argument in (arguments if number == 0 else arguments[:2])
        ]
        yield {"height": pixels.shape[0], "width": pixels.shape[1], "pixels": packed(pixels), "results": results}


# --- arguments -------------------------------------------------------------------------------------------------------


def arguments_of(magnitude, increasing):
    """The arguments of an operation for both signs."""
    found = {}
    for name in aa._RAND_INCREASING_TRANSFORMS if increasing else aa._RAND_TRANSFORMS:
        level = aa.LEVEL_TO_ARG[name]
        if level is None:
            found[plain_name(name)] = [0]
            continue
        both = set()
        for uniform in (0.0, 1.0):
            with mock.patch.object(random, "random", return_value=uniform):
                both.add(level(magnitude, HPARAMS)[0])
        found[plain_name(name)] = sorted(both)
    return {"magnitude": magnitude, "increasing": increasing, "arguments": found}


# --- distributions ---------------------------------------------------------------------------------------------------

MOST = {"Rotate": 30, "ShearX": 0.3, "ShearY": 0.3, "TranslateX": 0.45, "TranslateY": 0.45}


def drawn_operations(text):
    """What timm applies to 2,000 images."""
    log = []

    def recorder(name):
        def record(image, *arguments, **_):
            log[-1].append((plain_name(name), arguments[0] if arguments else 0))
            return image

        return record

    random.seed(1), np.random.seed(1)
    with mock.patch.dict(aa.NAME_TO_OP, {name: recorder(name) for name in aa.NAME_TO_OP}):
        transform = aa.rand_augment_transform(text, dict(HPARAMS))
        for _ in range(DRAWS):
            log.append([])
            transform(None)
    every = [drawn for own in log for drawn in own]
    levels = [abs(argument) / MOST[name] for name, argument in every if name in MOST]
    negative = [argument < 0 for name, argument in every if name in MOST]
    return {
        "text": text,
        "perImage": [sum(len(own) == count for own in log) for count in range(3)],
        "counts": {name: sum(own == name for own, _ in every) for name in ARGUMENTS},
        "levels": np.quantile(levels, QUANTILES).tolist(),
        "negative": float(np.mean(negative)),
    }


def erased_boxes(size):
    random.seed(2), torch.manual_seed(2)
    erase = RandomErasing(1.0, mode="pixel", device="cpu")
    areas, ratios, rows, columns, noise, missed = [], [], [], [], [], 0
    for _ in range(DRAWS):
        image = erase(torch.zeros(3, size, size))
        places = (image != 0).any(0).nonzero()
        if len(places) == 0:
            missed += 1
            continue
        (top, left), (bottom, right) = places.min(0).values.tolist(), (places.max(0).values + 1).tolist()
        areas.append((bottom - top) * (right - left) / size**2)
        ratios.append(math.log((bottom - top) / (right - left)))
        rows.append((top + bottom) / 2 / size), columns.append((left + right) / 2 / size)
        noise.append(image[:, top:bottom, left:right].flatten())
    values = torch.cat(noise)
    quantiles = {"area": areas, "logRatio": ratios, "row": rows, "column": columns}
    return {
        "size": size,
        "missed": missed,
        "quantiles": {name: np.quantile(values, QUANTILES).tolist() for name, values in quantiles.items()},
        "noise": [values.mean().item(), values.std().item()],
    }


def erased_share(probability):
    random.seed(3)
    erase = RandomErasing(probability, mode="pixel", device="cpu")
    return sum(bool((erase(torch.zeros(3, 16, 16)) != 0).any()) for _ in range(DRAWS)) / DRAWS


def main():
    fixture = {
        "madeWith": f"timm {timm.__version__}, Pillow {PIL.__version__}",
        "images": list(pixel_cases()),
        "arguments": [arguments_of(m, inc) for m in (0, 2.5, 5, 9, 10) for inc in (True, False)],
        "draws": DRAWS,
        "quantiles": QUANTILES,
        "drawn": [drawn_operations("rand-m9-mstd0.5-inc1"), drawn_operations("rand-m4-n1-p0.8-mstd2")],
        "erased": [erased_boxes(32), erased_boxes(224)],
        "erasedShare": {"0.25": erased_share(0.25)},
    }
    path = pathlib.Path(__file__).parent / "fixtures" / "augmentations.json"
    path.write_text(json.dumps(fixture) + "\n")


if __name__ == "__main__":
    main()
