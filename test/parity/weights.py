"""Writes fixtures/weights/: files that timm, MAE's models and transformers write, and their numbers on exported files.

    node dist/test/parity/write-weights.js EXPORTS
    python3 test/parity/weights.py EXPORTS           # writes the fixtures
    python3 test/parity/weights.py EXPORTS --verify  # compares instead, for another version of transformers

Deterministic. Needs numpy, torch, timm, safetensors and transformers (5 for the fixtures; verify with 4). Loading must
cause no message: every missing, unexpected or mismatched tensor fails, and so does a warning.
"""

import base64
import functools
import hashlib
import json
import logging
import pathlib
import sys

import numpy as np
import timm
import torch
import torch.nn as nn
import transformers
from safetensors.torch import load_file, save_file
from timm.layers import PatchEmbed, resample_abs_pos_embed
from timm.models.vision_transformer import Block, VisionTransformer

FIXTURES = pathlib.Path(__file__).parent / "fixtures" / "weights"
EXPORTS, VERIFY = pathlib.Path(sys.argv[1]), "--verify" in sys.argv
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
transformers.utils.logging.disable_progress_bar()


class Messages(logging.Handler):
    """Fails on every warning of the libraries."""

    def emit(self, record):
        if record.levelno >= logging.WARNING:
            raise AssertionError(record.getMessage())


for library in ("transformers", "timm"):
    logging.getLogger(library).addHandler(Messages())


def packed(tensor):
    array = np.ascontiguousarray(torch.as_tensor(tensor).detach().numpy(), dtype="<f4")
    return {"shape": list(array.shape), "float32": base64.b64encode(array.tobytes()).decode()}


def randomize(model, seed, positions=True):
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "pos" in name and not positions:
            continue
        mean = 1.0 if parameter.ndim == 1 and "norm" in name and name.endswith("weight") else 0.0
        parameter.data = mean + 0.2 * torch.randn(*parameter.shape, generator=generator)
    return model.eval()


def pixels(size, seed=1):
    """Images in [0, 1]: [batch, 3, size, size]."""
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(seed))


def normalized(images):
    return (images - MEAN[:, None, None]) / STD[:, None, None]


def noise_of(tokens):
    return torch.rand(2, tokens, generator=torch.Generator().manual_seed(2))


class MaskedAutoencoder(nn.Module):
    """The modules and the computation of MAE's MaskedAutoencoderViT, written from its description."""

    def __init__(self, img_size, patch_size, embed_dim, depth, num_heads, decoder_embed_dim, decoder_depth,
                 decoder_num_heads, mlp_ratio, norm_pix_loss):
        super().__init__()
        norm = functools.partial(nn.LayerNorm, eps=1e-6)
        tokens = (img_size // patch_size) ** 2
        self.patch, self.norm_pix = patch_size, norm_pix_loss
        self.patch_embed = PatchEmbed(img_size, patch_size, 3, embed_dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens + 1, embed_dim), requires_grad=False)
        block = lambda dim, heads: Block(dim, heads, mlp_ratio, qkv_bias=True, norm_layer=norm)
        self.blocks = nn.ModuleList(block(embed_dim, num_heads) for _ in range(depth))
        self.norm = norm(embed_dim)
        self.decoder_embed = nn.Linear(embed_dim, decoder_embed_dim)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, decoder_embed_dim))
        self.decoder_pos_embed = nn.Parameter(torch.zeros(1, tokens + 1, decoder_embed_dim), requires_grad=False)
        self.decoder_blocks = nn.ModuleList(block(decoder_embed_dim, decoder_num_heads) for _ in range(decoder_depth))
        self.decoder_norm = norm(decoder_embed_dim)
        self.decoder_pred = nn.Linear(decoder_embed_dim, 3 * patch_size**2)

    def encode(self, images, kept=None):
        x = self.patch_embed(images) + self.pos_embed[:, 1:]
        if kept is not None:
            x = x.gather(1, kept[..., None].expand(-1, -1, x.shape[-1]))
        first = (self.cls_token + self.pos_embed[:, :1]).expand(len(x), -1, -1)
        x = torch.cat([first, x], 1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def loss(self, images, noise, ratio=0.75):
        tokens = noise.shape[1]
        order = noise.argsort(1)
        kept = order[:, : int(tokens * (1 - ratio))]
        x = self.decoder_embed(self.encode(images, kept))
        whole = self.mask_token.expand(len(x), tokens, -1).scatter(1, kept[..., None].expand(-1, -1, x.shape[-1]), x[:, 1:])
        x = torch.cat([x[:, :1], whole], 1) + self.decoder_pos_embed
        for block in self.decoder_blocks:
            x = block(x)
        prediction = self.decoder_pred(self.decoder_norm(x))[:, 1:]
        batch, side, p = len(images), images.shape[-1] // self.patch, self.patch
        target = images.reshape(batch, 3, side, p, side, p).permute(0, 2, 4, 3, 5, 1).reshape(batch, side * side, -1)
        if self.norm_pix:
            target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6) ** 0.5
        removed = torch.ones(batch, tokens).scatter(1, kept, 0.0)
        return (((prediction - target) ** 2).mean(-1) * removed).sum() / removed.sum()


def hf(kind, folder, **options):
    model, info = getattr(transformers, kind).from_pretrained(folder, output_loading_info=True, **options)
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs") if key in info), info
    return model.eval()


# What the libraries compute with exported files


def computed(name, form):
    """The numbers of a library on an exported file, by name."""
    folder = str(EXPORTS / f"{name}-{form}")
    config = json.loads((EXPORTS / f"{name}-{form}" / "config.json").read_text())
    size, patch = sizes_of(config)
    images, noise = normalized(pixels(size)), noise_of((size // patch) ** 2)
    pretrained = name.startswith("pretrained")
    if form == "timm":
        model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
        weights = load_file(f"{folder}/model.safetensors")
        model.load_state_dict(weights, strict=True)
        data = timm.data.resolve_data_config({}, model=model)
        assert data["input_size"] == (3, size, size) and np.allclose(data["mean"], MEAN) and data["interpolation"] == "bicubic"
        return {"features" if pretrained else "logits": model(images)}
    if form == "mae":
        weights = load_file(f"{folder}/model.safetensors")
        if pretrained:
            model = MaskedAutoencoder(**config)
            model.load_state_dict(weights, strict=True)
            return {"tokens": model.eval().encode(images), "loss": model.loss(images, noise)}
        pool = config.pop("global_pool")
        # MAE's models_vit: with global_pool, fc_norm in place of norm.
        model = VisionTransformer(**config, global_pool="avg" if pool else "token", fc_norm=pool)
        model.load_state_dict(weights, strict=True)
        return {"logits": model.eval()(images)}
    if pretrained:
        model = hf("ViTMAEForPreTraining", folder)
        processor = transformers.AutoImageProcessor.from_pretrained(folder, use_fast=False) if transformers.__version__[0] == "4" else None
        assert processor is None or np.allclose(processor.image_mean, MEAN)
        model.config.mask_ratio = 0.75
        loss = model(images, noise=noise).loss
        # All tokens, in their order, come from the encoder alone.
        encoder = model.vit
        encoder.config.mask_ratio = 0.0
        encoder.embeddings.config.mask_ratio = 0.0
        ordered = torch.arange(noise.shape[1]).expand(2, -1).float()
        return {"loss": loss, "tokens": encoder(images, noise=ordered).last_hidden_state}
    if config["architectures"] == ["ViTForImageClassification"]:
        return {"logits": hf("ViTForImageClassification", folder)(images).logits}
    model, head = hf("ViTModel", folder, add_pooling_layer=False), load_file(f"{folder}/head.safetensors")
    model.layernorm = nn.Identity()
    mean = model(images).last_hidden_state[:, 1:].mean(1)
    normed = nn.functional.layer_norm(mean, mean.shape[1:], head["fc_norm.weight"], head["fc_norm.bias"], 1e-6)
    return {"logits": normed @ head["head.weight"].T + head["head.bias"]}


def sizes_of(config):
    inner = config.get("model_args", config)
    return inner.get("img_size", inner.get("image_size")), inner["patch_size"]


# Files of the libraries


def timm_file(name, **keys):
    model = randomize(VisionTransformer(**keys), seed=7)
    images = normalized(pixels(keys["img_size"]))
    tokens = model.forward_features(images)
    return name, dict(model.state_dict()), {"logits": model(images), "tokens": tokens}


def mae_model():
    sizes = dict(img_size=16, patch_size=4, embed_dim=12, depth=2, num_heads=3, mlp_ratio=4)
    model = MaskedAutoencoder(**sizes, decoder_embed_dim=8, decoder_depth=1, decoder_num_heads=2, norm_pix_loss=True)
    randomize(model, seed=8)
    model.decoder_pos_embed.data[:, 0] = 0
    return model


def mae_file():
    model, images = mae_model(), normalized(pixels(16))
    return "mae", dict(model.state_dict()), {"tokens": model.encode(images), "loss": model.loss(images, noise_of(16))}


def hf_mae(folder):
    common = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=48, image_size=16)
    decoder = dict(decoder_hidden_size=8, decoder_num_hidden_layers=1, decoder_num_attention_heads=2, decoder_intermediate_size=32)
    config = transformers.ViTMAEConfig(**common, **decoder, patch_size=4, layer_norm_eps=1e-6, norm_pix_loss=True)
    model = randomize(transformers.ViTMAEForPreTraining(config), seed=9)
    model.decoder.decoder_pos_embed.data[:, 0] = 0
    model.save_pretrained(folder)
    return {"loss": model(normalized(pixels(16)), noise=noise_of(16)).loss}


def hf_classifier(folder):
    config = transformers.ViTConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
                                    image_size=32, patch_size=16, layer_norm_eps=1e-6, num_labels=4)
    model = randomize(transformers.ViTForImageClassification(config), seed=10)
    model.save_pretrained(folder)
    return {"logits": model(normalized(pixels(32))).logits}


def flat(numbers):
    return {key: packed(value) for key, value in numbers.items()}


def compare(found, expected, where):
    for key, value in found.items():
        other = np.frombuffer(base64.b64decode(expected[key]["float32"]), "<f4")
        difference = np.abs(value.detach().numpy().ravel() - other).max()
        assert difference < 1e-5, (where, key, difference)
        print(where, key, f"differs by {difference:.1e}")


@torch.no_grad()
def main():
    FIXTURES.mkdir(exist_ok=True)
    exports = {}
    for folder in sorted(EXPORTS.iterdir()):
        name, form = folder.name.rsplit("-", 1)
        files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir()) if file.suffix != ".md"}
        exports[folder.name] = {"files": files, "numbers": computed(name, form)}
    major = transformers.__version__.split(".")[0]
    hf_files = FIXTURES / f"hf{major}"
    if VERIFY:
        fixture = json.loads((FIXTURES / "weights.json").read_text())
        for name, found in exports.items():
            compare(found["numbers"], fixture["exports"][name]["numbers"], name)
    for kind, make in {"mae": hf_mae, "classifier": hf_classifier}.items():
        numbers = make(hf_files / kind)
        (hf_files / kind / "numbers.json").write_text(json.dumps(flat(numbers)) + "\n")
        for file in (hf_files / kind).iterdir():
            if file.name not in ("config.json", "model.safetensors", "numbers.json"):
                file.unlink()
    if VERIFY:
        return
    small = dict(img_size=16, patch_size=4, embed_dim=12, depth=2, num_heads=3, num_classes=5)
    coarse = dict(img_size=32, patch_size=16, embed_dim=8, depth=1, num_heads=2, num_classes=3, mlp_ratio=3)
    files = [
        timm_file("timm-class-token", **small),
        timm_file("timm-mean", **coarse, class_token=False, global_pool="avg"),
        timm_file("timm-headless", **{**small, "num_classes": 0}, class_token=False, global_pool="avg", fc_norm=False),
        mae_file(),
    ]
    written = {}
    for name, tensors, numbers in files:
        save_file({key: value.contiguous() for key, value in tensors.items()}, FIXTURES / f"{name}.safetensors")
        written[name] = flat(numbers)
    table = torch.randn(1, 26, 4, generator=torch.Generator().manual_seed(3))
    resampled = {str(side): packed(resample_abs_pos_embed(table, [side, side])) for side in (2, 4, 7, 10)}
    contents = {
        "madeWith": f"torch {torch.__version__.split('+')[0]}, timm {timm.__version__}, transformers {transformers.__version__}",
        "pixels": {str(size): packed(pixels(size).permute(0, 2, 3, 1)) for size in (16, 32)},
        "noise": {str(tokens): packed(noise_of(tokens)) for tokens in (4, 16)},
        "exports": {name: {"files": case["files"], "numbers": flat(case["numbers"])} for name, case in exports.items()},
        "written": written,
        "positions": {"table": packed(table), "resampled": resampled},
    }
    (FIXTURES / "weights.json").write_text(json.dumps(contents, indent=1) + "\n")


if __name__ == "__main__":
    main()
