# SPDX-License-Identifier: Apache-2.0
"""Checkpoints that torch.save wrote come in; weights of ours go into timm; other image sizes."""

import argparse
import os
import unittest

import timm_reference
import torch
from remixer_python import FolderTest, run_tool
from timm.models.vision_transformer import resize_pos_embed

# What public releases look like: DeiT's under "model", timm's Mixer and ConvMixer bare.
RELEASES = [("deit_tiny_patch16_224", "model"), ("mixer_s16_224", None), ("convmixer_512_8_full", None),
            ("convit_tiny", "state_dict")]


class Attack:
    """Unpickled by torch.load, it would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


class CheckpointImport(FolderTest):
    def write(self, content, zipped):
        torch.save(content, self.path("w.pth"), _use_new_zipfile_serialization=zipped)

    def bring_in(self, architecture, *further, **expected):
        return run_tool("model", "import", "--arch", architecture, "--weights", self.path("w.pth"),
                        "--output", self.path("ours"), *further, **expected)

    def test_public_releases(self):
        for architecture, key in RELEASES:
            model = timm_reference.draw_weights(timm_reference.create(architecture, 10), seed=2)
            state = model.state_dict()
            for zipped in (True, False):
                with self.subTest(architecture=architecture, zipped=zipped):
                    self.write({key: state, "epoch": 299} if key else state, zipped)
                    self.bring_in(architecture)
                    ours = self.load("ours")
                    self.assertEqual(sorted(ours), sorted(timm_reference.our_tensors(model)))
                    for name, tensor in ours.items():
                        self.assertTrue(torch.equal(tensor, state[name]), name)

    def test_whole_training_state(self):
        model = timm_reference.create("deit_tiny_patch16_224", 10)
        average = timm_reference.draw_weights(timm_reference.create("deit_tiny_patch16_224", 10), seed=4)
        optimizer = torch.optim.AdamW(model.parameters())
        model(torch.randn(1, 3, 224, 224)).sum().backward()
        optimizer.step()
        wrapped = {f"module.{name}": tensor for name, tensor in average.state_dict().items()}
        for zipped in (True, False):
            self.write({"model": model.state_dict(), "model_ema": wrapped, "optimizer": optimizer.state_dict(),
                        "args": argparse.Namespace(lr=1e-3, out=torch.randn(3)),
                        "attack": Attack(self.path("attacked"))}, zipped)
            self.bring_in("deit_tiny_patch16_224", "--key", "model_ema")
            self.assertTrue(torch.equal(self.load("ours")["norm.bias"], average.norm.bias))
            self.bring_in("deit_tiny_patch16_224")
            self.assertTrue(torch.equal(self.load("ours")["norm.bias"], model.norm.bias))
        self.assertFalse(os.path.exists(self.path("attacked")))

    def test_views_and_halves(self):
        model = timm_reference.draw_weights(timm_reference.create("deit_tiny_patch16_224", 10), seed=2)
        state = model.state_dict()
        state["head.weight"] = state["head.weight"].t().contiguous().t()  # another order in memory
        state["norm.bias"] = torch.cat([torch.ones(5), state["norm.bias"]])[5:]  # inside a storage
        state["head.bias"] = state["head.bias"].half()
        for zipped in (True, False):
            self.write(state, zipped)
            self.bring_in("deit_tiny_patch16_224")
            for name, tensor in self.load("ours").items():
                self.assertTrue(torch.equal(tensor, state[name].float()), name)

    def test_what_is_wrong_is_said(self):
        def complaint(*further):
            _, error = self.bring_in("deit_tiny_patch16_224", *further, expected_code=2)
            self.assertEqual(error.count("\n"), 1, error)
            self.assertIn(self.path("w.pth"), error)
            self.assertFalse(os.path.exists(self.path("ours")))
            return error

        state = timm_reference.create("deit_tiny_patch16_224", 10).state_dict()
        self.write({"net": state}, True)
        self.assertIn("net", complaint())
        self.assertIn("nowhere", complaint("--key", "nowhere"))
        for zipped in (True, False):
            self.write({"model": state}, zipped)
            with open(self.path("w.pth"), "rb") as file:
                whole = file.read()
            for length in (len(whole) // 2, 300, 3):
                with open(self.path("w.pth"), "wb") as file:
                    file.write(whole[:length])
                complaint()
        torch.jit.script(torch.nn.Linear(2, 2)).save(self.path("w.pth"))
        self.assertIn("TorchScript", complaint())

    def test_ours_go_into_timm(self):
        """With strict=True once κ is dropped; a counter of batch norm may be missing."""
        for architecture in ("deit_tiny_patch16_224", "mixer_s16_224", "convmixer_512_8_full", "convit_tiny",
                             "deit_small_convit"):
            with self.subTest(architecture=architecture):
                run_tool("model", "create", "--arch", architecture, "--num-classes", 9, "--remixer", "--seed", 3,
                         "--output", self.path("ours"))
                state = {name: tensor for name, tensor in self.load("ours").items()
                         if not name.endswith("remixer.kappa") and not name.startswith("aux_head")}
                self.assertLess(len(state), len(self.load("ours")))
                model = timm_reference.create(architecture, 9)
                for name, tensor in model.state_dict().items():
                    if name.endswith("num_batches_tracked"):
                        state[name] = tensor
                model.load_state_dict(state, strict=True)
                run_tool("model", "export", "--arch", architecture, "--weights", self.path("ours"),
                         "--without-kappa", "--output", self.path("plain"))
                exported = self.load("plain")
                self.assertEqual(set(exported), {name for name in state if "num_batches" not in name})

    def test_another_image_size(self):
        images = self.save("x", {"images": torch.randn(2, 3, 320, 320)})
        for architecture, prefix in (("deit_tiny_patch16_224", 1), ("convit_tiny", 0)):
            with self.subTest(architecture=architecture):
                small = timm_reference.draw_weights(timm_reference.create(architecture, 9), seed=6)
                weights = self.save("w", small.state_dict())
                large = timm_reference.create(architecture, 9, image_size=320).eval()
                state = small.state_dict()
                state["pos_embed"] = resize_pos_embed(state["pos_embed"], large.pos_embed, prefix)
                large.load_state_dict(state, strict=True)
                run_tool("model", "import", "--arch", architecture, "--weights", weights, "--image-size", 320,
                         "--output", self.path("ours"))
                ours = self.load("ours")["pos_embed"]
                self.assertLess(float((ours - state["pos_embed"]).abs().max()), 1e-6)
                # The file says its image size; relative positions follow it.
                run_tool("model", "forward", "--arch", architecture, "--weights", self.path("ours"),
                         "--input", images, "--output", self.path("y"))
                logits = large(self.load("x")["images"])
                self.assertLess(float((self.load("y")["logits"] - logits).abs().max()), 1e-4)
        weights = self.save("w", timm_reference.create("mixer_s16_224", 9).state_dict())
        _, error = run_tool("model", "import", "--arch", "mixer_s16_224", "--weights", weights, "--image-size", 320,
                            "--output", self.path("none"), expected_code=2)
        self.assertIn("mlp_tokens", error)


if __name__ == "__main__":
    unittest.main(verbosity=2)
