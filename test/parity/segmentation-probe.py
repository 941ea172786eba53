"""Writes fixtures/segmentation-probe.json: a segmentation head that PyTorch trains on frozen features that vitmim wrote.

    node dist/test/parity/write-segmentation.js FEATURES.json
    python3 test/parity/segmentation-probe.py FEATURES.json

The recipe is that of the case: batch norm and a convolution of 1 × 1, bilinear upsampling, cross-entropy, AdamW with a linear
warm-up and half a cosine. Deterministic. Needs torch. segmentation.py compares mean IoU with torchmetrics.
"""

import json
import math
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
case = json.loads(pathlib.Path(sys.argv[1]).read_text())
size, side, dim, classes, recipe = (case[key] for key in ("size", "tokens", "dim", "classes", "recipe"))


def loaded(split):
    features = torch.tensor(split["features"]).reshape(-1, side, side, dim).permute(0, 3, 1, 2).contiguous()
    return features, torch.tensor(split["masks"]).reshape(-1, size, size)


norm, linear = nn.BatchNorm2d(dim), nn.Conv2d(dim, classes, 1)
with torch.no_grad():
    norm.weight.copy_(torch.tensor(case["head"]["segment_norm.weight"]))
    norm.bias.copy_(torch.tensor(case["head"]["segment_norm.bias"]))
    linear.weight.copy_(torch.tensor(case["head"]["segment_head.weight"]).reshape(dim, classes).T[:, :, None, None])
    linear.bias.copy_(torch.tensor(case["head"]["segment_head.bias"]))
# Matrices decay, vectors do not.
optimizer = torch.optim.AdamW(
    [
        {"params": [linear.weight], "weight_decay": recipe["weightDecay"]},
        {"params": [linear.bias, norm.weight, norm.bias], "weight_decay": 0.0},
    ],
    lr=0.0,
    betas=(recipe["beta1"], recipe["beta2"]),
)


def rate(epoch):
    peak, warmup, floor = recipe["baseLearningRate"] * recipe["batchSize"] / 256, recipe["warmupEpochs"], recipe["minLearningRate"]
    if epoch < warmup:
        return peak * epoch / warmup
    done = (epoch - warmup) / (recipe["epochs"] - warmup)
    return floor + (peak - floor) * (1 + math.cos(math.pi * done)) / 2


def scores(features):
    return F.interpolate(linear(norm(features)), size=(size, size), mode="bilinear", align_corners=False)


features, masks = loaded(case["train"])
losses = []
for epoch, batches in enumerate(case["batches"]):
    total = 0.0
    for step, indices in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = rate(epoch + step / len(batches))
        loss = F.cross_entropy(scores(features[indices]), masks[indices], ignore_index=255)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += float(loss.detach())
    losses.append(total / len(batches))

norm.eval()
features, masks = loaded(case["test"])
with torch.no_grad():
    predicted = scores(features).argmax(1)
confusion = torch.bincount(masks.reshape(-1) * classes + predicted.reshape(-1), minlength=classes**2).reshape(classes, classes)
iou = confusion.diag() / (confusion.sum(0) + confusion.sum(1) - confusion.diag())
result = {
    "madeWith": f"torch {torch.__version__}",
    "firstFeatures": case["test"]["features"][:dim],
    "losses": losses,
    "meanIou": 100 * float(iou.mean()),
    "classIou": [100 * float(value) for value in iou],
    "pixelAccuracy": 100 * float((predicted == masks).float().mean()),
}
path = pathlib.Path(__file__).parent / "fixtures" / "segmentation-probe.json"
path.write_text(json.dumps(result, indent=1) + "\n")
print(json.dumps({key: result[key] for key in ("losses", "classIou", "meanIou", "pixelAccuracy")}))
