"""Writes fixtures/heads.json: an attentive head and LARS in PyTorch, for comparison.

    python3 test/parity/heads.py

The head is AIM's: a batch norm without parameters, keys and values without bias, one query, a linear classifier. Its
tokens are attended to as written in its definition, by torch's scaled_dot_product_attention. Deterministic; computed in
float64 from values that are exact in float32. Needs numpy and torch.
"""

import base64
import json
import math
import pathlib

import numpy as np
import torch

torch.set_default_dtype(torch.float64)

IMAGES, TOKENS, DIM, HEADS, CLASSES, STEPS = 10, 4, 6, 2, 3, 5


def packed(tensor):
    array = np.ascontiguousarray(torch.as_tensor(tensor).detach().numpy(), dtype="<f4")
    return {"shape": list(array.shape), "float32": base64.b64encode(array.tobytes()).decode()}


generator = torch.Generator().manual_seed(1)


def normal(*shape, std=1.0):
    return (std * torch.randn(*shape, generator=generator)).float().double()


class AttentiveHead(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(DIM, affine=False, eps=1e-6)
        self.key = torch.nn.Linear(DIM, DIM, bias=False)
        self.value = torch.nn.Linear(DIM, DIM, bias=False)
        self.query = torch.nn.Parameter(torch.zeros(1, 1, DIM))
        self.head = torch.nn.Linear(DIM, CLASSES)

    def forward(self, tokens):
        batch = tokens.shape[0]
        x = self.norm(tokens.transpose(1, 2)).transpose(1, 2)

        def split(y):
            return y.reshape(batch, -1, HEADS, DIM // HEADS).transpose(1, 2)

        gathered = torch.nn.functional.scaled_dot_product_attention(
            split(self.query.expand(batch, -1, -1)), split(self.key(x)), split(self.value(x))
        )
        return self.head(gathered.transpose(1, 2).reshape(batch, DIM))


def attentive():
    head = AttentiveHead()
    initial = {
        "query": normal(DIM, std=0.5),
        "key": normal(DIM, DIM, std=0.5),
        "value": normal(DIM, DIM, std=0.5),
        "weight": normal(DIM, CLASSES, std=0.5),
        "bias": normal(CLASSES, std=0.5),
    }
    with torch.no_grad():
        head.query.copy_(initial["query"].reshape(1, 1, DIM))
        for name, layer in (("key", head.key), ("value", head.value), ("weight", head.head)):
            layer.weight.copy_(initial[name].T)
        head.head.bias.copy_(initial["bias"])
    tokens = 3 * normal(IMAGES, TOKENS, DIM) + normal(DIM)
    tokens = tokens.float().double()
    labels = torch.arange(IMAGES) % CLASSES
    matrices = [head.key.weight, head.value.weight, head.head.weight]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": [head.query, head.head.bias], "weight_decay": 0.0}],
        betas=(0.9, 0.999),
    )
    scores = head(tokens)
    losses = []
    for step in range(STEPS):
        # A cosine without warm-up, in one epoch of one step each.
        rate = 0.02 * IMAGES / 256 * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = torch.nn.functional.cross_entropy(head(tokens), labels)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {
        "sizes": {"tokens": TOKENS, "dim": DIM, "heads": HEADS, "classes": CLASSES},
        "initial": {name: packed(value) for name, value in initial.items()},
        "tokens": packed(tokens),
        "labels": labels.tolist(),
        "rate": 0.02,
        "weightDecay": 0.1,
        "epochs": STEPS,
        "scores": packed(scores),
        "losses": losses,
        "trainedScores": packed(head(tokens)),
    }


def lars():
    """Five steps of You et al.'s rule, as MAE's linear probe applies it: matrices alone are scaled and decayed."""
    weight, bias = normal(4, 3, std=0.1), normal(3)
    initial = {"weight": packed(weight), "bias": packed(bias)}
    velocities = [torch.zeros_like(weight), torch.zeros_like(bias)]
    gradients = []
    for step in range(STEPS):
        # The third gradient of the matrix is 0: it is not scaled.
        pair = (normal(4, 3) * (step != 2), normal(3))
        gradients.append([packed(gradient) for gradient in pair])
        for value, gradient, velocity in zip((weight, bias), pair, velocities):
            update = gradient
            if value.ndim > 1:
                update = update + 0.0 * value
                if value.norm() > 0 and update.norm() > 0:
                    update = update * (0.001 * value.norm() / update.norm())
            velocity.mul_(0.9).add_(update)
            value.sub_(0.5 * velocity)
    return {"initial": initial, "gradients": gradients, "rate": 0.5, "result": [packed(weight), packed(bias)]}


path = pathlib.Path(__file__).parent / "fixtures" / "heads.json"
path.write_text(json.dumps({"attentive": attentive(), "lars": lars()}) + "\n")
