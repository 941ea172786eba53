"""Writes fixtures/optimizer.json: torch.optim.AdamW, gradient clipping and the learning rates of MAE, for comparison.

    python3 test/parity/optimizer.py

Deterministic; computed in float64 from values that are exact in float32. Needs numpy and torch.
"""

import base64
import json
import math
import pathlib

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
STEPS = 25

# Shape, weight decay, learning-rate scale and scale of the gradients of each parameter. The last has gradients as small
# as epsilon, so that the result depends on whether epsilon is added before or after the bias correction.
SLOTS = [
    ([4, 3], 0.05, 1.0, 1.0),
    ([5], 0.0, 0.75, 30.0),
    ([2, 6], 0.3, 0.5625, 1e-3),
    ([7], 0.0, 1.0, 1e-8),
]


def packed(tensor):
    array = np.ascontiguousarray(torch.as_tensor(tensor).detach().numpy(), dtype="<f4")
    return {"shape": list(array.shape), "float32": base64.b64encode(array.tobytes()).decode()}


def adamw_case(name, beta2, seed, clip=None):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape, std):
        return (std * torch.randn(*shape, generator=generator)).float().double()

    # As small as usual weights, so that rounding of the value does not hide the first change.
    parameters = [torch.nn.Parameter(normal(*shape, std=0.05)) for shape, *_ in SLOTS]
    initial = [packed(parameter) for parameter in parameters]
    groups = [
        {"params": [parameter], "weight_decay": decay, "scale": scale}
        for parameter, (_, decay, scale, _) in zip(parameters, SLOTS)
    ]
    optimizer = torch.optim.AdamW(groups, lr=1.0, betas=(0.9, beta2), eps=1e-8)
    rates, gradients, norms, after = [], [], [], {}
    for step in range(STEPS):
        rates.append(0.02 * (1 + step % 5) / 5)  # rises and falls
        for group in optimizer.param_groups:
            group["lr"] = rates[-1] * group["scale"]
        drawn = [normal(*shape, std=size) for shape, _, _, size in SLOTS]
        gradients.append([packed(gradient) for gradient in drawn])
        for parameter, gradient in zip(parameters, drawn):
            parameter.grad = gradient
        if clip is not None:
            norms.append(torch.nn.utils.clip_grad_norm_(parameters, clip).item())
        optimizer.step()
        if step + 1 in (1, 2, STEPS):
            state = [optimizer.state[parameter] for parameter in parameters]
            after[step + 1] = {
                "values": [packed(parameter) for parameter in parameters],
                "first": [packed(moments["exp_avg"]) for moments in state],
                "second": [packed(moments["exp_avg_sq"]) for moments in state],
            }
    if clip is not None:
        assert min(norms) < clip < max(norms), "some steps are to be clipped and some not"
    slots = [{"weightDecay": decay, "rateScale": scale} for _, decay, scale, _ in SLOTS]
    betas = {"beta1": 0.9, "beta2": beta2, "epsilon": 1e-8}
    return {
        "name": name,
        **betas,
        "clip": clip,
        "slots": slots,
        "initial": initial,
        "rates": rates,
        "gradients": gradients,
        "after": after,
    }


def schedule_case(name, base, minimum, batch, warmup, epochs, steps_per_epoch):
    """MAE: peak = base x batch / 256; linear from 0, then half a cosine down to the minimum; set before every step."""

    def rate(step):
        epoch, peak = step / steps_per_epoch, base * batch / 256
        if epoch < warmup:
            return peak * epoch / warmup
        return minimum + (peak - minimum) * 0.5 * (1.0 + math.cos(math.pi * (epoch - warmup) / (epochs - warmup)))

    total = epochs * steps_per_epoch
    warm = warmup * steps_per_epoch
    steps = {0, 1, warm // 2, warm - 1, warm, warm + 1, (warm + total) // 2, total - 2, total - 1}
    schedule = {
        "baseLearningRate": base,
        "minLearningRate": minimum,
        "batchSize": batch,
        "warmupEpochs": warmup,
        "epochs": epochs,
    }
    rates = [[step, rate(step)] for step in sorted(steps) if 0 <= step < total]
    return {"name": name, "schedule": schedule, "stepsPerEpoch": steps_per_epoch, "rates": rates}


fixture = {
    "madeWith": f"torch {torch.__version__.split('+')[0]}",
    "adamw": [
        adamw_case("pre-training betas", 0.95, seed=1),
        adamw_case("fine-tuning betas", 0.999, seed=2),
        adamw_case("clipped gradients", 0.95, seed=3, clip=65.0),
    ],
    "schedules": [
        schedule_case("the paper's pre-training", 1.5e-4, 1e-5, 2048, 20, 300, 625),
        schedule_case("MAE's pre-training", 1.5e-4, 0.0, 4096, 40, 800, 312),
        schedule_case("fine-tuning", 1e-3, 1e-6, 1024, 5, 100, 1251),
        schedule_case("no warm-up and few steps", 1e-3, 0.0, 96, 0, 3, 7),
    ],
}
path = pathlib.Path(__file__).parent / "fixtures" / "optimizer.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(fixture, indent=1) + "\n")
