# SPDX-License-Identifier: Apache-2.0
"""Every architecture against timm's model of that name, on weights and images drawn at random:
logits, the gradient of every parameter, parameter counts and names."""

import unittest

import timm_reference
import torch
from remixer_python import FolderTest, relative_difference, run_tool

LOGITS_TOLERANCE = 1e-4  # absolute, of logits about 1 in size
GRADIENT_TOLERANCE = 1e-4  # of a parameter's largest gradient

# Base models once, with one image; the others with two.
ARCHITECTURES = {
    "deit_tiny_patch16_224": 2,
    "deit_small_patch16_224": 2,
    "deit_base_patch16_224": 1,
    "mixer_s16_224": 2,
    "mixer_b16_224": 1,
    "convmixer_512_8": 2,
    "convmixer_512_8_full": 2,
    "convit_tiny": 2,
    "convit_small": 1,
    "convit_base": 1,
    "deit_small_convit": 2,
}


class TimmModels(FolderTest):
    def compare(self, architecture, batch, image_size=224, num_classes=1000):
        torch.manual_seed(7)
        shared = architecture == "convmixer_512_8"
        model = timm_reference.draw_weights(
            timm_reference.create(architecture, num_classes, image_size), seed=3)
        if shared:
            timm_reference.share_kernels(model)
        images = torch.randn(batch, 3, image_size, image_size)
        targets = torch.randint(num_classes, (batch,))
        weights = self.save("weights", timm_reference.our_tensors(model, shared))
        inputs = self.save("inputs", {"images": images, "targets": targets})
        arguments = ("--arch", architecture, "--weights", weights, "--input", inputs,
                     "--image-size", image_size, "--output")

        run_tool("model", "forward", *arguments, self.path("logits"))
        logits = model(images)
        difference = float((self.load("logits")["logits"] - logits).abs().max())
        self.assertGreater(float(logits.detach().abs().max()), 0.1)
        self.assertLess(difference, LOGITS_TOLERANCE)

        run_tool("model", "backward", *arguments, self.path("gradients"))
        torch.nn.functional.cross_entropy(logits, targets).backward()
        ours, reference = self.load("gradients"), timm_reference.our_gradients(model, shared)
        self.assertEqual(sorted(ours), sorted(reference))
        # A softmax does not see what is added to a whole row: such gradients are rounding alone.
        floor = 1e-3 * max(float(gradient.abs().max()) for gradient in reference.values())
        worst = max((relative_difference(ours[name], reference[name], floor), name) for name in ours)
        self.assertLess(worst[0], GRADIENT_TOLERANCE, worst[1])
        print(f"{architecture} at {image_size}: logits differ by {difference:.1e}, "
              f"gradients by {worst[0]:.1e} ({worst[1]})", flush=True)

    def test_other_sizes_and_classes(self):
        self.compare("deit_tiny_patch16_224", 1, image_size=160, num_classes=9)
        self.compare("mixer_s16_224", 1, image_size=64, num_classes=9)
        self.compare("convit_tiny", 1, image_size=96, num_classes=9)

    def test_published_convmixers(self):
        self.compare("convmixer_768_32", 1, image_size=56, num_classes=9)  # ReLU
        self.compare("convmixer_1024_20_ks9_p14", 1, image_size=84, num_classes=9)


def add_architecture(name, batch):
    setattr(TimmModels, f"test_{name}", lambda self: self.compare(name, batch))


for architecture, batch in ARCHITECTURES.items():
    add_architecture(architecture, batch)

if __name__ == "__main__":
    unittest.main(verbosity=2)
