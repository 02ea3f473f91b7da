# SPDX-License-Identifier: Apache-2.0
"""ImageNet-9's squares and variants beside Pillow, torchvision and NumPy.

Photographs of awkward sizes go through `remixer dataset build imagenet9`; what comes out must be, to
the pixel, what Pillow's nearest neighbour and torchvision's crop make of them, and each variant what
the benchmark's rules say of original, box and mask.
"""
import csv
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy
from PIL import Image
from torchvision.transforms import CenterCrop

# 500 x 341 has a column that falls between two pixels exactly.
SIZES = [(500, 375), (375, 500), (500, 333), (333, 500), (341, 256), (256, 341), (640, 480),
         (257, 300), (1024, 768), (500, 341), (300, 299), (228, 512)]
SYNSETS = ["n02106662", "n01518878", "n02701002", "n01664065", "n02114367", "n02165105", "n02672831",
           "n02480495", "n01440764"]


def square(image):
    width, height = image.size
    if width <= height:
        size = (256, int(256 * height / width))
    else:
        size = (int(256 * width / height), 256)
    return CenterCrop(224)(image.resize(size, Image.NEAREST))


def only_bg_t(photograph, box):
    """The generator's tiles, on the whole photograph."""
    height, width = photograph.shape[:2]
    x0, y0, x1, y1 = box
    margins_x, margins_y = (x0, width - x1), (y0, height - y1)
    if max(margins_x) * height > max(margins_y) * width:
        tile = photograph[:, :x0] if margins_x[0] > margins_x[1] else photograph[:, x1:]
    else:
        tile = photograph[:y0] if margins_y[0] > margins_y[1] else photograph[y1:]
    rows, columns = -(-height // tile.shape[0]), -(-width // tile.shape[1])
    tiled = numpy.tile(tile, (rows, columns, 1))[:height, :width]
    result = photograph.copy()
    result[y0:y1 + 1, x0:x1 + 1] = tiled[y0:y1 + 1, x0:x1 + 1]
    return result


class ChallengeReference(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        root = Path(cls.scratch.name)
        cls.photographs = {}
        random = numpy.random.default_rng(0)
        lines = []
        for label, synset in enumerate(SYNSETS):
            for number in range(3):
                width, height = SIZES[(label * 3 + number) % len(SIZES)]
                x0, y0 = int(width * (0.2 + 0.05 * number)), int(height * 0.25)
                x1, y1 = int(width * (0.7 + 0.02 * label)), int(height * 0.75)
                pixels = random.integers(0, 60, (height, width, 3), dtype=numpy.uint8)
                pixels[:, :, 2] += 150
                y, x = numpy.ogrid[:height, :width]
                inside = (((x - (x0 + x1) / 2) / ((x1 - x0) * 0.42)) ** 2 +
                          ((y - (y0 + y1) / 2) / ((y1 - y0) * 0.42)) ** 2) <= 1
                pixels[inside] = pixels[inside][:, ::-1]
                part = "val" if number == 2 else "train"
                path = f"{part}/{synset}/{synset}_{number}.png"
                (root / "imagenet" / path).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(root / "imagenet" / path)
                cls.photographs[path] = (pixels, (x0, y0, x1, y1))
                lines.append(f"{path}\t{x0}\t{y0}\t{x1}\t{y1}\n")
        (root / "boxes.tsv").write_text("".join(lines))
        cls.folder = root / "set"
        subprocess.run([os.environ["REMIXER_TOOLS"], "dataset", "build", "imagenet9",
                        "train_variants=1", "--from", str(root / "imagenet"), "--boxes",
                        str(root / "boxes.tsv"), "--output", str(cls.folder)], check=True,
                       stdout=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def rows(self, split):
        with open(self.folder / f"{split}.tsv", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))

    def read(self, path):
        return numpy.asarray(Image.open(self.folder / path).convert("RGB"))

    def test_squares_are_pillows(self):
        rows = self.rows("train") + self.rows("original")
        self.assertEqual(len(rows), 27)
        for row in rows:
            expected = square(Image.fromarray(self.photographs[row["foreground"]][0]))
            numpy.testing.assert_array_equal(self.read(row["image"]), expected, row["image"])

    def test_variants_follow_the_rules(self):
        for part in ("val", "train"):
            base = "original" if part == "val" else "train"
            for row in self.rows(base):
                pixels, box = self.photographs[row["foreground"]]
                name = row["image"].removeprefix("original/")
                original = self.read(row["image"])
                cut = self.read(row["mask"])[:, :, 0] > 0
                x0, y0, x1, y1 = (int(row[key]) for key in ("x0", "y0", "x1", "y1"))
                boxed = original.copy()
                boxed[y0:y1 + 1, x0:x1 + 1] = 0
                tiled = square(Image.fromarray(only_bg_t(pixels, box)))
                object_only = original * cut[:, :, None]
                for variant, expected in (("only_bg_b", boxed), ("only_bg_t", tiled),
                                          ("only_fg", object_only),
                                          ("no_fg", original * ~cut[:, :, None])):
                    numpy.testing.assert_array_equal(self.read(f"{variant}/{name}"), expected,
                                                     f"{variant}/{name}")

    def test_mixed_images_show_the_background_that_they_name(self):
        for variant in ("mixed_same", "mixed_rand", "mixed_next"):
            for row in self.rows(variant):
                behind, box = self.photographs[row["background"]]
                name = row["image"].removeprefix(variant + "/")
                front = self.read(f"only_fg/{name}")
                expected = numpy.where((front == 0).all(axis=2, keepdims=True),
                                       square(Image.fromarray(only_bg_t(behind, box))), front)
                numpy.testing.assert_array_equal(self.read(row["image"]), expected, row["image"])

    def test_masks_are_the_objects(self):
        for row in self.rows("train"):
            original = self.read(row["image"]).astype(int)
            truth = original[:, :, 0] > original[:, :, 2]
            cut = self.read(row["mask"])[:, :, 0] > 0
            overlap = (truth & cut).sum() / (truth | cut).sum()
            self.assertGreater(overlap, 0.97, row["image"])


if __name__ == "__main__":
    unittest.main()
