"""Images per second of whole training steps in PyTorch: the networks and work of bench/step.ts, generated numbers.

    python3 bench/peers/torch_vit.py --work P [--batch 64] [--steps 5] [--threads 2]
                                     [--precision float32|bfloat16] [--device cpu|cuda] [--compile] [--json]

P: pre-training, 32 px, patch 4, encoder 192x6 (3 heads), decoder 96x2 (3 heads), mask 0.75.
F: fine-tuning the same encoder on 10 classes.

Not an independent re-implementation to test against (that is test/parity): a peer to race. It does what a careful user
of plain PyTorch does for speed, and no less work than vitmim. Needs torch 2 alone.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

IMAGE, PATCH, CLASSES, MASK_RATIO = 32, 4, 10, 0.75
TOKENS, PATCH_VALUES = (IMAGE // PATCH) ** 2, 3 * PATCH**2
DIM, DEPTH, DECODER_DIM, DECODER_DEPTH, HEADS = 192, 6, 96, 2, 3
EPSILON = 1e-6  # of the norms
WARM_UP = 1  # steps that do not count, as in bench/step.ts: memory is first touched, and --compile compiles


class Attention(nn.Module):
    """Multi-head self-attention. q and v have a bias, k has none, as in BEiT and in vitmim's default."""

    def __init__(self, dim):
        super().__init__()
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(dim))
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = F.linear(x, self.qkv.weight, bias).unflatten(-1, (3, HEADS, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Pre-norm, exact GELU, MLP four times as wide."""

    def __init__(self, dim):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(dim, EPSILON), Attention(dim)
        self.norm2 = nn.LayerNorm(dim, EPSILON)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def positions(dim):
    """[TOKENS, dim]: sine and cosine of each frequency side by side, over the flattened grid."""
    angles = torch.arange(TOKENS)[:, None] / 10000 ** (torch.arange(0, dim, 2) / dim)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)


class Encoder(nn.Module):
    """All but the last norm."""

    def __init__(self):
        super().__init__()
        self.patch_embed = nn.Linear(PATCH_VALUES, DIM)
        self.register_buffer("pos_embed", positions(DIM))
        self.blocks = nn.Sequential(*(Block(DIM) for _ in range(DEPTH)))

    def forward(self, images, kept=None):
        """images [batch, 3, IMAGE, IMAGE]; kept [batch, kept tokens], indices of tokens, or None for all"""
        rows = images.unflatten(-1, (-1, PATCH)).unflatten(-3, (-1, PATCH))
        x = self.patch_embed(rows.permute(0, 2, 4, 3, 5, 1).reshape(len(images), TOKENS, PATCH_VALUES)) + self.pos_embed
        return self.blocks(x if kept is None else x.gather(1, kept[..., None].expand(-1, -1, DIM)))


class Pretraining(nn.Module):
    """A masked autoencoder and its loss."""

    def __init__(self):
        super().__init__()
        self.encoder, self.norm = Encoder(), nn.LayerNorm(DIM, EPSILON)
        self.decoder_embed = nn.Linear(DIM, DECODER_DIM, bias=False)
        self.mask_token = nn.Parameter(torch.zeros(DECODER_DIM))
        self.register_buffer("decoder_pos_embed", positions(DECODER_DIM))
        self.decoder_blocks = nn.Sequential(*(Block(DECODER_DIM) for _ in range(DECODER_DEPTH)))
        self.decoder_norm = nn.LayerNorm(DECODER_DIM, EPSILON)
        self.decoder_pred = nn.Linear(DECODER_DIM, PATCH_VALUES)

    def forward(self, images, order, target):
        """order [batch, TOKENS]: the tokens of each image in random order, those to keep first"""
        kept = int(TOKENS * (1 - MASK_RATIO))
        x = self.decoder_embed(self.norm(self.encoder(images, order[:, :kept])))
        gaps = self.mask_token.to(x.dtype).expand(len(x), TOKENS - kept, -1)
        restore = order.argsort(1)
        all_tokens = torch.cat([x, gaps], 1).gather(1, restore[..., None].expand(-1, -1, DECODER_DIM))
        x = self.decoder_blocks(all_tokens + self.decoder_pos_embed)
        error = (self.decoder_pred(self.decoder_norm(x)) - target).square().mean(-1)
        removed = restore >= kept
        return (error * removed).sum() / removed.sum()


class Finetuning(nn.Module):
    """A classifier on the mean of the tokens, and its loss."""

    def __init__(self):
        super().__init__()
        self.encoder, self.fc_norm, self.head = Encoder(), nn.LayerNorm(DIM, EPSILON), nn.Linear(DIM, CLASSES)

    def forward(self, images, target):
        """target [batch, CLASSES], each row a distribution"""
        return F.cross_entropy(self.head(self.fc_norm(self.encoder(images).mean(1))), target)


def pretraining(batch):
    """A model and what one of its steps takes."""
    order = torch.rand(batch, TOKENS).argsort(1)
    return Pretraining(), (torch.randn(batch, 3, IMAGE, IMAGE), order, torch.randn(batch, TOKENS, PATCH_VALUES))


def finetuning(batch):
    """A model and what one of its steps takes."""
    target = F.one_hot(torch.arange(batch) % CLASSES, CLASSES).float()
    return Finetuning(), (torch.randn(batch, 3, IMAGE, IMAGE), target)


def adamw(model):
    """Weight decay for matrices alone. Fused: on the CPU a little faster than `foreach`."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), fused=True)


def main():
    parser = argparse.ArgumentParser(description="Images per second of training steps in PyTorch.")
    parser.add_argument("--work", choices=["P", "F"], default="P")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32", help="bfloat16: by autocast")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model, inputs = (pretraining if options.work == "P" else finetuning)(options.batch)
    model = model.to(options.device)
    inputs = [tensor.to(options.device) for tensor in inputs]
    optimizer = adamw(model)
    loss_of = torch.compile(model) if options.compile else model
    autocast = torch.autocast(options.device, torch.bfloat16, enabled=options.precision == "bfloat16")

    def step():
        optimizer.zero_grad()
        with autocast:
            loss = loss_of(*inputs)
        loss.backward()
        optimizer.step()
        return loss.item()  # waits for the device

    times = []
    for _ in range(WARM_UP + options.steps):
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    times = times[WARM_UP:]
    result = {
        "torch": torch.__version__,
        "device": options.device,
        "work": options.work,
        "batch": options.batch,
        "threads": options.threads,
        "precision": options.precision,
        "compile": options.compile,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "imagesPerSecond": options.batch / statistics.median(times),
        "seconds": times,
    }
    if options.json:
        print(json.dumps(result))
    else:
        print(f"{result['imagesPerSecond']:.1f} images/s with torch {result['torch']} on {options.device}")


if __name__ == "__main__":
    main()
