# SPDX-License-Identifier: Apache-2.0
"""ReMixer in every family against its equations in double precision, put into timm's models."""

import unittest

import timm_reference
import torch
from remixer_python import FolderTest, relative_difference, run_tool


class MaskedModels(FolderTest):
    def compare(self, architecture, metric, image_size=224):
        torch.manual_seed(11)
        batch, classes, channels = 2, 9, 1 if metric == "l1" else 30
        shared = architecture == "convmixer_512_8"
        model = timm_reference.draw_weights(
            timm_reference.create(architecture, classes, image_size), seed=5)
        if shared:
            timm_reference.share_kernels(model)
        blocks = len(model.blocks)
        kappas = [torch.rand(1).double() + 0.2 for _ in range(blocks)]
        images = torch.randn(batch, 3, image_size, image_size)
        labels = torch.rand(batch, (image_size // 16) ** 2, channels)
        targets = torch.randint(classes, (batch,))
        tensors = timm_reference.our_tensors(model, shared)
        for i, kappa in enumerate(kappas):
            tensors[f"blocks.{i}.remixer.kappa"] = kappa.float()
        kappas = [kappa.float().double().requires_grad_() for kappa in kappas]
        weights = self.save("weights", tensors)
        inputs = self.save("inputs", {"images": images, "labels": labels, "targets": targets})
        arguments = ("--arch", architecture, "--weights", weights, "--input", inputs, "--distance", metric,
                     "--image-size", image_size, "--output")
        run_tool("model", "forward", *arguments, self.path("logits"))
        run_tool("model", "backward", *arguments, self.path("gradients"))

        model = model.double()
        plain = model(images.double()) if "convit" not in architecture else None
        distance = timm_reference.label_distance(labels.double(), metric)
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        parameters = list(model.parameters())
        masked = timm_reference.put_masks_in(model, kappas, distance)
        logits = masked(images.double())
        torch.nn.functional.cross_entropy(logits, targets).backward()
        ours = self.load("logits")["logits"]
        difference = float((ours - logits).abs().max())
        self.assertLess(difference, 1e-4)
        if plain is not None:
            self.assertGreater(float((plain - logits).detach().abs().max()), 1e-4, "the mask does nothing")

        gradients, worst = self.load("gradients"), (0, "")
        # A softmax does not see what is added to a whole row: such gradients are rounding alone.
        floor = 1e-3 * max(float(parameter.grad.abs().max()) for parameter in parameters)
        for parameter in parameters:
            name, reference = names[id(parameter)], parameter.grad
            if shared and ".0.fn.0." in name:
                reference = reference.sum(0, keepdim=True)
            worst = max(worst, (relative_difference(gradients.pop(name), reference, floor), name))
        largest = max(float(kappa.grad.abs()) for kappa in kappas if kappa.grad is not None)
        for i, kappa in enumerate(kappas):
            name = f"blocks.{i}.remixer.kappa"
            reference = 0.0 if kappa.grad is None else float(kappa.grad)
            worst = max(worst, (abs(float(gradients.pop(name)) - reference) / largest, name))
        self.assertEqual(gradients, {})
        self.assertLess(worst[0], 1e-4, worst[1])
        print(f"{architecture} ({metric}): logits differ by {difference:.1e}, gradients by {worst[0]:.1e} "
              f"({worst[1]})", flush=True)

    def test_deit(self):
        self.compare("deit_tiny_patch16_224", "l1")
        self.compare("deit_tiny_patch16_224", "cosine")

    def test_mixer(self):
        self.compare("mixer_s16_224", "l1")
        self.compare("mixer_s16_224", "cosine")

    def test_convmixer_shared(self):
        self.compare("convmixer_512_8", "l1")
        self.compare("convmixer_512_8", "cosine", image_size=112)

    def test_convmixer_full(self):
        self.compare("convmixer_512_8_full", "cosine", image_size=112)

    def test_convit(self):
        self.compare("convit_tiny", "l1")
        self.compare("deit_small_convit", "cosine")


if __name__ == "__main__":
    unittest.main(verbosity=2)
