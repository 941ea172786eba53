"""Writes fixtures/mixing.json: timm's cutmix boxes, label targets and drop-path rates, for comparison.

    python3 test/parity/mixing.py

Deterministic. Needs numpy, torch and timm.
"""

import json
import pathlib
from unittest import mock

import numpy as np
import timm
import torch
from timm.data import mixup
from timm.models.vision_transformer import VisionTransformer


def box(size, lam, row, column):
    """timm's box around a given centre: [top, left, bottom, right] and the share of the image that remains."""
    with mock.patch.object(np.random, "randint", side_effect=[row, column]):
        (top, bottom, left, right), share = mixup.cutmix_bbox_and_lam((3, size, size), lam)
    return [int(top), int(left), int(bottom), int(right)], float(share)


def box_case(size, lam, row, column):
    bounds, share = box(size, lam, row, column)
    return {"size": size, "lambda": lam, "row": row, "column": column, "box": bounds, "share": share}


def mean_share(size):
    """Mean over all centres, equally likely, and λ ~ Beta(1, 1), with which a side s has the probability (2s + 1)/size²."""
    total = 0.0
    for side in range(size):
        lam = 1 - ((side + 0.5) / size) ** 2  # any λ with this side
        shares = [box(size, lam, row, column)[1] for row in range(size) for column in range(size)]
        total += (2 * side + 1) / size**2 * float(np.mean(shares))
    return total


def target_case(labels, classes, lam, smoothing):
    target = mixup.mixup_target(torch.tensor(labels), classes, lam, smoothing)
    return {"labels": labels, "classes": classes, "lambda": lam, "labelSmoothing": smoothing, "target": target.tolist()}


def drop_path_case(depth, rate):
    model = VisionTransformer(img_size=8, patch_size=4, embed_dim=4, depth=depth, num_heads=1, drop_path_rate=rate)
    rates = [getattr(block.drop_path1, "drop_prob", 0.0) for block in model.blocks]
    return {"depth": depth, "rate": rate, "rates": [float(own) for own in rates]}


rng = np.random.default_rng(0)
fixture = {
    "madeWith": f"timm {timm.__version__}",
    "boxes": [
        box_case(size, round(float(rng.uniform()), 6), int(rng.integers(size)), int(rng.integers(size)))
        for size in (8, 15, 16, 32)
        for _ in range(12)
    ],
    "meanShare": {str(size): mean_share(size) for size in (16, 32)},
    "targets": [
        target_case([0, 3, 1, 1], 4, 1.0, 0.1),
        target_case([0, 3, 1, 1], 4, 0.3, 0.1),
        target_case([2, 0], 3, 0.85, 0.0),
    ],
    "dropPath": [drop_path_case(1, 0.3), drop_path_case(2, 0.3), drop_path_case(5, 0.2)],
}
path = pathlib.Path(__file__).parent / "fixtures" / "mixing.json"
path.write_text(json.dumps(fixture) + "\n")
