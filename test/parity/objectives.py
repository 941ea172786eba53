"""Writes fixtures/objectives.json: degraded images, targets, losses and gradients by PyTorch and NumPy, in float64.

    python3 test/parity/objectives.py

Every formula is written literally, including canvas and strips, as in PAPER.md sections 2 to 4. Images and predictions
are computed with integers, so that the test can compute the same ones. Arrays are base64 of little-endian float32.
"""

import base64
import colorsys
import json
import os

import numpy as np
import torch
import torch.nn.functional as F

S, P, B = 16, 4, 2
N, GRID = (S // P) ** 2, S // P
FIELD, CONTENT, WINDOW = 20, 11, 12  # from 224/288, 160/224, 160/224
MEAN = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64)
STD = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64)
KEPT = [[1, 6, 8, 15], [0, 3, 10, 11]]
PLACEMENTS = [{"left": 4, "top": 0}, {"left": 1, "top": 3}]
DISTORTIONS = [
    {"centre": [0.3, -0.55], "strength": 0.22},
    {"centre": [-0.8, 0.9], "strength": 0.16},
    {"centre": [1.0, 1.0], "strength": 0.5},  # reads outside the image
]
MIX = [0.61, 0.2, 0.35]
SATURATION = 0.3


def image(n, size):
    y, x, c = np.meshgrid(np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    value = (13 * y + 7 * x + 3 * x * y + 5 * y * y * (c + 1) + 31 * c + 57 * n) % 256
    return torch.from_numpy(value / 255)


def images(size):
    return torch.stack([image(n, size) for n in range(B)])


def prediction():
    n, t, j = np.meshgrid(np.arange(B), np.arange(N), np.arange(3 * P * P), indexing="ij")
    value = ((389 * n + 211 * t + 97 * j + 13 * t * j) % 1021) / 510 - 1
    return torch.from_numpy(value).requires_grad_()


def normalize(x):
    return (x - MEAN) / STD


def chw(x):
    return x.permute(0, 3, 1, 2)


def hwc(x):
    return x.permute(0, 2, 3, 1)


def area(x, size):
    return hwc(F.interpolate(chw(x), size=(size, size), mode="area"))


def patchify(x):
    b, h, w, _ = x.shape
    return x.reshape(b, h // P, P, w // P, P, 3).permute(0, 1, 3, 2, 4, 5).reshape(b, -1, 3 * P * P)


def unpatchify(t):
    g = int(round(t.shape[1] ** 0.5))
    return t.reshape(-1, g, g, P, P, 3).permute(0, 1, 3, 2, 4, 5).reshape(-1, g * P, g * P, 3)


def targets(x, kind):
    if kind == "none":
        return patchify(normalize(x))
    if kind == "patch":
        t = patchify(normalize(x))
        return (t - t.mean(-1, keepdim=True)) / (t.var(-1, unbiased=True, keepdim=True) + 1e-6) ** 0.5
    t = patchify(x).reshape(x.shape[0], -1, P * P, 3)
    t = (t - t.mean(2, keepdim=True)) / (t.var(2, unbiased=True, keepdim=True).sqrt() + 1e-6)
    return t.reshape(x.shape[0], -1, 3 * P * P)


def removed():
    mask = torch.ones(B, N, dtype=torch.float64)
    for n, kept in enumerate(KEPT):
        mask[n, kept] = 0
    return mask


def token_mean(error, counted):
    return (error.mean(-1) * counted).sum() / counted.sum()


def same_grid(pred, counted, kind):
    return token_mean((pred - targets(images(S), kind)) ** 2, counted)


def centre_border(pred, counted, kind):
    field, b = images(FIELD), (FIELD - S) // 2
    up = area(unpatchify(pred), FIELD)
    centre = targets(field[:, b:-b, b:-b], kind)
    loss_centre = token_mean((patchify(up[:, b:-b, b:-b]) - centre) ** 2, counted)
    whole = area(unpatchify(targets(area(field, S), kind)), FIELD)
    error = (up - whole) ** 2
    strips = [error[:, :b], error[:, -b:], error[:, b:-b, :b], error[:, b:-b, -b:]]
    return 0.8 * loss_centre + 0.2 * sum(strip.mean() for strip in strips)


def mirror(x, placement):
    """Symmetric padding, by indices that numpy.pad has padded."""
    left, top = placement["left"], placement["top"]
    rows = np.pad(np.arange(CONTENT), (top, S - CONTENT - top), mode="symmetric")
    columns = np.pad(np.arange(CONTENT), (left, S - CONTENT - left), mode="symmetric")
    return x[rows][:, columns]


def mapped_back(pred, counted, kind):
    target = area(unpatchify(targets(area(images(CONTENT), S), kind)), CONTENT)
    shrunk = area(unpatchify(pred), CONTENT)
    canvases = [torch.stack([mirror(x, place) for x, place in zip(xs, PLACEMENTS)]) for xs in (shrunk, target)]
    return token_mean((patchify(canvases[0]) - patchify(canvases[1])) ** 2, counted)


def distort(x, draw):
    g = torch.linspace(-1, 1, S, dtype=torch.float64)
    y, x_ = torch.meshgrid(g, g, indexing="ij")
    grid = torch.stack([x_, y], -1)
    d = torch.tensor(draw["centre"], dtype=torch.float64) - grid
    sample = grid + draw["strength"] * d.norm(dim=-1, keepdim=True) * d
    out = F.grid_sample(chw(x[None]), sample[None], mode="bilinear", padding_mode="zeros", align_corners=True)
    return hwc(out)[0]


def kernel(size):
    index = np.arange(9 * size * size)
    return torch.from_numpy(((37 * index) % 101 - 45) / 100).reshape(3, 3, size, size)


def blur(x, size):
    return hwc(F.conv2d(chw(x[None]), kernel(size), padding=size // 2))[0]


def desaturate(x):
    def scaled(rgb):
        h, s, v = colorsys.rgb_to_hsv(*rgb)
        return colorsys.hsv_to_rgb(h, s * SATURATION, v)

    return torch.tensor([[scaled(pixel) for pixel in row] for row in x.tolist()], dtype=torch.float64)


def grey(x, weights):
    return (x @ torch.tensor(weights, dtype=torch.float64))[..., None].expand(*x.shape)


def pack(x):
    return base64.b64encode(np.ascontiguousarray(x.detach().numpy(), dtype="<f4").tobytes()).decode()


def scored(loss, counted, kind):
    pred = prediction()
    value = loss(pred, counted, kind)
    value.backward()
    return {"loss": value.item(), "zero": loss(torch.zeros_like(pred), counted, kind).item()}, pred.grad


def main():
    first = image(0, S)
    centre = first[2:-2, 2:-2]
    bicubic = F.interpolate(chw(centre[None]), size=(S, S), mode="bicubic", align_corners=False, antialias=True)
    degraded = {
        "distorted": [pack(distort(normalize(image(i % B, S)), draw)) for i, draw in enumerate(DISTORTIONS)],
        "blurred": {str(size): pack(blur(normalize(first), size)) for size in (3, 7)},
        "canvases": [pack(mirror(image(n, CONTENT), place)) for n, place in enumerate(PLACEMENTS)],
        "enlarged": pack(hwc(bicubic)[0].clamp(0, 1)),
        # Each pixel is independent: a few rows are enough.
        "luminance": pack(normalize(grey(first[:4], [0.299, 0.587, 0.114]))),
        "saturation": pack(normalize(desaturate(first[:4]))),
        "mix": pack(grey(normalize(first[:4]), MIX)),
    }
    losses = {}
    everything = torch.ones(B, N, dtype=torch.float64)
    for name, loss in (("same-grid", same_grid), ("centre-border", centre_border), ("mapped-back", mapped_back)):
        for which, counted in (("all", everything), ("removed", removed())):
            for kind in ("patch-channel", "patch", "none"):
                scores, gradient = scored(loss, counted, kind)
                # The complete gradients, for the paper's four losses only.
                if kind == "patch-channel" and (which == "removed" or name == "same-grid"):
                    scores["gradient"] = pack(gradient)
                losses[f"{name}/{which}/{kind}"] = scores
    fixture = {
        "sizes": {"imageSize": S, "patchSize": P, "field": FIELD, "content": CONTENT, "window": WINDOW},
        "kept": KEPT,
        "placements": PLACEMENTS,
        "distortions": DISTORTIONS,
        "mix": MIX,
        "saturation": SATURATION,
        "degraded": degraded,
        "targets": {kind: pack(targets(first[None], kind)) for kind in ("patch-channel", "patch", "none")},
        "losses": losses,
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures", "objectives.json")
    with open(path, "w") as file:
        json.dump(fixture, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
