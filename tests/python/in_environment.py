# SPDX-License-Identifier: Apache-2.0
"""Run by package_test.py with the package installed: it against the product's own programs."""

import copy
import unittest

import timm
import timm_reference
import torch
from remixer_python import FolderTest, run_tool

import remixer


class Remix(FolderTest):
    def against_the_program(self, architecture, metric, image_size):
        torch.manual_seed(3)
        shared = architecture == "convmixer_512_8"
        model = timm_reference.draw_weights(timm_reference.create(architecture, 9, image_size), seed=7)
        if shared:
            timm_reference.share_kernels(model)
        images = torch.randn(2, 3, image_size, image_size)
        labels = torch.rand(2, (image_size // 16) ** 2, 1 if metric == "l1" else 20)
        before = model(images)
        remixer.remix(model, metric)
        self.assertTrue(torch.equal(model(images), before), "without labels a patched model is what it was")
        with torch.no_grad():
            for i, kappa in enumerate(remixer.kappas(model)):
                kappa.fill_(0.3 + 0.1 * i)
        weights = self.save("weights", timm_reference.our_tensors(model, shared))
        inputs = self.save("inputs", {"images": images, "labels": labels})
        run_tool("model", "forward", "--arch", architecture, "--weights", weights, "--input", inputs, "--distance",
                 metric, "--image-size", image_size, "--output", self.path("logits"))
        ours = model(images, labels)
        self.assertLess(float((self.load("logits")["logits"] - ours).abs().max()), 1e-4)
        self.assertGreater(float((ours - before).abs().max()), 1e-4, "the mask does nothing")
        self.assertTrue(torch.equal(copy.deepcopy(model)(images, labels), ours))

    def test_deit(self):
        self.against_the_program("deit_tiny_patch16_224", "cosine", 224)
        self.against_the_program("deit_tiny_patch16_224", "l1", 112)

    def test_mixer(self):
        self.against_the_program("mixer_s16_224", "cosine", 224)

    def test_conv_mixer(self):
        self.against_the_program("convmixer_512_8", "l1", 112)
        self.against_the_program("convmixer_512_8_full", "cosine", 112)

    def test_a_step_moves_kappa_and_projection_keeps_it_from_going_below_0(self):
        torch.manual_seed(0)
        model = remixer.remix(timm.create_model("deit_tiny_patch16_224", num_classes=9, img_size=64))
        optimizer = torch.optim.SGD(model.parameters(), lr=1e4)
        logits = model(torch.randn(2, 3, 64, 64), torch.rand(2, 16, 5))
        torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1])).backward()
        optimizer.step()
        moved = [float(kappa.detach()) for kappa in remixer.kappas(model)]
        self.assertEqual(len(moved), 12)
        self.assertTrue(any(kappa < 0 for kappa in moved), moved)
        remixer.project_kappas(model)
        self.assertEqual([float(kappa.detach()) for kappa in remixer.kappas(model)], [max(kappa, 0) for kappa in moved])

    def test_what_it_does_not_know_is_named(self):
        with self.assertRaisesRegex(TypeError, "ResNet has no blocks"):
            remixer.remix(timm.create_model("resnet18"))
        with self.assertRaisesRegex(ValueError, "unknown metric 'l2'"):
            remixer.remix(timm.create_model("deit_tiny_patch16_224"), "l2")
        model = remixer.remix(timm.create_model("deit_tiny_patch16_224", img_size=64))
        with self.assertRaisesRegex(ValueError, "patched already"):
            remixer.remix(model)
        with self.assertRaisesRegex(ValueError, "labels for 25 patches, but the model has 17 tokens"):
            model(torch.randn(1, 3, 64, 64), torch.rand(1, 25, 3))

    def test_fake_tensors_and_compiled_graphs(self):
        from torch._subclasses.fake_tensor import FakeTensorMode
        with FakeTensorMode():
            y = torch.rand(2, 9, 4)
            distance = remixer.label_distance(y, "cosine")
            self.assertEqual(distance.shape, (2, 9, 9))
            q = torch.rand(2, 3, 10, 8)
            mixed = remixer.masked_attention(q, q, q, distance, torch.rand(1), prefix_tokens=1)
            self.assertEqual(mixed.shape, (2, 3, 10, 8))


if __name__ == "__main__":
    unittest.main(verbosity=2)
