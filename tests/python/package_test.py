# SPDX-License-Identifier: Apache-2.0
"""The Python package: built as a wheel, installed into a fresh environment and used there."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(__file__).resolve().parent / "in_environment.py"


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="remixer-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        source = cls.folder / "source"
        for name in run("git", "-C", ROOT, "ls-files", "CMakeLists.txt", "cmake", "core/kernels", "base",
                        "python").splitlines():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
        environment = {**os.environ, "REMIXER_LIBTORCH": str(ROOT / ".deps/torch/torch"), "REMIXER_CUDA": "OFF"}
        run("/usr/bin/python3", "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", cls.folder,
            source / "python", env=environment)
        run("/usr/bin/python3", "-m", "venv", cls.folder / "environment")
        cls.python = cls.folder / "environment/bin/python"
        run(cls.python, "-m", "pip", "install", "--no-deps", next(cls.folder.glob("remixer-*.whl")))

    def test_the_wheel_is_for_this_platform(self):
        self.assertRegex(next(self.folder.glob("remixer-*.whl")).name, r"linux_x86_64\.whl$")

    def test_it_works_in_a_fresh_environment(self):
        sys.stdout.write(run(self.python, "-W", "ignore", PROGRAM, cwd=self.folder))

    def test_the_example_runs(self):
        output = run(self.python, "-W", "ignore", ROOT / "python/examples/patch_deit.py", cwd=self.folder)
        self.assertRegex(output, r"loss \d\.\d+ kappa \[(\d\.\d+(, )?){12}\]")


if __name__ == "__main__":
    unittest.main(verbosity=2)
