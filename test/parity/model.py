"""Writes fixtures/timm-*.json and fixtures/pretraining-*.json: the results of timm and PyTorch, for comparison.

    python3 test/parity/model.py

Deterministic. Everything is computed in float64 from values that are exact in float32, so that the tests measure only
the error of the code under test. Weights of timm keep their names and layouts. All other tensors have those of the code
under test: matrices [inputs, outputs], images [batch, height, width, channel], a patch as (row, column, channel). Needs
numpy, torch and timm.
"""

import base64
import json
import pathlib

import numpy as np
import timm
import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer

torch.set_default_dtype(torch.float64)
FIXTURES = pathlib.Path(__file__).parent / "fixtures"
MADE_WITH = f"torch {torch.__version__.split('+')[0]}, timm {timm.__version__}, numpy {np.__version__}"
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def packed(tensor):
    array = np.ascontiguousarray(torch.as_tensor(tensor).detach().numpy(), dtype="<f4")
    return {"shape": list(array.shape), "float32": base64.b64encode(array.tobytes()).decode()}


def write(name, contents):
    text = json.dumps({"madeWith": MADE_WITH, **contents}, indent=1)
    (FIXTURES / f"{name}.json").write_text(text + "\n")


def rounded(tensor):
    """The nearest values in float32."""
    return tensor.float().double()


def normal(generator, *shape, std=1.0, mean=0.0):
    return rounded(mean + std * torch.randn(*shape, generator=generator))


# Positions, from their definitions (PAPER.md section 2), in NumPy.


def positions_1d(count, width):
    """As in MAE-pytorch and the paper: sine and cosine of a frequency side by side, over the flattened index."""
    table = np.zeros((count, width))
    for pair in range(width // 2):
        angles = np.arange(count) / np.power(10000.0, 2 * pair / width)
        table[:, 2 * pair], table[:, 2 * pair + 1] = np.sin(angles), np.cos(angles)
    return rounded(torch.from_numpy(table))


def positions_2d(rows, width):
    """As in MAE: half of the width for the column, half for the row; in each the sines before the cosines."""
    frequencies = 1.0 / 10000.0 ** (np.arange(width // 4) / (width / 4.0))
    row, column = np.meshgrid(np.arange(rows), np.arange(rows), indexing="ij")
    halves = [
        np.concatenate([np.sin(angles), np.cos(angles)], 1)
        for angles in (np.outer(axis.reshape(-1), frequencies) for axis in (column, row))
    ]
    return rounded(torch.from_numpy(np.concatenate(halves, 1)))


def positions(config, width):
    rows = config["imageSize"] // config["patchSize"]
    return positions_1d(rows * rows, width) if config["positions"] == "sincos-1d" else positions_2d(rows, width)


# timm


def randomize(model, generator):
    """Replaces values of 0 and 1, which would hide mistakes."""
    for name, parameter in model.named_parameters():
        is_scale = parameter.ndim == 1 and name.endswith("weight")
        parameter.data = normal(generator, *parameter.shape, std=0.2, mean=1.0 if is_scale else 0.0)


def timm_case(name, config, classes, seed):
    generator = torch.Generator().manual_seed(seed)
    shared = dict(
        img_size=config["imageSize"],
        patch_size=config["patchSize"],
        embed_dim=config["dim"],
        depth=config["depth"],
        num_heads=config["heads"],
        mlp_ratio=config["mlpRatio"],
        num_classes=classes,
        qkv_bias=True,
        class_token=config["classToken"],
    )
    # With mean pooling `fc_norm` replaces `norm`: the encoder's output comes from a second model, which has `norm`.
    mean = config["pooling"] == "mean"
    with_norm = VisionTransformer(**shared, global_pool="" if mean else "token", fc_norm=False)
    classifier = VisionTransformer(**shared, global_pool="avg", fc_norm=True) if mean else with_norm
    assert with_norm.norm.eps == 1e-6 and isinstance(with_norm.blocks[0].mlp.act, torch.nn.GELU)
    for model in (classifier, with_norm):
        model.double().eval()
        randomize(model, generator)
        table = positions(config, config["dim"])
        model.pos_embed.data.zero_()
        model.pos_embed.data[0, -len(table) :] = table
        if config["qkvBias"] == "qv":
            for block in model.blocks:
                block.attn.qkv.bias.data[config["dim"] : 2 * config["dim"]] = 0
    both = {**with_norm.state_dict(), **classifier.state_dict()}
    with_norm.load_state_dict({key: both[key] for key in with_norm.state_dict()})
    images = normal(generator, 2, 3, config["imageSize"], config["imageSize"])
    encoded = with_norm.forward_features(images)
    write(
        name,
        {
            "config": config,
            "classes": classes,
            # With timm's names and layouts, as src/weights/names.ts maps them.
            "weights": {key: packed(value) for key, value in both.items()},
            "images": packed(images.permute(0, 2, 3, 1)),
            "encoded": packed(encoded),
            "features": packed(encoded[:, 1 if config["classToken"] else 0 :].mean(1) if mean else encoded[:, 0]),
            "logits": packed(classifier(images)),
        },
    )


# Pre-training (PAPER.md section 2), in PyTorch functions


def layer_norm(values, name, x):
    return F.layer_norm(x, x.shape[-1:], values[f"{name}.weight"], values[f"{name}.bias"], eps=1e-6)


def dense(values, name, x):
    return F.linear(x, values[f"{name}.weight"].T, values.get(f"{name}.bias"))


def transformer_block(values, name, heads, x, factors=(None, None)):
    def dropped(branch, factor):
        return branch if factor is None else branch * factor[:, None, None]

    batch, tokens, dim = x.shape
    attn = f"{name}.attn"
    if f"{attn}.q_bias" in values:
        bias = torch.cat([values[f"{attn}.q_bias"], torch.zeros(dim), values[f"{attn}.v_bias"]])
    else:
        bias = values[f"{attn}.qkv.bias"]
    projected = F.linear(layer_norm(values, f"{name}.norm1", x), values[f"{attn}.qkv.weight"].T, bias)
    q, k, v = projected.view(batch, tokens, 3, heads, dim // heads).permute(2, 0, 3, 1, 4)
    attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, dim)
    x = x + dropped(dense(values, f"{attn}.proj", attended), factors[0])
    hidden = F.gelu(dense(values, f"{name}.mlp.fc1", layer_norm(values, f"{name}.norm2", x)))
    return x + dropped(dense(values, f"{name}.mlp.fc2", hidden), factors[1])


def pretraining_prediction(values, config, images, kept, drop_path):
    batch, patch, dim = len(images), config["patchSize"], config["dim"]
    kernel = values["patch_embed.proj.weight"].view(patch, patch, 3, dim).permute(3, 2, 0, 1)
    grid = F.conv2d(images, kernel, values["patch_embed.proj.bias"], stride=patch)
    x = grid.flatten(2).transpose(1, 2) + values["pos_embed"]
    tokens = x.shape[1]
    if kept is not None:
        x = x.gather(1, kept[..., None].expand(-1, -1, dim))
    if config["classToken"]:
        x = torch.cat([values["cls_token"].expand(batch, 1, dim), x], 1)
    for i in range(config["depth"]):
        x = transformer_block(values, f"blocks.{i}", config["heads"], x, drop_path[2 * i : 2 * i + 2])
    x = layer_norm(values, "norm", x)
    x = dense(values, "decoder_embed", x)
    # As in MAE: the class token passes through the decoder, first and without a position, and is then removed.
    token = x[:, : 1 if config["classToken"] else 0]
    x = x[:, token.shape[1] :]
    if kept is not None:
        whole = values["mask_token"].expand(batch, tokens, -1)
        x = whole.scatter(1, kept[..., None].expand_as(x), x)
    x = torch.cat([token, x + values["decoder_pos_embed"]], 1)
    for i in range(config["decoder"]["depth"]):
        x = transformer_block(values, f"decoder_blocks.{i}", config["decoder"]["heads"], x)
    return dense(values, "decoder_pred", layer_norm(values, "decoder_norm", x))[:, token.shape[1] :]


def normalized_targets(pixels, patch):
    """Per patch and per channel, with the unbiased variance."""
    batch, channels = pixels.shape[:2]
    values = F.unfold(pixels, patch, stride=patch).view(batch, channels, patch * patch, -1)
    deviation, mean = torch.std_mean(values, dim=2, keepdim=True, correction=1)
    return ((values - mean) / (deviation + 1e-6)).permute(0, 3, 2, 1).flatten(2)


def parameter_shapes(config, masked):
    dim, patch = config["dim"], config["patchSize"]
    tokens, width = (config["imageSize"] // patch) ** 2, 3 * patch * patch
    decoder = config["decoder"]

    def block(name, dim):
        hidden = int(dim * config["mlpRatio"])
        biases = {"qkv.bias": 3 * dim} if config["qkvBias"] == "all" else {"q_bias": dim, "v_bias": dim}
        return {
            **{f"{name}.{norm}.{part}": [dim] for norm in ("norm1", "norm2") for part in ("weight", "bias")},
            f"{name}.attn.qkv.weight": [dim, 3 * dim],
            **{f"{name}.attn.{bias}": [length] for bias, length in biases.items()},
            f"{name}.attn.proj.weight": [dim, dim],
            f"{name}.attn.proj.bias": [dim],
            f"{name}.mlp.fc1.weight": [dim, hidden],
            f"{name}.mlp.fc1.bias": [hidden],
            f"{name}.mlp.fc2.weight": [hidden, dim],
            f"{name}.mlp.fc2.bias": [dim],
        }

    shapes = {"patch_embed.proj.weight": [width, dim], "patch_embed.proj.bias": [dim]}
    if config["classToken"]:
        shapes["cls_token"] = [dim]
    for i in range(config["depth"]):
        shapes |= block(f"blocks.{i}", dim)
    shapes |= {"norm.weight": [dim], "norm.bias": [dim]}
    shapes |= {"decoder_embed.weight": [dim, decoder["dim"]]}
    if masked:
        shapes["mask_token"] = [decoder["dim"]]
    for i in range(decoder["depth"]):
        shapes |= block(f"decoder_blocks.{i}", decoder["dim"])
    shapes |= {"decoder_norm.weight": [decoder["dim"]], "decoder_norm.bias": [decoder["dim"]]}
    return shapes | {"decoder_pred.weight": [decoder["dim"], width], "decoder_pred.bias": [width]}


def pretraining_case(name, config, batch, kept_tokens, drop_path, seed):
    generator = torch.Generator().manual_seed(seed)
    trained = {}
    for key, shape in parameter_shapes(config, kept_tokens is not None).items():
        is_scale = "norm" in key and key.endswith("weight")
        values = normal(generator, *shape, std=0.2, mean=1.0 if is_scale else 0.0)
        trained[key] = values.requires_grad_()
    tables = {"pos_embed": config["dim"], "decoder_pos_embed": config["decoder"]["dim"]}
    values = trained | {key: positions(config, width) for key, width in tables.items()}
    size, patch = config["imageSize"], config["patchSize"]
    pixels = rounded(torch.rand(batch, 3, size, size, generator=generator))
    images = rounded((pixels - MEAN[:, None, None]) / STD[:, None, None])
    tokens = (size // patch) ** 2
    kept = None
    if kept_tokens is not None:  # in the order of the noise, not of the grid
        kept = torch.rand(batch, tokens, generator=generator).argsort(1)[:, :kept_tokens]
    factors = [None if row is None else rounded(torch.tensor(row)) for row in drop_path]

    prediction = pretraining_prediction(values, config, images, kept, factors)
    targets = normalized_targets(images * STD[:, None, None] + MEAN[:, None, None], patch)
    removed = torch.ones(batch, tokens) if kept is None else torch.ones(batch, tokens).scatter(1, kept, 0.0)
    per_token = F.mse_loss(prediction, targets, reduction="none").mean(-1)
    loss = (per_token * removed).sum() / removed.sum()
    gradients = torch.autograd.grad(loss, list(trained.values()))
    write(
        name,
        {
            "config": config,
            "weights": {key: packed(value) for key, value in values.items()},
            "images": packed(images.permute(0, 2, 3, 1)),
            "kept": None if kept is None else kept.tolist(),
            "dropPath": [None if row is None else packed(row) for row in factors],
            "prediction": packed(prediction),
            "targets": packed(targets),
            "loss": loss.item(),
            "gradients": {key: packed(gradient) for key, gradient in zip(trained, gradients)},
        },
    )


def config(dim, depth, heads, *, mlp=4, positions="sincos-1d", class_token=False, pooling="mean", bias="qv", decoder=None):
    sizes = dict(imageSize=16, patchSize=4, dim=dim, depth=depth, heads=heads, mlpRatio=mlp)
    options = dict(positions=positions, classToken=class_token, qkvBias=bias, pooling=pooling, init="truncated-normal")
    return {**sizes, **options, **({"decoder": decoder} if decoder else {})}


def main():
    FIXTURES.mkdir(exist_ok=True)
    timm_case("timm-mean-pooling", config(16, 2, 2), classes=5, seed=1)
    class_token = dict(positions="sincos-2d", class_token=True, bias="all")
    timm_case("timm-class-token", config(12, 3, 3, **class_token, pooling="class-token"), classes=5, seed=2)
    # As in fine-tuning of MAE: a class token exists, but the classifier uses the mean of the others.
    timm_case("timm-class-token-mean", config(12, 2, 3, **class_token), classes=5, seed=6)

    pretraining_case(
        "pretraining-masked",
        config(16, 2, 2, mlp=3, decoder=dict(dim=12, depth=1, heads=3)),
        batch=3,
        kept_tokens=4,
        drop_path=[None] * 4,
        seed=3,
    )
    pretraining_case(
        "pretraining-class-token",
        config(12, 3, 3, mlp=2, positions="sincos-2d", class_token=True, bias="all", decoder=dict(dim=8, depth=2, heads=2)),
        batch=3,
        kept_tokens=5,
        # For the rates 0, 0.2 and 0.4: kept branches are scaled by 1 / (1 - rate).
        drop_path=[None, None, [1.25, 0, 1.25], [1.25, 1.25, 0], [1 / 0.6, 1 / 0.6, 0], [0, 1 / 0.6, 1 / 0.6]],
        seed=4,
    )
    pretraining_case(
        "pretraining-unmasked",
        config(8, 1, 2, mlp=2, decoder=dict(dim=6, depth=1, heads=1)),
        batch=2,
        kept_tokens=None,
        drop_path=[None] * 2,
        seed=5,
    )


if __name__ == "__main__":
    main()
