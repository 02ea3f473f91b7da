# SPDX-License-Identifier: Apache-2.0
"""timm's own evaluation beside `remixer model evaluate` on the same weights and photographs: equal
answers, image by image. Public weights say nothing of how they want to be evaluated, so each model
must get its own normalisation, crop and filter without being told."""

import io
import os
import sys
import tarfile
import unittest

import numpy as np
import torch
from PIL import Image
from remixer_python import FolderTest, run_tool
from timm.data import create_transform, resolve_data_config
from timm.models.mlp_mixer import default_cfgs as mixer_configurations

sys.path.append(os.path.join(os.environ["REMIXER_SOURCE"], "tests/core/models"))
import timm_reference  # noqa: E402

PHOTOGRAPHS = os.path.join(os.environ["REMIXER_SOURCE"], "../shared/data/in9_samples_fullsize.tar")
WNIDS = ("n01440764", "n02085620", "n01531178")
# Ours, the options, timm's configuration.
MODELS = [("deit_tiny_patch16_224", (), None), ("mixer_s16_224", (), None),
          ("convmixer_1024_20_ks9_p14", (), None), ("convit_tiny", (), None),
          ("mixer_b16_224", ("--checkpoint", "mixer_b16_224_miil"), mixer_configurations["mixer_b16_224_miil"])]


def scene(number):
    """Gradients, edges and noise at the sizes and shapes of photographs, one of them the model's."""
    width, height = ((500, 375), (375, 500), (224, 320), (640, 427), (333, 500), (800, 532))[number % 6]
    rng = np.random.default_rng(number)
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([120 + 80 * np.sin(x / 17 + number), 255.0 * y / height, 60 + 90 * np.cos((x + y) / 23)], 2)
    for _ in range(12):
        left, top = rng.integers(0, width), rng.integers(0, height)
        image[top:top + height // 3, left:left + width // 4] = rng.integers(0, 256, 3)
    return Image.fromarray(np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8))


class TimmEvaluation(FolderTest):
    def import_photographs(self, images):
        """Images by path below a folder VAL/WNID/NAME, as a dataset in place."""
        for name, data in images.items():
            path = self.path(os.path.join("images", "val", name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
        run_tool("dataset", "import", "folder", self.path("images"), "--name", "photographs", "--workspace",
                 self.path("work"))
        (folder,) = os.listdir(self.path("work/datasets"))
        self.dataset = self.path(os.path.join("work/datasets", folder))
        with open(os.path.join(self.dataset, "val.tsv")) as file:
            self.images = [line.split("\t")[0] for line in file.readlines()[1:]]

    def compare(self, models):
        for architecture, options, configuration in models:
            with self.subTest(architecture=architecture):
                model = timm_reference.draw_weights(timm_reference.create(architecture), seed=1)
                transform = create_transform(**resolve_data_config({}, configuration or model.default_cfg))
                pixels = [transform(Image.open(os.path.join(self.path("images"), name)).convert("RGB"))
                          for name in self.images]
                with torch.no_grad():
                    # Statistics of these images, without which a deep random ConvMixer says the same of all.
                    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
                    for norm in norms:
                        norm.momentum = 1.0
                    if norms:
                        model.train()(torch.stack(pixels[:12]))
                        model.eval()
                    logits = torch.cat([model(torch.stack(pixels[i:i + 8])) for i in range(0, len(pixels), 8)])
                    # Whatever random weights say of every image alike is taken away: what is left tells images
                    # apart.
                    model.head.bias -= logits.mean(0)
                    logits -= logits.mean(0)
                self.assertGreater(len(logits.argmax(1).unique()), 3)
                torch.save(model.state_dict(), self.path("w.pth"))
                run_tool("model", "evaluate", "--arch", architecture, "--weights", self.path("w.pth"), "--dataset",
                         self.dataset, "--set", "val", *options, "--answers", self.path("answers"))
                answers = self.load("answers")
                classes = answers["raw.classes"].long()
                self.assertTrue(torch.equal(classes[:, 0], logits.argmax(1)))
                theirs = logits.gather(1, classes)
                self.assertLess(float((answers["raw.logits"] - theirs).abs().max() / theirs.abs().max()), 1e-3)

    def test_photographs_of_many_shapes(self):
        images = {}
        for number in range(12):
            data = io.BytesIO()
            scene(number).save(data, "JPEG", quality=90)
            images[f"{WNIDS[number % 3]}/{number}.JPEG"] = data.getvalue()
        self.import_photographs(images)
        self.compare(MODELS)

    @unittest.skipUnless(os.path.exists(PHOTOGRAPHS), "the photographs are not at hand")
    def test_photographs_of_imagenet(self):
        images = {}
        with tarfile.open(PHOTOGRAPHS) as archive:
            for member in archive:
                if member.isfile() and member.name.endswith(".JPEG"):
                    wnid = os.path.basename(member.name).split(".")[0]
                    images[f"{wnid}/{wnid}.JPEG"] = archive.extractfile(member).read()
        self.import_photographs(images)
        self.assertEqual(len(self.images), len(images))
        self.compare(MODELS[:2] + [("convmixer_1024_20_ks9_p14", (), None)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
