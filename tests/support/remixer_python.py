# SPDX-License-Identifier: Apache-2.0
"""What the Python tests share: the product's programs, safetensors, and numbers that compare."""

import os
import subprocess
import tempfile
import unittest

import torch
from safetensors.torch import load_file, save_file

TOOLS = os.environ["REMIXER_TOOLS"]
OPERATORS = os.environ["REMIXER_OPERATORS"]


def run_tool(*arguments, expected_code=0):
    """Runs `remixer-tools ARGUMENTS` and returns its (stdout, stderr)."""
    done = subprocess.run([TOOLS, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != expected_code:
        raise AssertionError(
            f"remixer-tools {' '.join(map(str, arguments))}: exit code {done.returncode}, "
            f"expected {expected_code}\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def relative_difference(ours, reference, floor=1e-30):
    """Largest difference in units of the reference's largest absolute value, or of `floor`, for a
    reference that is 0 but for rounding."""
    ours, reference = torch.as_tensor(ours).double(), torch.as_tensor(reference).double()
    if ours.shape != reference.shape:
        raise AssertionError(f"shapes differ: {tuple(ours.shape)} and {tuple(reference.shape)}")
    return float((ours - reference).abs().max() / reference.abs().max().clamp_min(floor))


class FolderTest(unittest.TestCase):
    """A test with a folder of its own, removed afterwards."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory(prefix="remixer-")
        self.addCleanup(self._folder.cleanup)

    def path(self, name):
        return os.path.join(self._folder.name, name)

    def save(self, name, tensors, metadata=None):
        """Writes named tensors as safetensors; returns the path."""
        plain = {key: value.detach().contiguous().clone() for key, value in tensors.items()}
        save_file(plain, self.path(name), metadata)
        return self.path(name)

    def load(self, name):
        return load_file(self.path(name))
