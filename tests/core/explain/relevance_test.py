# SPDX-License-Identifier: Apache-2.0
"""Relevance of patches against autograd in timm's models, the method written out plainly."""

import unittest

import timm_reference
import torch
from remixer_python import FolderTest, relative_difference, run_tool
from torch import nn


class Recorder:
    """Keeps what softmax-like attention a model mixes its values with, gradients included."""

    def __init__(self):
        self.attention = []

    def keep(self, attention):
        attention.retain_grad()
        self.attention.append(attention)
        return attention


def heads_of(x, parts, count):
    return timm_reference.heads(x, parts, count)


class PlainAttention(nn.Module):
    """timm's attention, global or gated, masked or not, in small steps that leave A in sight."""

    def __init__(self, module, recorder, kappa, distance):
        super().__init__()
        self.module, self.recorder, self.kappa, self.distance = module, recorder, kappa, distance

    def forward(self, x):
        module, gated = self.module, hasattr(self.module, "gating_param")
        if gated:
            module.rel_indices = module.get_rel_indices(x.shape[1]).to(x.dtype)
            attention = module.get_attention(x)
            v = heads_of(module.v(x), 1, module.num_heads)[0]
        else:
            q, k, v = heads_of(module.qkv(x), 3, module.num_heads)
            attention = torch.softmax(q @ k.transpose(2, 3) * module.scale, -1)
        if self.kappa is not None:
            prefix = 0 if gated else 1
            mask = nn.functional.pad(torch.exp(-self.kappa * self.distance), (prefix, 0, prefix, 0), value=1.0)
            attention = attention * mask[:, None]
            attention = attention / attention.sum(-1, keepdim=True)
        attention = self.recorder.keep(attention)
        return module.proj((attention @ v).transpose(1, 2).reshape(x.shape))


def through_attention(model, images, targets, kappas, distance):
    recorder = Recorder()
    for block, kappa in zip(model.blocks, kappas):
        block.attn = PlainAttention(block.attn, recorder, kappa, distance)
    logits = model(images)
    logits.gather(1, targets[:, None]).sum().backward()
    maps = []
    for image in range(len(images)):
        R = torch.eye(recorder.attention[0].shape[-1], dtype=images.dtype)
        for attention in recorder.attention:
            A, slope = attention[image].detach(), attention.grad[image]
            if A.shape[-1] > len(R):  # [CLS] joins
                R = torch.block_diag(torch.ones(1, 1, dtype=R.dtype), R)
            R = R + torch.relu(slope * A).mean(0) @ R
        maps.append(R[0, 1:])
    return torch.stack(maps)


def through_activations(model, images, targets, last_block):
    kept = []

    def hook(_, __, output):
        output.retain_grad()
        kept.append(output)

    last_block.register_forward_hook(hook)
    model(images).gather(1, targets[:, None]).sum().backward()
    activations, slopes = kept[0], kept[0].grad
    if activations.dim() == 4:
        activations, slopes = activations.flatten(2).transpose(1, 2), slopes.flatten(2).transpose(1, 2)
    return torch.relu((slopes.mean(1, keepdim=True) * activations).sum(2))


class Relevance(FolderTest):
    def compare(self, architecture, masked, image_size=112):
        torch.manual_seed(13)
        batch, classes = 3, 9
        shared = architecture == "convmixer_512_8"
        model = timm_reference.draw_weights(timm_reference.create(architecture, classes, image_size), seed=8)
        if shared:
            timm_reference.share_kernels(model)
        images, targets = torch.randn(batch, 3, image_size, image_size), torch.tensor([1, 5, 8])
        labels = torch.rand(batch, (image_size // 16) ** 2, 1)
        tensors = timm_reference.our_tensors(model, shared)
        kappas = [None] * len(model.blocks)
        if masked:
            kappas = [torch.rand(1) + 0.5 for _ in model.blocks]
            tensors |= {f"blocks.{i}.remixer.kappa": kappa for i, kappa in enumerate(kappas)}
            kappas = [kappa.double() for kappa in kappas]
        inputs = self.save("x", {"images": images, "labels": labels, "targets": targets})
        metadata = {"image_size": str(image_size)}
        run_tool("model", "relevance", "--arch", architecture, "--weights", self.save("w", tensors, metadata),
                 "--input", inputs, "--output", self.path("y"))
        ours = self.load("y")["relevance"]

        model, images = model.double(), images.double()
        distance = timm_reference.label_distance(labels.double(), "l1")
        if "convit" in architecture or "deit" in architecture:
            reference = through_attention(model, images, targets, kappas, distance)
        else:
            if masked:
                timm_reference.put_masks_in(model, kappas, distance)
            reference = through_activations(model, images, targets, model.blocks[-1])
        reference = reference.reshape(ours.shape)
        self.assertGreater(float(reference.std()), 0)
        self.assertLess(relative_difference(ours, reference), 1e-4)
        # An image's map does not depend on its neighbours.
        alone = self.save("x", {"images": images[1:2].float(), "labels": labels[1:2], "targets": targets[1:2]})
        run_tool("model", "relevance", "--arch", architecture, "--weights", self.path("w"), "--input", alone,
                 "--output", self.path("y"))
        self.assertLess(relative_difference(self.load("y")["relevance"][0], reference[1]), 1e-4)

    def test_attention(self):
        for architecture in ("deit_tiny_patch16_224", "convit_tiny"):
            for masked in (False, True):
                with self.subTest(architecture=architecture, masked=masked):
                    self.compare(architecture, masked)

    def test_activations(self):
        for architecture in ("mixer_s16_224", "convmixer_512_8", "convmixer_512_8_full"):
            for masked in (False, True):
                with self.subTest(architecture=architecture, masked=masked):
                    self.compare(architecture, masked)


if __name__ == "__main__":
    unittest.main(verbosity=2)
