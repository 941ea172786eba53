"""Writes fixtures/bfloat16.json: float32 numbers, and PyTorch's bfloat16 of each, as bits, for comparison.

    python3 test/parity/bfloat16.py

Ties, zeros and subnormal numbers, the largest numbers, infinities, NaNs, and random bits. Deterministic. Needs torch.
"""

import json
import pathlib

import torch
from streams import Stream

TIE = 0x8000
UPPER = [
    *[0x0000, 0x0001, 0x0002, 0x007F],  # zero and subnormal numbers
    *[0x0080, 0x0081, 0x3F7F, 0x3F80, 0x3F81, 0x3F82, 0x4049, 0x4B00],
    *[0x7F7E, 0x7F7F],  # the largest numbers: rounding up gives infinity
    *[0x7F80, 0x7FC0, 0x7FFF],  # infinity and NaNs
]
LOWER = [0, 1, TIE - 1, TIE, TIE + 1, 0xFFFF]


def rounded(bits):
    signed = [value - 2**32 if value >= 2**31 else value for value in bits]
    result = torch.tensor(signed, dtype=torch.int32).view(torch.float32).to(torch.bfloat16).view(torch.int16)
    return [value & 0xFFFF for value in result.tolist()]


random = Stream(7, "bfloat16")
bits = [sign | upper << 16 | lower for sign in (0, 0x80000000) for upper in UPPER for lower in LOWER]
bits += [random.uint32() for _ in range(200)]
fixture = {"torch": torch.__version__, "float32": bits, "bfloat16": rounded(bits)}
path = pathlib.Path(__file__).parent / "fixtures" / "bfloat16.json"
path.write_text(json.dumps(fixture) + "\n")
