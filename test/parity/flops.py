"""Writes fixtures/flops.json: what PyTorch's FlopCounterMode counts for the networks of bench/peers/torch_vit.py.

    python3 test/parity/flops.py

Needs torch. Attention runs as plain products: the fused kernels are counted with what they compute again in backward.
"""

import json
import pathlib
import sys

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bench" / "peers"))
import torch_vit  # noqa: E402

BATCH = 2


def count(work):
    """FLOPs per image, forward and forward with backward."""
    model, inputs = (torch_vit.pretraining if work == "P" else torch_vit.finetuning)(BATCH)
    with sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as forward:
            model(*inputs)
        with FlopCounterMode(display=False) as training:
            model(*inputs).backward()
    return {"forward": forward.get_total_flops() / BATCH, "training": training.get_total_flops() / BATCH}


fixture = {"torch": torch.__version__.split("+")[0], "P": count("P"), "F": count("F")}
path = pathlib.Path(__file__).parent / "fixtures" / "flops.json"
path.write_text(json.dumps(fixture, indent=2) + "\n")
print(fixture)
