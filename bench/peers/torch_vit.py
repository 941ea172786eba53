"""Images per second of whole training steps in PyTorch: the works of bench/works.json, on generated numbers.

    python3 bench/peers/torch_vit.py --work P [--batch 64] [--steps 5] [--threads 2] [--json]
    python3 bench/peers/torch_vit.py --work G1 --device cuda --precision bfloat16 [--compile] [--peak 989]

For speed comparisons; the independent re-implementation for tests is in test/parity. It is optimised like the code of a
careful user of plain PyTorch, and does no less work than vitmim. Needs only torch 2.

--in-flight N: steps in a measurement, which ends when the device has finished them. Default: 1 on the CPU, 10 on cuda.
--peak N: TFLOP/s of the device in that precision, for the utilisation.
"""

import argparse
import json
import math
import pathlib
import resource
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

WORKS = json.loads((pathlib.Path(__file__).parents[1] / "works.json").read_text())
EPSILON = 1e-6  # of the norms


def tokens_of(work):
    """Number of patches of an image."""
    return (work["imageSize"] // work["model"]["patchSize"]) ** 2


def patch_values(work):
    return 3 * work["model"]["patchSize"] ** 2


class Attention(nn.Module):
    """Multi-head self-attention. q and v have a bias, k has none, as in BEiT and in vitmim's default."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(dim))
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = F.linear(x, self.qkv.weight, bias).unflatten(-1, (3, self.heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Pre-norm, exact GELU, MLP four times as wide."""

    def __init__(self, dim, heads):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(dim, EPSILON), Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, EPSILON)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def blocks(depth, dim, heads):
    return nn.Sequential(*(Block(dim, heads) for _ in range(depth)))


def positions(tokens, dim):
    """[tokens, dim]: sine and cosine of each frequency side by side, over the flattened grid."""
    angles = torch.arange(tokens)[:, None] / 10000 ** (torch.arange(0, dim, 2) / dim)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)


class Encoder(nn.Module):
    """The encoder without its last norm."""

    def __init__(self, work):
        super().__init__()
        model = work["model"]
        self.patch, self.dim = model["patchSize"], model["dim"]
        self.patch_embed = nn.Linear(patch_values(work), self.dim)
        self.register_buffer("pos_embed", positions(tokens_of(work), self.dim))
        self.blocks = blocks(model["depth"], self.dim, model["heads"])

    def forward(self, images, kept=None):
        """images [batch, 3, side, side]; kept [batch, kept tokens], indices of tokens, or None for all"""
        rows = images.unflatten(-1, (-1, self.patch)).unflatten(-3, (-1, self.patch))
        x = self.patch_embed(rows.permute(0, 2, 4, 3, 5, 1).flatten(1, 2).flatten(2)) + self.pos_embed
        return self.blocks(x if kept is None else x.gather(1, kept[..., None].expand(-1, -1, self.dim)))


class Pretraining(nn.Module):
    """A masked autoencoder and its loss."""

    def __init__(self, work):
        super().__init__()
        decoder, dim = work["model"]["decoder"], work["model"]["dim"]
        self.dim, self.tokens = decoder["dim"], tokens_of(work)
        self.kept = int(self.tokens * (1 - work["maskRatio"]))
        self.encoder, self.norm = Encoder(work), nn.LayerNorm(dim, EPSILON)
        self.decoder_embed = nn.Linear(dim, self.dim, bias=False)
        self.mask_token = nn.Parameter(torch.zeros(self.dim))
        self.register_buffer("decoder_pos_embed", positions(self.tokens, self.dim))
        self.decoder_blocks = blocks(decoder["depth"], self.dim, decoder["heads"])
        self.decoder_norm = nn.LayerNorm(self.dim, EPSILON)
        self.decoder_pred = nn.Linear(self.dim, patch_values(work))

    def forward(self, images, order, target):
        """order [batch, tokens]: the tokens of each image in random order, those to keep first"""
        x = self.decoder_embed(self.norm(self.encoder(images, order[:, : self.kept])))
        gaps = self.mask_token.to(x.dtype).expand(len(x), self.tokens - self.kept, -1)
        restore = order.argsort(1)
        all_tokens = torch.cat([x, gaps], 1).gather(1, restore[..., None].expand(-1, -1, self.dim))
        x = self.decoder_blocks(all_tokens + self.decoder_pos_embed)
        error = (self.decoder_pred(self.decoder_norm(x)) - target).square().mean(-1)
        removed = restore >= self.kept
        return (error * removed).sum() / removed.sum()


class Classification(nn.Module):
    """A classifier on the mean of the tokens, and its loss."""

    def __init__(self, work):
        super().__init__()
        dim = work["model"]["dim"]
        self.encoder, self.fc_norm = Encoder(work), nn.LayerNorm(dim, EPSILON)
        self.head = nn.Linear(dim, work["classes"])

    def forward(self, images, target):
        """target [batch, classes], each row a distribution"""
        return F.cross_entropy(self.head(self.fc_norm(self.encoder(images).mean(1))), target)


def prepare(work, batch, device="cpu"):
    """A model and the inputs of its steps, on the device."""
    with torch.device(device):
        images = torch.randn(batch, 3, work["imageSize"], work["imageSize"])
        if work["task"] == "pretraining":
            order = torch.rand(batch, tokens_of(work)).argsort(1)
            return Pretraining(work), (images, order, torch.randn(batch, tokens_of(work), patch_values(work)))
        target = F.one_hot(torch.arange(batch) % work["classes"], work["classes"]).float()
        return Classification(work), (images, target)


def flops_per_image(work):
    """FLOPs of a training step: matrix products, without recomputation. The same count as in src/spec/flops.ts."""

    def blocks_forward(tokens, depth, dim):
        return depth * 2 * tokens * (12 * dim**2 + 2 * tokens * dim)

    model, tokens = work["model"], tokens_of(work)
    dim = model["dim"]
    embedding = 2 * tokens * patch_values(work) * dim
    if work["task"] == "classification":
        forward = embedding + blocks_forward(tokens, model["depth"], dim) + 2 * dim * work["classes"]
    else:
        decoder, kept = model["decoder"], int(tokens * (1 - work["maskRatio"]))
        forward = embedding + blocks_forward(kept, model["depth"], dim) + 2 * kept * dim * decoder["dim"]
        forward += blocks_forward(tokens, decoder["depth"], decoder["dim"])
        forward += 2 * tokens * decoder["dim"] * patch_values(work)
    return 3 * forward - embedding  # the gradient of the patches is not computed


def adamw(model):
    """Weight decay only for matrices. Fused: on the CPU a little faster than `foreach`."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.95), fused=True)


def peak_memory(device):
    """Peak bytes: of tensors on the GPU; on the CPU, of the process."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(step, steps):
    """Seconds per step, over several steps and the reading of the last loss; and that loss."""
    begin = time.perf_counter()
    for _ in range(steps):
        loss = step()
    value = loss.item()  # waits for the loss; the line below waits for the rest of the step
    if loss.is_cuda:
        torch.cuda.synchronize()
    return (time.perf_counter() - begin) / steps, value


def main():
    parser = argparse.ArgumentParser(description="Images per second of training steps in PyTorch.")
    parser.add_argument("--work", choices=list(WORKS), default="P")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--in-flight", type=int)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32", help="bfloat16: by autocast")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--peak", type=float)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    work = WORKS[options.work]
    batch = options.batch or work["batch"]
    in_flight = options.in_flight or (10 if options.device == "cuda" else 1)
    model, inputs = prepare(work, batch, options.device)
    optimizer = adamw(model)
    loss_of = torch.compile(model) if options.compile else model
    autocast = torch.autocast(options.device, torch.bfloat16, enabled=options.precision == "bfloat16")

    def step():
        optimizer.zero_grad()
        with autocast:
            loss = loss_of(*inputs)
        loss.backward()
        optimizer.step()
        return loss.detach()

    # Warm-up as in bench/step.ts: first memory and --compile, then clocks as in the measurements.
    first_step, _ = measure(step, 1)
    if in_flight > 1:
        measure(step, in_flight)
    measured = [measure(step, in_flight) for _ in range(options.steps)]
    times = [seconds for seconds, _ in measured]
    loss = measured[-1][1]
    if not math.isfinite(loss):
        raise SystemExit(f"the loss is {loss}: this was not a valid training")
    rate = batch / statistics.median(times)
    flops = flops_per_image(work)
    result = {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if options.device == "cuda" else "cpu",
        "work": options.work,
        "batch": batch,
        "inFlight": in_flight,
        "threads": options.threads,
        "precision": options.precision,
        "compile": options.compile,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "imagesPerSecond": rate,
        "seconds": times,
        "firstStepSeconds": first_step,
        "flopsPerImage": flops,
        "teraflops": flops * rate / 1e12,
        "utilisation": flops * rate / (options.peak * 1e12) if options.peak else None,
        "peakMemoryBytes": peak_memory(options.device),
        "loss": loss,
    }
    if options.json:
        print(json.dumps(result))
    else:
        share = f", {100 * result['utilisation']:.1f} % of the peak" if options.peak else ""
        print(f"{rate:.1f} images/s with torch {result['torch']} on {result['device']}")
        print(f"{result['teraflops']:.3f} TFLOP/s{share}, {result['peakMemoryBytes'] / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
