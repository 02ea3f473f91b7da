# SPDX-License-Identifier: Apache-2.0
"""Initial weights against timm's, distribution for distribution, on several seeds of each."""

import math
import unittest

import timm_reference
import torch
from remixer_python import FolderTest, run_tool

SEEDS = 2
SAMPLE = 8_000  # values of a tensor that are compared


def largest_gap(ours, reference):
    """Kolmogorov and Smirnov's statistic in units of its deviation: above 2.5 once in 10^5."""
    ours, reference = ours.sort().values, reference.sort().values
    points = torch.cat([ours, reference])
    gap = (torch.searchsorted(ours, points, right=True) / len(ours)
           - torch.searchsorted(reference, points, right=True) / len(reference)).abs().max()
    return float(gap) * math.sqrt(len(ours) * len(reference) / (len(ours) + len(reference)))


def sample(tensors):
    values = torch.cat([tensor.flatten().double() for tensor in tensors])
    return values[torch.randperm(len(values))[:SAMPLE]] if len(values) > SAMPLE else values


class InitialWeights(FolderTest):
    def compare(self, architecture):
        torch.manual_seed(1)
        ours, reference = [], []
        for seed in range(SEEDS):
            run_tool("model", "create", "--arch", architecture, "--seed", seed, "--output", self.path("weights"))
            ours.append(self.load("weights"))
            torch.manual_seed(100 + seed)
            reference.append(timm_reference.our_tensors(timm_reference.create(architecture)))
        self.assertEqual(sorted(ours[0]), sorted(reference[0]))
        worst = (0, "")
        for name in reference[0]:
            with self.subTest(architecture=architecture, tensor=name):
                self.assertEqual(ours[0][name].shape, reference[0][name].shape)
                if all(torch.equal(weights[name], reference[0][name]) for weights in reference):
                    for weights in ours:  # timm's does not depend on the seed
                        self.assertTrue(torch.equal(weights[name], reference[0][name]))
                    continue
                mine, theirs = (sample([weights[name] for weights in group]) for group in (ours, reference))
                # About one of 17 million of timm's normal values is -2, where its uniform draw is
                # rounded to the end of the interval.
                theirs = theirs[theirs.abs() < 2]
                gap = largest_gap(mine, theirs)
                worst = max(worst, (gap, name))
                self.assertLess(gap, 2.5)
                # Deviations agree within what so many draws can tell.
                self.assertAlmostEqual(float(mine.std() / theirs.std()), 1, delta=6 / math.sqrt(len(mine)))
        print(f"{architecture}: {len(reference[0])} tensors, largest gap {worst[0]:.2f} ({worst[1]})", flush=True)

    def test_deit(self):
        self.compare("deit_tiny_patch16_224")

    def test_mixer(self):
        self.compare("mixer_s16_224")

    def test_convmixer(self):
        self.compare("convmixer_512_8_full")

    def test_convit(self):
        self.compare("convit_tiny")
        self.compare("deit_small_convit")

    def test_convits_local_initialisation_is_timms(self):
        run_tool("model", "create", "--arch", "convit_small", "--output", self.path("weights"))
        ours, reference = self.load("weights"), timm_reference.create("convit_small").state_dict()
        for block in range(10):
            for name in ("v.weight", "pos_proj.weight", "gating_param"):  # 9 heads: a full square
                name = f"blocks.{block}.attn.{name}"
                self.assertTrue(torch.equal(ours[name], reference[name]), name)

    def test_seeds_differ_and_repeat(self):
        files = []
        for number, seed in enumerate((5, 5, 6)):
            run_tool("model", "create", "--arch", "convit_tiny", "--seed", seed, "--output",
                     self.path(f"weights{number}"))
            with open(self.path(f"weights{number}"), "rb") as file:
                files.append(file.read())
        self.assertEqual(files[0], files[1])
        self.assertNotEqual(files[0], files[2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
