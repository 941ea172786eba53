"""Writes fixtures/flops.json: the counts of PyTorch's FlopCounterMode for the networks of bench/peers/torch_vit.py.

    python3 test/parity/flops.py

Needs torch. Attention runs as plain products: the count of the fused kernels includes recomputation in backward.
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
    """FLOPs per image, forward and forward with backward. On device meta, which computes nothing."""
    model, inputs = torch_vit.prepare(work, BATCH, "meta")
    with sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as forward:
            model(*inputs)
        with FlopCounterMode(display=False) as training:
            model(*inputs).backward()
    counted = {"forward": forward.get_total_flops() / BATCH, "training": training.get_total_flops() / BATCH}
    assert counted["training"] == torch_vit.flops_per_image(work), (counted, torch_vit.flops_per_image(work))
    return counted


fixture = {"torch": torch.__version__.split("+")[0], **{name: count(work) for name, work in torch_vit.WORKS.items()}}
path = pathlib.Path(__file__).parent / "fixtures" / "flops.json"
path.write_text(json.dumps(fixture, indent=2) + "\n")
print(fixture)
