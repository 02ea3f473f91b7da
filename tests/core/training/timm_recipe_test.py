# SPDX-License-Identifier: Apache-2.0
"""The recipe beside timm's and PyTorch's own, value by value, fed the same random draws."""

import json
import math
import os
import subprocess
import unittest

import timm.data.mixup
import timm.optim.optim_factory
import timm.scheduler
import timm.utils
import torch

from remixer_python import FolderTest

PROGRAM = os.environ["REMIXER_RECIPE_VALUES"]


def values_of(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{arguments}: {done.stderr}")


class Replay:
    """Stands in for numpy.random inside timm: hands out our stream's draws, each kind in its turn."""

    def __init__(self, draws):
        self.uniforms, self.lam, self.places = list(draws[:2]), draws[2], list(draws[3:5])

    def rand(self):
        return self.uniforms.pop(0)

    def beta(self, a, b):
        return self.lam

    def randint(self, low, high, size=None):
        place = self.places.pop(0)
        assert low <= place < high
        return int(place)


class MixTest(FolderTest):
    def compare(self, recipe, count=12, side=56):
        torch.manual_seed(3)
        images = torch.randn(8, 3, side, side)
        classes = torch.randint(0, 9, (8,))
        self.save("in", {"images": images, "classes": classes})
        values_of("mix", json.dumps(recipe), count, self.path("in"), self.path("out"))
        ours = self.load("out")
        kinds = set()
        real = timm.data.mixup.np.random
        for i in range(count):
            mixup = timm.data.mixup.Mixup(
                mixup_alpha=recipe.get("mixup", 0.8), cutmix_alpha=recipe.get("cutmix", 1.0),
                prob=recipe.get("mix_probability", 1.0), switch_prob=recipe.get("mix_switch", 0.5),
                mode="batch", correct_lam=True, label_smoothing=recipe.get("label_smoothing", 0.1),
                num_classes=9)
            theirs = images.clone()
            timm.data.mixup.np.random = Replay(ours[f"{i}.draws"].tolist())
            try:
                theirs, targets = mixup(theirs, classes.clone())
            finally:
                timm.data.mixup.np.random = real
            torch.testing.assert_close(ours[f"{i}.images"], theirs, rtol=0, atol=1e-6)
            torch.testing.assert_close(ours[f"{i}.targets"], targets, rtol=0, atol=1e-6)
            same = (ours[f"{i}.images"] == images).float().mean().item()
            kinds.add("none" if same == 1 else "mixup" if same < 0.01 else "cutmix")
        return kinds

    def test_switching_between_both(self):
        self.assertEqual(self.compare({}, count=24), {"mixup", "cutmix"})

    def test_sometimes_not_at_all(self):
        self.assertIn("none", self.compare({"mix_probability": 0.5}))

    def test_other_parameters(self):
        self.compare({"mixup": 0.2, "cutmix": 0.4, "mix_switch": 0.8, "label_smoothing": 0.0}, side=32)


class ScheduleTest(FolderTest):
    EPOCHS, STEPS = 300, 3

    def rates(self, **recipe):
        recipe = {"epochs": self.EPOCHS, "learning_rate": 5e-4, **recipe}
        values_of("schedule", json.dumps(recipe), self.STEPS, self.path("out"))
        return self.load("out")["rates"].reshape(self.EPOCHS, self.STEPS)

    def scheduler(self, t_in_epochs=True):
        """timm's as DeiT makes it: 300 epochs, 5 of warm-up, at 256 images of 512."""
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.5e-4)
        unit = 1 if t_in_epochs else self.STEPS
        scheduler = timm.scheduler.CosineLRScheduler(
            optimizer, t_initial=self.EPOCHS * unit, lr_min=1e-5, warmup_lr_init=1e-6,
            warmup_t=5 * unit, cycle_limit=1, t_in_epochs=t_in_epochs)
        return optimizer, scheduler

    def compare(self, ours, theirs):
        theirs = torch.tensor(theirs, dtype=torch.float64).reshape(self.EPOCHS, -1)
        torch.testing.assert_close(ours, theirs.expand_as(ours), rtol=1e-11, atol=0)

    def test_by_epoch(self):
        _, scheduler = self.scheduler()
        self.compare(self.rates(), [scheduler.get_epoch_values(epoch)[0] for epoch in range(self.EPOCHS)])

    def test_by_step(self):
        _, scheduler = self.scheduler(t_in_epochs=False)
        self.compare(self.rates(schedule_unit="step"),
                     [scheduler.get_update_values(step)[0] for step in range(self.EPOCHS * self.STEPS)])

    def test_as_released(self):
        """DeiT's loop: train an epoch, then step(epoch)."""
        optimizer, scheduler = self.scheduler()
        rates = []
        for epoch in range(self.EPOCHS):
            rates.append(optimizer.param_groups[0]["lr"])
            scheduler.step(epoch)
        self.assertEqual(rates[0], 1e-6)
        self.assertEqual(rates[1], 1e-6)
        self.compare(self.rates(schedule_unit="released"), rates)


class OptimizerTest(FolderTest):
    def models(self):
        for name in ("deit_tiny_patch16_224", "mixer_s16_224", "convit_tiny"):
            yield name, timm.create_model(name, num_classes=9)

    def test_groups(self):
        for name, model in self.models():
            skip = model.no_weight_decay() if hasattr(model, "no_weight_decay") else {}
            groups = timm.optim.optim_factory.add_weight_decay(model, 0.05, skip)
            decayed = {id(p) for group in groups if group["weight_decay"] > 0 for p in group["params"]}
            parameters = dict(model.named_parameters())
            self.save("in", {f"p.{key}": value for key, value in parameters.items()}
                      | {"rates": torch.zeros(0, dtype=torch.float64)})
            values_of("adamw", "{}", self.path("in"), self.path("out"))
            ours = self.load("out")
            for key, value in parameters.items():
                self.assertEqual(bool(ours[f"decayed.{key}"]), id(value) in decayed, f"{name} {key}")

    def test_steps(self):
        """Ten steps of AdamW in DeiT's groups, with a rate that changes."""
        torch.manual_seed(5)
        model = torch.nn.ModuleDict({"blocks": torch.nn.Linear(7, 5), "norm": torch.nn.LayerNorm(5)})
        model.pos_embed = torch.nn.Parameter(torch.randn(1, 3, 4))
        model.cls_token = torch.nn.Parameter(torch.randn(1, 1, 4))
        groups = timm.optim.optim_factory.add_weight_decay(model, 0.3, {"pos_embed", "cls_token"})
        optimizer = torch.optim.AdamW(groups, lr=1, betas=(0.85, 0.95), eps=1e-6)
        rates = torch.tensor([1e-3 * (1 + math.sin(step)) for step in range(10)], dtype=torch.float64)
        names = dict(model.named_parameters())
        given = {f"p.{key}": value for key, value in names.items()} | {"rates": rates}
        steps = [{key: torch.randn_like(value) for key, value in names.items()} for _ in rates]
        for number, gradients in enumerate(steps):
            given |= {f"{number}.{key}": value for key, value in gradients.items()}
        self.save("in", given)
        recipe = {"weight_decay": 0.3, "beta1": 0.85, "beta2": 0.95, "epsilon": 1e-6}
        values_of("adamw", json.dumps(recipe), self.path("in"), self.path("out"))
        ours = self.load("out")
        for number, gradients in enumerate(steps):
            for group in optimizer.param_groups:
                group["lr"] = rates[number].item()
            for key, value in names.items():
                value.grad = gradients[key]
            optimizer.step()
            for key, value in names.items():
                torch.testing.assert_close(ours[f"{number}.{key}"], value.detach(), rtol=1e-6, atol=1e-7)

    def test_clipping(self):
        torch.manual_seed(6)
        gradients = {"a": torch.randn(4, 5), "b": torch.randn(7) * 3}
        for limit in (1.0, 5.0, 1000.0):
            self.save("in", gradients)
            values_of("clip", limit, self.path("in"), self.path("out"))
            ours = self.load("out")
            parameters = [torch.nn.Parameter(torch.zeros_like(value)) for value in gradients.values()]
            for parameter, value in zip(parameters, gradients.values()):
                parameter.grad = value.clone()
            norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
            self.assertAlmostEqual(ours["norm"].item(), norm.item(), places=5)
            for parameter, key in zip(parameters, gradients):
                torch.testing.assert_close(ours[key], parameter.grad, rtol=1e-6, atol=1e-7)


class AverageTest(FolderTest):
    def test_follows_weights_and_running_statistics(self):
        """timm's ModelEma, which DeiT uses, over eight steps of a model with batch norm."""
        torch.manual_seed(7)
        model = timm.models.convmixer.ConvMixer(64, 4, kernel_size=5, patch_size=4, num_classes=9)
        model.default_cfg = {}

        def kept(state):
            return {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}

        given = {f"0.{key}": value.clone() for key, value in kept(model.state_dict()).items()}
        average = timm.utils.ModelEma(model, decay=0.9)
        for step in range(1, 9):
            with torch.no_grad():
                for value in kept(model.state_dict()).values():
                    value.add_(torch.randn_like(value))
            average.update(model)
            given |= {f"{step}.{key}": value.clone() for key, value in kept(model.state_dict()).items()}
        self.save("in", given)
        values_of("ema", 0.9, self.path("in"), self.path("out"))
        ours, theirs = self.load("out"), kept(average.ema.state_dict())
        self.assertEqual(set(ours), set(theirs))
        self.assertTrue(any(key.endswith("running_var") for key in ours))
        for key, value in theirs.items():
            torch.testing.assert_close(ours[key], value, rtol=1e-5, atol=1e-6)


if __name__ == "__main__":
    unittest.main()
