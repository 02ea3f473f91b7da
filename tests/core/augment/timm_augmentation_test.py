# SPDX-License-Identifier: Apache-2.0
"""Pixels beside Pillow's, torchvision's and timm's: equal to the last bit, fed the same draws."""

import io
import json
import os
import subprocess
import tarfile
import unittest
from unittest import mock

import numpy as np
import torch
import torchvision.transforms.functional as F
from PIL import Image
from timm.data import auto_augment, random_erasing, transforms
from timm.data.distributed_sampler import RepeatAugSampler

from remixer_draws import AUGMENT, ORDER, Draws
from remixer_python import FolderTest

PHOTOGRAPHS = os.path.join(os.environ["REMIXER_SOURCE"], "../shared/data/in9_samples_fullsize.tar")
OPERATIONS = auto_augment._RAND_INCREASING_TRANSFORMS
POLICY = "rand-m9-mstd0.5-inc1"
PARAMETERS = {"img_mean": (124, 116, 104), "interpolation": Image.BICUBIC}


class Tool:
    """The test program, asked one question after the other."""

    def __init__(self, folder):
        self.output = os.path.join(folder, "output")
        self.process = subprocess.Popen([os.environ["REMIXER_AUGMENTATION_TOOL"]], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, what, path, **request):
        self.process.stdin.write(json.dumps({"what": what, "input": path, "output": self.output, **request}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer

    def image(self, what, path, **request):
        size = self.ask(what, path, **request)
        return np.fromfile(self.output, np.uint8).reshape(size["height"], size["width"], 3)


def scene(width, height, seed=0):
    """Gradients, edges and some noise, like a photograph."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([120 + 80 * np.sin(x / 17 + seed), 255.0 * y / height, 60 + 90 * np.cos((x + y) / 23)], 2)
    for _ in range(6):
        left, top = rng.integers(0, width), rng.integers(0, height)
        image[top:top + height // 3, left:left + width // 4] = rng.integers(0, 256, 3)
    image += rng.normal(0, 6, image.shape)
    return Image.fromarray(image.clip(0, 255).astype(np.uint8))


class AugmentationTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.tool = Tool(self._folder.name)
        self.addCleanup(self.tool.close)

    def expect_equal(self, ours, reference, what):
        reference = np.asarray(reference)
        self.assertEqual(ours.shape, reference.shape, what)
        different = np.count_nonzero(ours != reference)
        self.assertEqual(different, 0, f"{what}: {different} values differ, by at most "
                         f"{np.abs(ours.astype(int) - reference.astype(int)).max()}")

    def file(self, name, image, **options):
        image.save(self.path(name), **options)
        return self.path(name)

    def jpegs(self):
        """One of each kind of JPEG, of odd sizes: (path, what Pillow's convert('RGB') makes of it)."""
        kinds = {
            "444": (scene(301, 227, 1), {"subsampling": 0}),
            "422": (scene(500, 375, 2), {"subsampling": 1}),
            "420": (scene(431, 333, 3), {"subsampling": 2}),
            "progressive": (scene(317, 419, 4), {"subsampling": 2, "progressive": True}),
            "grey": (scene(333, 250, 5).convert("L"), {}),
            "cmyk": (scene(251, 333, 6).convert("CMYK"), {}),
            "restart": (scene(389, 291, 7), {"subsampling": 2, "restart_marker_blocks": 3}),
        }
        for kind, (image, options) in kinds.items():
            path = self.file(kind + ".jpg", image, quality=90, **options)
            yield kind, path, Image.open(path).convert("RGB")

    def test_decoding(self):
        for kind, path, reference in self.jpegs():
            self.expect_equal(self.tool.image("decode", path), reference, kind)
        rotated = scene(64, 48)
        exif = Image.Exif()
        exif[0x0112] = 6  # "turn by 90 degrees": torchvision does not
        path = self.file("rotated.jpg", rotated, exif=exif, quality=95)
        self.expect_equal(self.tool.image("decode", path), Image.open(path).convert("RGB"), "EXIF")
        for mode in ("RGB", "L", "RGBA", "P", "1", "LA"):
            path = self.file(mode + ".png", scene(61, 47).convert("RGB").convert(mode))
            self.expect_equal(self.tool.image("decode", path), Image.open(path).convert("RGB"), mode)

    def test_crop_and_resize(self):
        rng = np.random.default_rng(0)
        for kind, path, reference in self.jpegs():
            for _ in range(25):
                width, height = rng.integers(1, reference.width + 1), rng.integers(1, reference.height + 1)
                left = rng.integers(0, reference.width - width + 1)
                top = rng.integers(0, reference.height - height + 1)
                # Up to three times smaller a side the file is decoded whole; beyond, see the next test.
                out_width, out_height = (int(rng.integers(max(1, side // 5), 300)) for side in (width, height))
                name = "bicubic" if rng.integers(2) else "bilinear"
                ours = self.tool.image(
                    "resize", path, crop=[int(left), int(top), int(width), int(height)], filter=name,
                    width=out_width, height=out_height, window=[0, 0, out_width, out_height])
                filtered = Image.BICUBIC if name == "bicubic" else Image.BILINEAR
                cropped = reference.crop((left, top, left + width, top + height))
                self.expect_equal(ours, cropped.resize((out_width, out_height), filtered),
                                  f"{kind} {left},{top} {width}x{height} to {out_width}x{out_height} {name}")

    def test_a_file_much_larger_than_its_result_is_decoded_smaller(self):
        path = self.file("large.jpg", scene(1800, 1500, 8), quality=90, subsampling=2)
        reference = np.asarray(Image.open(path).convert("RGB").resize((224, 224), Image.BICUBIC)).astype(int)
        ours = self.tool.image("resize", path, crop=[0, 0, 1800, 1500], width=224, height=224,
                               window=[0, 0, 224, 224]).astype(int)
        self.assertGreater(np.count_nonzero(ours != reference), 0)
        self.assertLess(np.abs(ours - reference).mean(), 0.5)
        self.assertLess(abs((ours - reference).mean()), 0.05)

    def test_evaluation(self):
        for size, side, crop in (((500, 375), 224, 0.875), ((375, 500), 224, 0.875), ((224, 224), 224, 0.875),
                                 ((64, 64), 32, 0.875), ((301, 299), 384, 0.9), ((411, 320), 224, 1.0)):
            path = self.file("image.jpg", scene(*size), quality=92)
            image = F.resize(Image.open(path).convert("RGB"), int(side / crop), F.InterpolationMode.BICUBIC)
            self.expect_equal(self.tool.image("centre", path, side=side, crop=crop),
                              F.center_crop(image, side), f"{size} {side} {crop}")

    def test_each_operation_at_several_magnitudes(self):
        images = {"scene": scene(224, 224, 9), "odd": scene(97, 61, 10),
                  "dark": scene(64, 64, 11).point(lambda value: value // 4 + 3),
                  "flat": Image.new("RGB", (32, 32), (7, 200, 90))}
        for name, image in images.items():
            path = self.file(name + ".png", image)
            for number, operation in enumerate(OPERATIONS):
                for magnitude in (0, 0.3, 2.5, 5, 7.77, 9, 10):
                    for negative in (False, True):
                        op = auto_augment.AugmentOp(operation, prob=1.0, magnitude=magnitude, hparams=PARAMETERS)
                        if operation == "PosterizeIncreasing" and magnitude == 10:
                            # No bit is kept: older Pillows gave black, Pillow 13 refuses to.
                            reference = Image.new("RGB", image.size)
                        else:
                            with mock.patch("random.random", lambda: 0.9 if negative else 0.1):
                                reference = op(image)
                        ours = self.tool.image("operation", path, operation=number, magnitude=magnitude,
                                               negative=negative)
                        self.expect_equal(ours, reference, f"{operation} of {name} at {magnitude} {negative}")

    def test_whole_chains(self):
        recipe = {"random_resized_crop": True, "rand_augment": POLICY, "random_erasing": 0.25}
        operations = erased = 0
        paths = [(path, reference) for _, path, reference in self.jpegs()]
        for position in range(120):
            path, image = paths[position % len(paths)]
            answer = self.tool.ask("transform", path, recipe=recipe, side=224, seed=5, epoch=3, position=position)
            ours = np.fromfile(self.tool.output, np.float32).reshape(3, 224, 224)
            operations += answer["operations"]
            erased += answer["erased"]

            draws = Draws(5, AUGMENT, 3, position)
            mirrored = draws.random() < 0.5
            with draws.instead_of_python():
                image = transforms.RandomResizedCropAndInterpolation(224, interpolation="bicubic")(image)
                if mirrored:
                    image = F.hflip(image)
                image = auto_augment.rand_augment_transform(POLICY, dict(PARAMETERS))(image)
                reference = torch.from_numpy(np.asarray(image).transpose(2, 0, 1).astype(np.float32))
                noise = lambda per_pixel, rand_color, shape, **_: torch.from_numpy(draws.normals(shape))
                with mock.patch.object(random_erasing, "_get_pixels", noise):
                    random_erasing.RandomErasing(0.25, mode="pixel", device="cpu")(reference)
            self.assertTrue(np.array_equal(ours, reference.numpy()), f"position {position}")
        self.assertGreater(operations, 60)
        self.assertGreater(erased, 10)

    def test_repeated_augmentation(self):
        recipe = {"repeated_augmentation": 3, "shards": 4, "shard_size": 16, "epochs": 2}
        for count in (1000, 513, 768):
            for shard in range(4):
                answer = self.tool.ask("plan", "", recipe=recipe, seed=9, count=count, shard=shard)
                reference = []
                for epoch in range(2):
                    order = torch.tensor(Draws(9, ORDER, epoch).shuffled(count))
                    sampler = RepeatAugSampler(range(count), num_replicas=4, rank=shard)
                    with mock.patch("torch.randperm", lambda *_, **__: order):
                        selected = list(sampler)
                    reference += selected[:len(selected) // 16 * 16]  # drop_last
                self.assertEqual(answer["samples"], reference)
                self.assertEqual(answer["steps_per_epoch"], count // 256 * 256 // 64)

    def test_photographs(self):
        if not os.path.exists(PHOTOGRAPHS):
            self.skipTest(f"{PHOTOGRAPHS} is absent")
        recipe = {"random_resized_crop": True}
        with tarfile.open(PHOTOGRAPHS) as archive:
            members = [member for member in archive if member.isfile()][::3]
            for position, member in enumerate(members):
                with open(self.path("photograph"), "wb") as file:
                    file.write(archive.extractfile(member).read())
                image = Image.open(self.path("photograph")).convert("RGB")
                self.tool.ask("transform", self.path("photograph"), recipe=recipe, side=224, seed=1, epoch=0,
                              position=position)
                ours = np.fromfile(self.tool.output, np.float32).reshape(3, 224, 224)
                draws = Draws(1, AUGMENT, 0, position)
                mirrored = draws.random() < 0.5
                with draws.instead_of_python():
                    image = transforms.RandomResizedCropAndInterpolation(224, interpolation="bicubic")(image)
                reference = np.asarray(F.hflip(image) if mirrored else image).transpose(2, 0, 1)
                self.assertTrue(np.array_equal(ours, reference), member.name)


if __name__ == "__main__":
    unittest.main()
