"""Compares the accuracy of an exported fine-tuning in other programs with that of its result.json.

    python3 test/parity/exported_accuracy.py RESULTS IMAGES [--stage ID | --cell KEY=VALUE,…] [--programs timm onnx half]

Exports the stage by `vitmim export --weights timm`, `--onnx` and `--onnx --half`, and classifies every image of IMAGES, a
folder with one folder for each class, with the preprocessing of preprocessor_config.json. Fails if a program's accuracy
differs from that of result.json by more than one image in a thousand.

The images must have the size of the model: a larger one is resized as a whole by preprocessor_config.json, and vitmim cuts its
centre out. Needs a build, numpy and Pillow; torch and timm for `timm`; onnxruntime for the other two.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

PROGRAM = pathlib.Path(__file__).parents[2] / "dist" / "run" / "vitmim.js"
OPTIONS = {"timm": ["--weights", "timm"], "onnx": ["--onnx"], "half": ["--onnx", "--half"]}
BATCH = 250


def with_timm(folder):
    """Pixels → logits; and the names of the classes."""
    import timm
    import torch

    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()

    @torch.no_grad()
    def run(pixels):
        return model(torch.from_numpy(pixels)).numpy()

    return run, json.loads((folder / "config.json").read_text())["pretrained_cfg"]["label_names"]


def with_onnx_runtime(folder, name):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / "onnx" / name), providers=["CPUExecutionProvider"])
    labels = json.loads((folder / "config.json").read_text())["id2label"]
    return lambda pixels: session.run(["logits"], {"pixel_values": pixels})[0], [labels[str(i)] for i in range(len(labels))]


OPENED = {
    "timm": with_timm,
    "onnx": lambda folder: with_onnx_runtime(folder, "model.onnx"),
    "half": lambda folder: with_onnx_runtime(folder, "model_fp16.onnx"),
}


def preprocess(path, config):
    """An image as preprocessor_config.json says: [3, height, width]."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    size = (config["size"]["width"], config["size"]["height"])
    if image.size != size:
        sys.exit(f"{path} has {image.size} pixels, not {size}; choose images of the size of the model")
    pixels = np.asarray(image.resize(size, config["resample"]), dtype=np.float32) * np.float32(config["rescale_factor"])
    normalised = (pixels - np.float32(config["image_mean"])) / np.float32(config["image_std"])
    return normalised.transpose(2, 0, 1)


def export(arguments, program, out):
    choice = [value for key in ("stage", "cell") if (given := getattr(arguments, key)) for value in (f"--{key}", given)]
    command = ["node", PROGRAM, "export", arguments.results, *choice, *OPTIONS[program], "--out", out]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def stage_of(card):
    """The stage of an export, by its model card."""
    return next(line.split()[2].rstrip(",") for line in card.read_text().splitlines() if line.startswith("- stage "))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("images", type=pathlib.Path)
    parser.add_argument("--stage")
    parser.add_argument("--cell")
    parser.add_argument("--programs", nargs="+", choices=OPTIONS, default=list(OPTIONS))
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.images.glob("*/*") if path.is_file())
    with tempfile.TemporaryDirectory() as temporary:
        folders = {program: pathlib.Path(temporary) / program for program in arguments.programs}
        for program, folder in folders.items():
            export(arguments, program, folder)
        configs = {(folder / "preprocessor_config.json").read_text() for folder in folders.values()}
        assert len(configs) == 1, "the exports are of one model, and want different images"
        config = json.loads(configs.pop())
        opened = {program: OPENED[program](folder) for program, folder in folders.items()}
        logits = {program: [] for program in opened}
        for begin in range(0, len(files), BATCH):
            pixels = np.stack([preprocess(path, config) for path in files[begin : begin + BATCH]])
            for program, (run, _) in opened.items():
                logits[program].append(run(pixels))
        logits = {program: np.concatenate(batches) for program, batches in logits.items()}
        classes = {program: names for program, (_, names) in opened.items()}
        stage = stage_of(folders[arguments.programs[0]] / "README.md")
    result = json.loads((arguments.results / "stages" / stage / "result.json").read_text())
    if result["testImages"] != len(files):
        sys.exit(f"{arguments.images} has {len(files)} images, and the stage was tested on {result['testImages']}; choose its test set")
    expected = round(result["accuracy"] * len(files) / 100)
    print(f"result.json: {expected} of {len(files)} right ({result['accuracy']:.2f} %)")
    allowed, failed = len(files) / 1000, False
    reference = logits[arguments.programs[0]]
    for program, values in logits.items():
        targets = np.array([classes[program].index(path.parent.name) for path in files])
        right = int((values.argmax(1) == targets).sum())
        failed |= abs(right - expected) > allowed
        print(
            f"{program}: {right} of {len(files)} right ({100 * right / len(files):.2f} %), {right - expected:+d} images; "
            f"logits differ from those of {arguments.programs[0]} by at most {np.abs(values - reference).max():.1e} "
            f"(the largest is {np.abs(reference).max():.1f})"
        )
    if failed:
        sys.exit(f"an accuracy differs by more than {allowed:g} images")


if __name__ == "__main__":
    main()
