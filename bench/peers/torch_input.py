"""Images per second from files to batches, by torchvision: the peer of bench/input.ts.

    python3 bench/peers/torch_input.py --data DIR --workers 2 [--size 224] [--batch 128] [--steps 10]

As in MAE's code: ImageFolder, RandomResizedCrop (bicubic, 0.2 to 1), a flip, ToTensor, Normalize, in a DataLoader with
a process for each core. It resamples on the processor; vitmim resamples on the GPU.
"""

import argparse
import json
import time

import torch
from torchvision import datasets, transforms
from torchvision.transforms import InterpolationMode

WARM_UP = 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    augment = transforms.Compose(
        [
            transforms.RandomResizedCrop(options.size, scale=(0.2, 1), interpolation=InterpolationMode.BICUBIC),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
        ]
    )
    images = datasets.ImageFolder(f"{options.data}/train", augment)
    wanted = (WARM_UP + options.steps) * options.batch
    sampler = torch.utils.data.RandomSampler(images, replacement=True, num_samples=wanted)
    loader = torch.utils.data.DataLoader(
        images, options.batch, sampler=sampler, num_workers=options.workers, drop_last=True, pin_memory=torch.cuda.is_available()
    )
    begin = time.perf_counter()
    for step, _ in enumerate(loader):
        if step == WARM_UP - 1:
            begin = time.perf_counter()
    seconds = time.perf_counter() - begin
    print(json.dumps({"imagesPerSecond": options.steps * options.batch / seconds}))


main()
