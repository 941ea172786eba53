"""Writes fixtures/embed/: images, and the features and tokens that timm computes of them with exported weights.

    node dist/test/parity/write-weights.js EXPORTS
    python3 test/parity/embed.py EXPORTS

Deterministic. Needs numpy, torch, timm, safetensors and pillow. `features` and `tokens` are of images that PyTorch resizes in
floating point, as vitmim does. `transformed` are the features after timm's own transform, whose images Pillow resizes and
rounds to bytes.
"""

import base64
import json
import pathlib
import sys

import numpy as np
import timm
import torch
import torch.nn.functional as F
from PIL import Image

FIXTURES = pathlib.Path(__file__).parent / "fixtures" / "embed"
EXPORTS = pathlib.Path(sys.argv[1])
# Exported models; and one as if it had been trained with another normalisation.
CASES = {
    "pretrained-unmasked": None,
    "mean": None,
    "class-token": None,
    "class-token-mean": 0.5,
}


def packed(tensor):
    array = np.ascontiguousarray(torch.as_tensor(tensor).detach().numpy(), dtype="<f4")
    return {"shape": list(array.shape), "float32": base64.b64encode(array.tobytes()).decode()}


def picture(height, width, seed):
    """Waves of each colour, with noise."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 100 * np.sin(x / a + y / b) for a, b in ((3, 5), (4, -3), (-6, 4))]
    noise = generator.normal(0, 12, (height, width, 3))
    return Image.fromarray(np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8))


def images():
    """Landscape, portrait, and in a folder; three formats."""
    sizes = {"a.png": (30, 44), "b.jpg": (50, 31), "more/c.bmp": (37, 37)}
    for seed, (name, size) in enumerate(sizes.items()):
        path = FIXTURES / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(*size, seed).save(path, **({"quality": 92} if name.endswith("jpg") else {}))
    return [FIXTURES / "images" / name for name in sizes]


def view(path, size):
    """MAE's evaluation: the shorter side to size * 256 / 224, bicubic; then the centre."""
    pixels = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None] / 255
    height, width = pixels.shape[2:]
    shorter = int(size * 256 / 224)
    resized = [int(shorter * side / min(height, width)) for side in (height, width)]
    pixels = F.interpolate(pixels, resized, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)
    top, left = (int(round((side - size) / 2.0)) for side in resized)
    return pixels[0, :, top : top + size, left : left + size]


def main():
    paths = images()
    cases = {}
    for name, value in CASES.items():
        config = json.loads((EXPORTS / f"{name}-timm" / "config.json").read_text())
        if value is not None:
            config["pretrained_cfg"] |= {"mean": [value] * 3, "std": [value] * 3}
            (EXPORTS / f"{name}-timm" / "config.json").write_text(json.dumps(config))
        model = timm.create_model(f"local-dir:{EXPORTS}/{name}-timm", pretrained=True).eval()
        settings = timm.data.resolve_model_data_config(model)
        mean, std = (torch.tensor(settings[key])[:, None, None] for key in ("mean", "std"))
        size = settings["input_size"][1]
        batch = torch.stack([(view(path, size) - mean) / std for path in paths])
        transform = timm.data.create_transform(**settings, is_training=False)
        transformed = torch.stack([transform(Image.open(path).convert("RGB")) for path in paths])
        with torch.no_grad():
            tokens = model.forward_features(batch)
            cases[name] = {
                "normalisation": value,
                "tokens": packed(tokens),
                "features": packed(model.forward_head(tokens, pre_logits=True)),
                "transformed": packed(model.forward_head(model.forward_features(transformed), pre_logits=True)),
            }
    versions = {"torch": torch.__version__.split("+")[0], "timm": timm.__version__}
    text = json.dumps({"madeWith": versions, "names": ["a.png", "b.jpg", "more/c.bmp"], "cases": cases}, indent=1)
    (FIXTURES / "features.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
