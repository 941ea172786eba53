"""Writes fixtures/training.json: whole trainings by PyTorch and timm, from the images to the final weights.

    python3 test/parity/training.py

All parts of a training are implemented again here, in float64 and without the code under test: random streams, the
order of the images, crops (torch's antialiased interpolation), degradations, masks, mixing (timm's Mixup), drop path,
models (timm's VisionTransformer; PyTorch's functions with the decoder), losses, layer decay (timm's parameter groups),
clipping, AdamW, SGD, LARS, batch norm and learning rates. Images and initial weights are drawn from named streams, by the same rules as in
training.test.ts. Deterministic. Needs numpy, torch and timm.
"""

import json
import math
import pathlib
from unittest import mock

import numpy as np
import timm
import torch
import torch.nn.functional as F
from timm.data import Mixup, random_erasing
from timm.loss import SoftTargetCrossEntropy
from timm.models.vision_transformer import VisionTransformer
from timm.optim import param_groups_layer_decay
from timm.utils import ModelEmaV2

from augmentations import FILL, aa, posterize
from PIL import Image
from model import from_timm, parameter_shapes, positions, pretraining_prediction
from objectives import area, hwc, normalize, patchify, targets, token_mean, unpatchify
from streams import Stream

torch.set_default_dtype(torch.float64)
SEED = 3  # not 0, the seed of the data sets
SIZE = 16
CLASSES = 8
MODEL = {
    "patchSize": 4,
    "dim": 16,
    "depth": 3,
    "heads": 2,
    "mlpRatio": 2,
    "positions": "sincos-1d",
    "classToken": False,
    "pooling": "mean",
    "qkvBias": "qv",
    "init": "truncated-normal",
    "decoder": {"dim": 8, "depth": 1, "heads": 2},
}
CONFIG = {**MODEL, "imageSize": SIZE}

# Images. `views` has training images of many sizes, `plain` those of the model's size. Both have the same test images.


def image(split, label, number, height, width):
    """A texture of the class with noise, in integers, so that both languages compute the same bytes."""
    random = Stream(0, "golden", split, label, number)
    pixels = np.zeros((height, width, 3))
    for y in range(height):
        for x in range(width):
            stripe = ((x * (label % 3 + 1) + y * (label // 3 + 1)) >> 2) & 1
            for channel in range(3):
                noise = math.floor(random.uniform() * 190)
                pixels[y, x, channel] = noise + 34 * stripe + 15 * ((label + channel) % 3)
    return torch.from_numpy(pixels / 255)


def size_of(dataset, number):
    return (18 + number % 4, 16 + 3 * number % 7) if dataset == "views" else (SIZE, SIZE)


def images(dataset, split, counts):
    """Sorted by class, like images read from folders."""
    listed = [(label, number) for label, count in enumerate(counts) for number in range(count)]
    size = (lambda number: size_of(dataset, number)) if split == "train" else (lambda _: (SIZE, SIZE))
    return [image(f"{dataset}-{split}" if split == "train" else split, c, n, *size(n)) for c, n in listed], [
        label for label, _ in listed
    ]


COUNTS = {"views": [6, 6, 6, 6, 6, 5, 5, 4], "plain": [15] * CLASSES, "test": [30] * CLASSES}
SETS = {dataset: images(dataset, "train", COUNTS[dataset]) for dataset in ("views", "plain")}
TEST = images("plain", "test", COUNTS["test"])


def labelled(labels, fraction):
    """The same share of each class, drawn with the seed."""
    chosen = []
    for label in range(CLASSES):
        own = [i for i, other in enumerate(labels) if other == label]
        count = max(1, math.floor(fraction * len(own) + 0.5))
        chosen += [own[i] for i in Stream(SEED, "labels", label).permutation(len(own))[:count]]
    return sorted(chosen)


def batches(length, size, epoch):
    order = Stream(SEED, "order", epoch).permutation(length)
    return [order[step * size : (step + 1) * size] for step in range(length // size)]


def resized(pixels, size):
    """Bicubic, antialiased."""
    chw = pixels.permute(2, 0, 1)[None]
    return hwc(F.interpolate(chw, size=(size, size), mode="bicubic", antialias=True))[0].clamp(0, 1)


def augmented(pixels, index, epoch, size, recipe):
    """torchvision's random resized crop, then a flip."""
    random = Stream(SEED, "augment", epoch, index)
    height, width = pixels.shape[:2]
    for _ in range(10):
        area = height * width * random.uniform(*recipe["cropScale"])
        ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        h, w = math.floor(math.sqrt(area / ratio) + 0.5), math.floor(math.sqrt(area * ratio) + 0.5)
        if 0 < h <= height and 0 < w <= width:
            top, left = random.integer(height - h + 1), random.integer(width - w + 1)
            break
    else:
        h, w = min(height, round(width * 4 / 3)), min(width, round(height * 4 / 3))
        top, left = (height - h) // 2, (width - w) // 2
    view = resized(pixels[top : top + h, left : left + w], size)
    view = view.flip(1) if recipe["flip"] and random.uniform() < 0.5 else view
    if recipe.get("randAugment") is not None:
        view = rand_augmented(view, index, epoch, recipe["randAugment"])
    return view


def rand_augmented(view, index, epoch, recipe):
    """timm's functions on Pillow images, with arguments drawn from the stream of the step."""
    random = Stream(SEED, "augment", "randAugment", epoch, index)
    names = [aa._RAND_INCREASING_TRANSFORMS[random.integer(15)] for _ in range(recipe["ops"])]
    image = Image.fromarray((view * 255).round().numpy().astype(np.uint8))
    for name in names:
        if random.uniform() >= recipe["probability"]:
            continue
        magnitude = min(max(recipe["magnitude"] + recipe["std"] * random.normal(), 0), 10)
        arguments = ()
        if aa.LEVEL_TO_ARG[name] is not None:
            # timm negates above .5.
            with mock.patch.object(aa.random, "random", side_effect=lambda: random.uniform()):
                arguments = aa.LEVEL_TO_ARG[name](magnitude, {})
        function = posterize if name.startswith("Posterize") else aa.NAME_TO_OP[name]
        options = {} if function is posterize else {"fillcolor": FILL, "resample": Image.Resampling.BICUBIC}
        image = function(image, *arguments, **options)
    return torch.from_numpy(np.asarray(image) / 255)


def erased(images, indices, epoch, probability):
    """timm's random erasing, on normalised images, with numbers from the stream of the step."""
    for image, index in zip(images, indices):
        random = Stream(SEED, "augment", "randomErasing", epoch, index)
        if random.uniform() >= probability:
            continue
        noise = lambda *_, **__: torch.tensor(
            [float(np.float32(random.normal())) for _ in range(math.prod(_[2]))]
        ).reshape(_[2][1], _[2][2], 3).permute(2, 0, 1)
        with (
            mock.patch.object(random_erasing.random, "random", return_value=0.0),
            mock.patch.object(random_erasing.random, "uniform", side_effect=random.uniform),
            mock.patch.object(random_erasing.random, "randint", side_effect=lambda low, high: random.integer(high + 1)),
            mock.patch.object(random_erasing, "_get_pixels", side_effect=noise),
        ):
            random_erasing.RandomErasing(1.0, mode="pixel", device="cpu")(image)
    return images


# Weights, learning rates and steps


def first_weight(name, shape):
    """Values other than 0 and 1, which would hide mistakes."""
    random = Stream(5, "golden", name)
    is_scale = len(shape) == 1 and name.endswith("weight")
    values = np.array([0.2 * random.normal() + (1.0 if is_scale else 0.0) for _ in range(math.prod(shape))])
    return torch.from_numpy(values.astype(np.float32).astype(np.float64)).reshape(shape)


def learning_rate(recipe, step, per_epoch, minimum):
    peak, epoch = recipe["baseLearningRate"] * recipe["batchSize"] / 256, step / per_epoch
    warmup = recipe["warmupEpochs"]
    if epoch < warmup:
        return peak * epoch / warmup
    return minimum + (peak - minimum) * 0.5 * (1 + math.cos(math.pi * (epoch - warmup) / (recipe["epochs"] - warmup)))


def drop_factors(recipe, random, count):
    """The factors of each branch of each block, for one part of a batch."""
    factors = []
    for rate in torch.linspace(0, recipe["dropPath"], MODEL["depth"]).tolist():
        for _ in range(2):
            if rate == 0:
                factors.append(None)
            else:
                factors.append(torch.tensor([0 if random.uniform() < rate else 1 / (1 - rate) for _ in range(count)]))
    return factors


def sampled(change):
    """Norm of a change, and seven of its values."""
    flat = change.detach().flatten()
    return [float(f"{v:.8g}") for v in [flat.norm().item(), *(flat[i * len(flat) // 7].item() for i in range(7))]]


def train(recipe, length, groups, parts_of, after_epoch=lambda epochs: None, after_step=lambda: None):
    """The loop: losses and rates of every step, and the largest norm of a gradient."""
    per_epoch = length // recipe["batchSize"]
    optimizer = torch.optim.AdamW(groups, lr=1.0, betas=(recipe["beta1"], recipe["beta2"]), eps=1e-8)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    losses, rates, norms = [], [], []
    for epoch in range(recipe["epochs"]):
        for step, indices in enumerate(batches(length, recipe["batchSize"], epoch)):
            rates.append(learning_rate(recipe, epoch * per_epoch + step, per_epoch, recipe["minLearningRate"]))
            for group in optimizer.param_groups:
                group["lr"] = rates[-1] * group.get("lr_scale", 1.0)
            optimizer.zero_grad()
            losses.append(0.0)
            for loss in parts_of(indices, epoch, step):
                (loss / recipe["accumulate"]).backward()
                losses[-1] += loss.item() / recipe["accumulate"]
            norms.append(torch.nn.utils.clip_grad_norm_(parameters, recipe["clipGradient"] or math.inf).item())
            optimizer.step()
            after_step()
        after_epoch(epoch + 1)
    assert recipe["clipGradient"] is None or min(norms) < recipe["clipGradient"] < max(norms), (min(norms), max(norms))
    means = np.array(losses).reshape(recipe["epochs"], per_epoch).mean(1)
    last_rates = rates[per_epoch - 1 :: per_epoch]  # the rates that the log contains
    return {
        "steps": len(losses),
        "losses": means.tolist(),
        "rates": last_rates,
        "firstLoss": losses[0],
        "largestGradientNorm": max(norms),
    }


# Pre-training


def enlarged_centre(field, window=12):
    """160/224 of 16 pixels."""
    border = (SIZE - window) // 2
    return resized(field[border:-border, border:-border], SIZE)


def centre_border(prediction, fields, counted, kind):
    """PAPER.md section 4.2, of a field of 20 pixels (224/288)."""
    side = fields.shape[1]
    b = (side - SIZE) // 2
    up = area(unpatchify(prediction), side)
    centre = targets(fields[:, b:-b, b:-b], kind)
    loss_centre = token_mean((patchify(up[:, b:-b, b:-b]) - centre) ** 2, counted)
    whole = area(unpatchify(targets(area(fields, SIZE), kind)), side)
    error = (up - whole) ** 2
    strips = [error[:, :b], error[:, -b:], error[:, b:-b, :b], error[:, b:-b, -b:]]
    return 0.8 * loss_centre + 0.2 * sum(strip.mean() for strip in strips)


def kept_tokens(index, epoch, ratio, tokens=16):
    """Drawn from the mask's own stream, which is derived from the image's."""
    random = Stream(Stream(SEED, "degrade", epoch, index).uint32(), "mask")
    order = list(range(tokens))
    count = int(tokens * (1 - ratio))
    for i in range(count):
        j = i + random.integer(tokens - i)
        order[i], order[j] = order[j], order[i]
    return sorted(order[:count])


def pretraining(objective, mask_ratio, recipe):
    pixels, _ = SETS["views"]
    side = 20 if objective == "masked+zoomed-in" else SIZE
    masked = mask_ratio > 0
    trained = {name: first_weight(name, shape) for name, shape in parameter_shapes(CONFIG, masked).items()}
    first = {name: value.clone() for name, value in trained.items()}
    for value in trained.values():
        value.requires_grad_()
    tables = {"pos_embed": MODEL["dim"], "decoder_pos_embed": MODEL["decoder"]["dim"]}
    values = trained | {name: positions(CONFIG, width) for name, width in tables.items()}

    def batch(indices, epoch):
        fields = torch.stack([augmented(pixels[i], i, epoch, side, recipe) for i in indices])
        if objective == "zoomed-in":
            inputs = torch.stack([enlarged_centre(field) for field in fields])
        else:
            b = (side - SIZE) // 2
            inputs = fields[:, b : b + SIZE, b : b + SIZE]
        kept = torch.tensor([kept_tokens(i, epoch, mask_ratio) for i in indices]) if masked else None
        counted = torch.ones(len(indices), 16)
        if masked:
            counted.scatter_(1, kept, 0.0)
        return fields, normalize(inputs), kept, counted

    def score(prediction, fields, counted):
        if objective == "masked+zoomed-in":
            return centre_border(prediction, fields, counted, recipe["target"])
        return token_mean((prediction - targets(fields, recipe["target"])) ** 2, counted)

    def parts_of(indices, epoch, step):
        random = Stream(SEED, "drop-path", epoch, step)
        for part in np.split(np.array(indices), recipe["accumulate"]):
            fields, inputs, kept, counted = batch(part.tolist(), epoch)
            factors = drop_factors(recipe, random, len(part))
            prediction = pretraining_prediction(values, CONFIG, inputs.permute(0, 3, 1, 2), kept, factors)
            yield score(prediction, fields, counted)

    groups = [
        {"params": [value], "weight_decay": recipe["weightDecay"] if value.ndim > 1 else 0.0}
        for value in trained.values()
    ]
    run = train(recipe, len(pixels), groups, parts_of)
    fields, _, _, counted = batch(range(len(pixels)), 0)
    run["trainImages"] = len(pixels)
    run["zeroLoss"] = score(torch.zeros(len(pixels), 16, 48), fields, counted).item()
    run["weights"] = {name: sampled(trained[name] - first[name]) for name in trained}
    task = {"objective": objective, "maskRatio": mask_ratio}
    return {"kind": "pretrain", "dataset": "views", **task, "recipe": recipe, **run}


# Fine-tuning


class DropPath(torch.nn.Module):
    """Replaces timm's stochastic depth, with given factors."""

    factors = None

    def forward(self, branch):
        return branch if self.factors is None else branch * self.factors[:, None, None]


def new_head_weight(name, shape):
    """Initial values of a classifier on a pre-trained encoder: an identity norm, and a head of almost 0."""
    if name == "head.weight":
        random = Stream(SEED, "init", name)
        values = np.array([0.001 * 0.02 * random.normal() for _ in range(math.prod(shape))])
        return torch.from_numpy(values.astype(np.float32).astype(np.float64)).reshape(shape)
    return torch.full(shape, 1.0 if name == "fc_norm.weight" else 0.0)


def classifier(pooled, new_head=False):
    """timm's model with drawn weights; `pooled`: with mean pooling and a head, else up to the encoder's last norm."""
    model = VisionTransformer(
        img_size=SIZE,
        patch_size=MODEL["patchSize"],
        embed_dim=MODEL["dim"],
        depth=MODEL["depth"],
        num_heads=MODEL["heads"],
        mlp_ratio=MODEL["mlpRatio"],
        num_classes=CLASSES,
        class_token=False,
        global_pool="avg" if pooled else "",
        fc_norm=pooled,
    ).double()
    model.pos_embed.data[0] = positions(CONFIG, MODEL["dim"])
    model.pos_embed.requires_grad_(False)
    dim, patch = MODEL["dim"], MODEL["patchSize"]
    for name, value in model.named_parameters():
        if name == "pos_embed":
            continue
        if name == "patch_embed.proj.weight":
            drawn = first_weight(name, (3 * patch * patch, dim)).view(patch, patch, 3, dim).permute(3, 2, 0, 1)
        elif name.endswith("qkv.bias"):
            stem = name.removesuffix("qkv.bias")
            q, v = first_weight(f"{stem}q_bias", (dim,)), first_weight(f"{stem}v_bias", (dim,))
            drawn = torch.cat([q, torch.zeros(dim), v])
        else:
            draw = new_head_weight if new_head and name.startswith(("fc_norm", "head")) else first_weight
            shape = tuple(value.shape)
            drawn = draw(name, shape[::-1]).T if value.ndim == 2 else draw(name, shape)
        value.data = drawn.clone()
        if name.endswith("qkv.bias"):  # k has no bias
            value.register_hook(lambda gradient: torch.cat([gradient[:dim], torch.zeros(dim), gradient[2 * dim :]]))
    for block in model.blocks:
        block.drop_path1, block.drop_path2 = DropPath(), DropPath()
    return model


def measured(scores, labels, least_margin=2e-4):
    """Accuracies in percent, of scores that no rounding turns over."""
    ordered = scores.sort(dim=1, descending=True)
    gaps = [(ordered.values[:, i] - ordered.values[:, i + 1]).min().item() for i in (0, 4)]
    scale = scores.abs().mean().item()
    assert min(gaps) > least_margin * scale, f"images too near a boundary: {gaps}"
    truth = torch.tensor(labels)[:, None]
    right = ordered.indices == truth
    return [100 * right[:, :top].any(1).double().mean().item() for top in (1, 5)]


def chw(pixels):
    return normalize(pixels).permute(0, 3, 1, 2)


def finetuning(parent, fraction, recipe, dataset="views"):
    pixels, labels = SETS[dataset]
    chosen = labelled(labels, fraction) if fraction < 1 else list(range(len(labels)))
    pixels, labels = [pixels[i] for i in chosen], [labels[i] for i in chosen]
    model = classifier(pooled=True, new_head=parent)
    first = {name: value.detach().clone() for name, value in from_timm(model, CONFIG).items()}
    mixer = Mixup(recipe["mixup"], recipe["cutmix"], label_smoothing=recipe["labelSmoothing"], num_classes=CLASSES)

    def mixed(indices, epoch, step):
        views = torch.stack([augmented(pixels[i], i, epoch, SIZE, recipe) for i in indices])
        random = Stream(SEED, "mix", epoch, step)
        cutmix = random.uniform() < 0.5
        lam = random.beta(recipe["cutmix"] if cutmix else recipe["mixup"])
        mixer._params_per_batch = lambda: (lam, cutmix)
        with mock.patch.object(np.random, "randint", side_effect=lambda low, high, size=None: random.integer(high)):
            clean = erased(chw(views).clone(), indices, epoch, recipe.get("randomErasing", 0))
            x, target = mixer(clean, torch.tensor([labels[i] for i in indices]))
        # timm's targets start from one-hot labels in float32.
        return x, target.double(), "cutmix" if cutmix else "mixup"

    kinds = []

    def parts_of(indices, epoch, step):
        x, target, kind = mixed(indices, epoch, step)
        kinds.append(kind)
        random = Stream(SEED, "drop-path", epoch, step)
        count = len(indices) // recipe["accumulate"]
        for begin in range(0, len(indices), count):
            factors = drop_factors(recipe, random, count)
            for i, block in enumerate(model.blocks):
                block.drop_path1.factors, block.drop_path2.factors = factors[2 * i : 2 * i + 2]
            yield SoftTargetCrossEntropy()(model(x[begin : begin + count]), target[begin : begin + count])

    accuracies = []

    def evaluate(epochs):
        if epochs % recipe["evaluateEvery"] and epochs < recipe["epochs"]:
            return
        for block in model.blocks:
            block.drop_path1.factors = block.drop_path2.factors = None
        averaged.eval(), model.eval()
        with torch.no_grad():
            accuracies.append([epochs, *measured(averaged(chw(torch.stack(TEST[0]))), TEST[1])])

    average = ModelEmaV2(model, decay=recipe["ema"]) if "ema" in recipe else None
    averaged = model if average is None else average.module
    decay = recipe["layerDecay" if parent else "scratchLayerDecay"]
    groups = param_groups_layer_decay(model, recipe["weightDecay"], layer_decay=decay)
    after_step = (lambda: None) if average is None else (lambda: average.update(model))
    run = train(recipe, len(pixels), groups, parts_of, evaluate, after_step)
    assert {kinds.count("cutmix"), kinds.count("mixup")}.isdisjoint(range(8)), "both are to be drawn often"
    last = from_timm(model, CONFIG)
    names = [name for name in first if name != "pos_embed"]
    run["weights"] = {name: sampled(last[name] - first[name]) for name in names}
    run["accuracies"] = accuracies
    run["trainImages"] = len(pixels)
    start = {"parent": parent, "labelFraction": fraction}
    if average is not None:
        mean = from_timm(average.module, CONFIG)
        run["averages"] = {name: sampled(mean[name] - first[name]) for name in names}
    return {"kind": "finetune", "dataset": dataset, **start, "recipe": recipe, **run}


# Probes


def frozen_features(fraction):
    pixels, labels = SETS["plain"]
    chosen = labelled(labels, fraction)
    model = classifier(pooled=False)
    with torch.no_grad():
        sets = [pixels[i] for i in chosen], TEST[0]
        train, test = (model.forward_features(chw(torch.stack(own))).mean(1) for own in sets)
    return train, torch.tensor([labels[i] for i in chosen]), test


def linear_probe(fraction, recipe):
    train, labels, test = frozen_features(fraction)
    mean, deviation = train.mean(0), (train.var(0, correction=0) + 1e-6).sqrt()
    train, test = (train - mean) / deviation, (test - mean) / deviation
    layer = torch.nn.Linear(MODEL["dim"], CLASSES)
    torch.nn.init.zeros_(layer.weight), torch.nn.init.zeros_(layer.bias)
    groups = [
        {"params": [layer.weight], "weight_decay": recipe["weightDecay"]},
        {"params": [layer.bias], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=1.0, momentum=0.9)
    per_epoch = len(train) // recipe["batchSize"]
    for epoch in range(recipe["epochs"]):
        losses = []
        for step, indices in enumerate(batches(len(train), recipe["batchSize"], epoch)):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(recipe, epoch * per_epoch + step, per_epoch, 0.0)
            optimizer.zero_grad()
            loss = F.cross_entropy(layer(train[indices]), labels[indices])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return {
        "kind": "linear",
        "dataset": "plain",
        "labelFraction": fraction,
        "recipe": recipe,
        "trainImages": len(train),
        "steps": recipe["epochs"] * per_epoch,
        "losses": [float(np.mean(losses))],
        "accuracies": [[recipe["epochs"], *measured(layer(test).detach(), TEST[1])]],
    }


class Lars(torch.optim.Optimizer):
    """You et al.'s rule: the step of a matrix is in proportion to its norm; vectors are neither scaled nor decayed."""

    def __init__(self, parameters, weight_decay, momentum=0.9, trust=0.001):
        super().__init__(parameters, dict(lr=1.0, weight_decay=weight_decay, momentum=momentum, trust=trust))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for value in group["params"]:
                update = value.grad
                if value.ndim > 1:
                    update = update + group["weight_decay"] * value
                    update = update * group["trust"] * value.norm() / update.norm()
                state = self.state[value].setdefault("momentum", torch.zeros_like(value))
                state.mul_(group["momentum"]).add_(update)
                value.sub_(group["lr"] * state)


def augmented_probe(recipe):
    """MAE's linear probe: every epoch encodes new crops, and a batch norm without parameters is before the classifier."""
    pixels, labels = SETS["views"]
    encoder = classifier(pooled=False)
    random = Stream(SEED, "linear", "weight")
    layer = torch.nn.Linear(MODEL["dim"], CLASSES)
    drawn = [0.01 * random.normal() for _ in range(MODEL["dim"] * CLASSES)]
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(np.float32(drawn).astype(np.float64)).reshape(MODEL["dim"], CLASSES).T)
        layer.bias.zero_()
    norm = torch.nn.BatchNorm1d(MODEL["dim"], affine=False, eps=1e-6)
    optimizer = Lars(layer.parameters(), recipe["weightDecay"])
    per_epoch = len(pixels) // recipe["batchSize"]
    epochs = []

    def encoded(views):
        with torch.no_grad():
            return encoder.forward_features(chw(torch.stack(views))).mean(1)

    for epoch in range(recipe["epochs"]):
        losses = []
        for step, indices in enumerate(batches(len(pixels), recipe["batchSize"], epoch)):
            views = [augmented(pixels[i], i, epoch, SIZE, {"cropScale": [0.08, 1], "flip": True}) for i in indices]
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(recipe, epoch * per_epoch + step, per_epoch, 0.0)
            optimizer.zero_grad()
            loss = F.cross_entropy(layer(norm(encoded(views))), torch.tensor([labels[i] for i in indices]))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        epochs.append(float(np.mean(losses)))
    norm.eval()
    return {
        "kind": "linear",
        "dataset": "views",
        "recipe": {**recipe, "optimizer": "lars", "augment": True},
        "trainImages": len(pixels),
        "steps": recipe["epochs"] * per_epoch,
        "losses": epochs[-1:],
        "progress": epochs,
        "accuracies": [[recipe["epochs"], *measured(layer(norm(encoded(TEST[0]))).detach(), TEST[1])]],
    }


def nearest_neighbours(fraction, recipe):
    train, labels, test = frozen_features(fraction)
    similarity = F.normalize(test, dim=1) @ F.normalize(train, dim=1).T
    nearest = similarity.topk(recipe["k"] + 1, dim=1)
    gap = (nearest.values[:, -2] - nearest.values[:, -1]).min().item()
    assert gap > 1e-5, f"neighbours too near each other: {gap}"
    votes = torch.zeros(len(test), CLASSES)
    weights = ((nearest.values[:, :-1] - 1) / recipe["temperature"]).exp()
    votes.scatter_add_(1, labels[nearest.indices[:, :-1]], weights)
    # Classes without a vote tie at 0; among equal votes, the lower class counts as higher.
    votes -= torch.arange(CLASSES) * 1e-9
    return {
        "kind": "knn",
        "dataset": "plain",
        "labelFraction": fraction,
        "recipe": recipe,
        "trainImages": len(train),
        "steps": 0,
        "accuracies": [[0, *measured(votes, TEST[1], least_margin=0)]],
    }


PRETRAIN = {
    "epochs": 10,
    "batchSize": 12,
    "accumulate": 1,
    "baseLearningRate": 0.1,
    "minLearningRate": 1e-3,
    "warmupEpochs": 2.5,
    "weightDecay": 0.3,
    "beta1": 0.8,
    "beta2": 0.9,
    "clipGradient": None,
    "dropPath": 0,
    "cropScale": [0.3, 1],
    "flip": True,
    "target": "patch-channel",
}
FINETUNE = {
    **{key: value for key, value in PRETRAIN.items() if key != "target"},
    "batchSize": 6,
    "accumulate": 2,
    "baseLearningRate": 0.2,
    "minLearningRate": 5e-4,
    "beta2": 0.99,
    "clipGradient": 1.2,
    "dropPath": 0.3,
    "layerDecay": 0.6,
    "scratchLayerDecay": 0.9,
    "labelSmoothing": 0.1,
    "mixup": 0.8,
    "cutmix": 1,
    "evaluateEvery": 4,
}
# All that the paper's fine-tuning has. Whole images of the model's size: their bytes need no resampling.
EVERYTHING = {
    **FINETUNE,
    "epochs": 3,
    "warmupEpochs": 1,
    "evaluateEvery": 2,
    "batchSize": 12,
    "cropScale": [1, 1],
    "randAugment": {"magnitude": 9, "std": 0.5, "ops": 2, "probability": 0.5, "increasing": True},
    "randomErasing": 0.5,
    "ema": 0.9,
}
# 24 steps. The decay is large, so that it shows in the few.
LARS = {"epochs": 6, "batchSize": 11, "baseLearningRate": 40, "warmupEpochs": 2, "weightDecay": 0.5}
LINEAR = {"epochs": 8, "batchSize": 15, "baseLearningRate": 2, "warmupEpochs": 2, "weightDecay": 0.02}


def main():
    runs = {
        "masked": pretraining("masked", 0.6, {**PRETRAIN, "target": "patch"}),
        "zoomed-in": pretraining("zoomed-in", 0, {**PRETRAIN, "accumulate": 2, "dropPath": 0.2, "clipGradient": 0.3}),
        "masked+zoomed-in": pretraining("masked+zoomed-in", 0.75, {**PRETRAIN, "accumulate": 3, "dropPath": 0.1}),
        "fine-tuning from a pre-training": finetuning(True, 0.5, FINETUNE),
        "fine-tuning from scratch": finetuning(False, 1, {**FINETUNE, "batchSize": 12, "mixup": 0.4, "cutmix": 0.6}),
        "fine-tuning with everything": finetuning(True, 1, EVERYTHING, "plain"),
        "linear probe": linear_probe(0.5, LINEAR),
        "linear probe by LARS with augmentation": augmented_probe(LARS),
        "nearest neighbours": nearest_neighbours(0.5, {"k": 15, "temperature": 0.02}),
    }
    for name, run in runs.items():
        brief = {key: run[key] for key in ("firstLoss", "largestGradientNorm", "accuracies") if key in run}
        print(name, brief, [round(loss, 3) for loss in run.get("losses", [])])
    fixture = {
        "madeWith": f"torch {torch.__version__.split('+')[0]}, timm {timm.__version__}, numpy {np.__version__}",
        "seed": SEED,
        "model": MODEL,
        "counts": COUNTS,
        "runs": runs,
    }
    path = pathlib.Path(__file__).parent / "fixtures" / "training.json"
    path.write_text(json.dumps(fixture) + "\n")


if __name__ == "__main__":
    main()
