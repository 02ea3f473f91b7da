#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many images a second a core: this loader and torchvision's, on the same files in one run.

    tests/core/augment/loader_speed.py FOLDER [--tools build/bin/remixer-tools] [--rounds 5]

FOLDER holds a folder of images for each class, or is a tar archive of one. Both sides decode, take a
random resized crop of 224 pixels (bicubic), mirror, and normalise to a float tensor; one thread each,
turn by turn, the fastest round counts; seconds are the processor's, so that other programs on the
machine disturb little. Prints one line of JSON with the ratio.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.abspath(os.path.join(HERE, "../../.."))
for part in ("torch-python", "torch", "python-tests"):
    sys.path.insert(0, os.path.join(SOURCE, ".deps", part))

import torch  # noqa: E402
import torchvision  # noqa: E402
from torchvision import transforms  # noqa: E402
import PIL  # noqa: E402


def torchvision_seconds(dataset):
    """Seconds of a core an image."""
    started = time.process_time()
    loader = torch.utils.data.DataLoader(dataset, batch_size=64, shuffle=True, num_workers=0)
    count = sum(len(images) for images, _ in loader)
    return (time.process_time() - started) / count


def our_seconds(tools, folder):
    done = subprocess.run([tools, "bench", "loader", folder, "--rounds", "1", "--format", "json"],
                          capture_output=True, text=True, check=True)
    return 1 / json.loads(done.stdout)["images_per_cpu_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--tools", default=os.path.join(SOURCE, "build/bin/remixer-tools"))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transform = transforms.Compose([
        transforms.RandomResizedCrop(224, interpolation=transforms.InterpolationMode.BICUBIC),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ])
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder
        if os.path.isfile(folder):
            with tarfile.open(folder) as archive:
                archive.extractall(scratch)
            folder = scratch
            while len(os.listdir(folder)) == 1:
                folder = os.path.join(folder, os.listdir(folder)[0])
        dataset = torchvision.datasets.ImageFolder(folder, transform)
        theirs, ours = [], []
        for _ in range(arguments.rounds + 1):  # the first fills the page cache
            theirs.append(torchvision_seconds(dataset))
            ours.append(our_seconds(arguments.tools, folder))
        theirs, ours = min(theirs[1:]), min(ours[1:])
    print(json.dumps({
        "images": len(dataset),
        "torchvision_images_per_core_second": round(1 / theirs, 1),
        "remixer_images_per_core_second": round(1 / ours, 1),
        "ratio": round(theirs / ours, 2),
        "versions": {"torchvision": torchvision.__version__, "Pillow": PIL.__version__},
    }))


if __name__ == "__main__":
    main()
