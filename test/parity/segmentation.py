"""Writes fixtures/segmentation.json: the segmentation head, its loss and one step by PyTorch, mean IoU by torchmetrics,
nearest pixels by PyTorch, and masks written by Pillow.

    python3 test/parity/segmentation.py

Deterministic. Needs numpy, Pillow, torch and torchmetrics.
"""

import base64
import io
import json
import pathlib

import numpy as np
import PIL
import torch
import torchmetrics
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torchmetrics.classification import MulticlassJaccardIndex

BATCH, SIDE, SIZE, DIM, CLASSES, IGNORED = 2, 3, 8, 6, 5, 255
generator = torch.Generator().manual_seed(1)


def drawn(*shape):
    return torch.randn(*shape, generator=generator)


def values(tensor):
    return [float(value) for value in tensor.detach().reshape(-1)]


def head_case():
    norm, linear = nn.BatchNorm2d(DIM), nn.Conv2d(DIM, CLASSES, 1)
    with torch.no_grad():
        norm.weight.copy_(1 + 0.1 * drawn(DIM))
        norm.bias.copy_(0.1 * drawn(DIM))
        norm.running_mean.copy_(0.2 * drawn(DIM))
        norm.running_var.copy_(1 + 0.1 * torch.rand(DIM, generator=generator))
        linear.weight.copy_(0.3 * drawn(CLASSES, DIM, 1, 1))
        linear.bias.copy_(0.1 * drawn(CLASSES))
    tokens = (1 + drawn(BATCH, SIDE * SIDE, DIM)).requires_grad_()
    labels = torch.randint(0, CLASSES, (BATCH, SIZE, SIZE), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < 0.2] = IGNORED
    # Dropout2d with its draw as an input.
    dropped = (torch.rand(BATCH, DIM, generator=generator) >= 0.3).float() / 0.7
    named = {
        "segment_norm.weight": norm.weight,
        "segment_norm.bias": norm.bias,
        "segment_norm.running_mean": norm.running_mean,
        "segment_norm.running_var": norm.running_var,
        "segment_head.weight": linear.weight,
        "segment_head.bias": linear.bias,
    }
    # A convolution of 1 × 1 keeps its weight as [out, in, 1, 1].
    stored = lambda name, value: value[:, :, 0, 0].T if name == "segment_head.weight" else value
    state = lambda: {name: values(stored(name, value)) for name, value in named.items()}

    def scores(factors):
        grid = tokens.transpose(1, 2).reshape(BATCH, DIM, SIDE, SIDE)
        small = linear(norm(grid) * factors[:, :, None, None])
        return F.interpolate(small, size=(SIZE, SIZE), mode="bilinear", align_corners=False)

    before = state()
    norm.eval()
    evaluated = scores(torch.ones(BATCH, DIM)).permute(0, 2, 3, 1)
    norm.train()
    learning_rate, weight_decay = 0.01, 0.05
    # Vectors have no decay.
    optimizer = torch.optim.AdamW(
        [
            {"params": [linear.weight], "weight_decay": weight_decay},
            {"params": [linear.bias, norm.weight, norm.bias], "weight_decay": 0.0},
        ],
        lr=learning_rate,
        betas=(0.9, 0.999),
        eps=1e-8,
    )
    loss = F.cross_entropy(scores(dropped), labels, ignore_index=IGNORED)
    loss.backward()
    optimizer.step()
    return {
        "batch": BATCH, "tokens": SIDE * SIDE, "dim": DIM, "size": SIZE, "classes": CLASSES,
        "inputs": values(tokens), "labels": labels.reshape(-1).tolist(), "dropped": values(dropped),
        "learningRate": learning_rate, "weightDecay": weight_decay,
        "before": before, "evaluated": values(evaluated), "loss": float(loss.detach()),
        "gradientOfTokens": values(tokens.grad), "after": state(),
    }  # fmt: skip


def iou_case(classes, pixels, absent):
    present = [c for c in range(classes) if c not in absent]
    choose = lambda: torch.tensor(present)[torch.randint(0, len(present), (pixels,), generator=generator)]
    truth, predicted = choose(), choose()
    predicted[: pixels // 2] = truth[: pixels // 2]
    truth[torch.rand(pixels, generator=generator) < 0.1] = IGNORED
    index = lambda average: MulticlassJaccardIndex(classes, average=average, ignore_index=IGNORED)(predicted, truth)
    counted = truth != IGNORED
    return {
        "classes": classes, "truth": truth.tolist(), "predicted": predicted.tolist(), "absent": absent,
        "mean": 100 * float(index("macro")), "each": [100 * value for value in values(index("none"))],
        "pixelAccuracy": 100 * float((truth == predicted)[counted].float().mean()),
    }  # fmt: skip


def nearest_case(length, size):
    line = torch.arange(length, dtype=torch.float32)[None, None]
    return {"length": length, "size": size, "indices": [int(i) for i in F.interpolate(line, size=size, mode="nearest-exact")[0, 0]]}


def mask_case(mode, bits, highest, width=13, height=7):
    numbers = torch.randint(0, highest + 1, (height, width), generator=generator).numpy()
    numbers[0, :4] = highest
    options = {}
    if mode == "P":
        image = Image.fromarray(numbers.astype(np.uint8), mode="P")
        # Colours that do not give the number away, two of them equal.
        image.putpalette([(7 * i + c * 50) % 199 for i in range(256) for c in range(3)])
        options = {"bits": bits}
    elif mode == "I;16":
        image = Image.fromarray(numbers.astype(np.uint16))
    elif mode == "1":
        image = Image.fromarray((numbers * 255).astype(np.uint8)).convert("1")
    else:
        image = Image.fromarray(numbers.astype(np.uint8), mode="L")
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return {
        "mode": mode, "bits": bits, "png": base64.b64encode(file.getvalue()).decode(),
        "height": height, "width": width, "numbers": numbers.reshape(-1).tolist(),
    }  # fmt: skip


def coloured_png():
    file = io.BytesIO()
    Image.new("RGB", (2, 2), (1, 2, 3)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


result = {
    "madeWith": f"torch {torch.__version__}, torchmetrics {torchmetrics.__version__}, Pillow {PIL.__version__}",
    "head": head_case(),
    "iou": [iou_case(4, 200, []), iou_case(6, 300, [2, 5]), iou_case(3, 60, [0])],
    "nearest": [nearest_case(*sizes) for sizes in [(8, 8), (5, 8), (13, 4), (100, 36), (3, 7)]],
    "masks": [
        mask_case("P", 8, 255), mask_case("P", 4, 15), mask_case("P", 2, 3), mask_case("P", 1, 1),
        mask_case("L", 8, 255, width=40, height=30), mask_case("I;16", 16, 200), mask_case("1", 1, 1),
    ],
    "coloured": coloured_png(),
}  # fmt: skip
path = pathlib.Path(__file__).parent / "fixtures" / "segmentation.json"
path.write_text(json.dumps(result, separators=(",", ":")) + "\n")
