# SPDX-License-Identifier: Apache-2.0
"""An installation is moved and still runs, and a project of its own builds with find_package(ReMixer)."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

BUILD = os.environ["REMIXER_BUILD"]
PROJECT = pathlib.Path(__file__).resolve().parent / "user_project"


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="remixer-install-"))
        run("cmake", "--install", BUILD, "--prefix", cls.folder / "first", "--strip")
        cls.prefix = cls.folder / "moved to another place"
        (cls.folder / "first").rename(cls.prefix)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def test_programs_run(self):
        for program in "remixer", "remixer-worker":
            self.assertRegex(run(self.prefix / "bin" / program, "--version"), r"\b\d+\.\d+\.\d+ \(", program)

    def test_the_command_hands_over_to_the_tools_beside_it(self):
        self.assertIn("deit_small_patch16_224", run(self.prefix / "bin/remixer", "model", "list"))

    def test_weights_are_found_beside_the_program(self):
        environment = {name: value for name, value in os.environ.items() if name != "REMIXER_WEIGHTS"}
        for command in ("bin/remixer-worker", "--help"), ("bin/remixer-tools", "labels", "build", "--help"):
            shown = run(self.prefix / command[0], *command[1:], env=environment)
            self.assertIn(str(self.prefix / "share/remixer/weights"), shown.replace("\n", ""))
        self.assertTrue((self.prefix / "share/remixer/weights/u2netp.safetensors").exists())

    def test_find_package(self):
        build = self.folder / "user"
        run("cmake", "-S", PROJECT, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", build)
        # Identity labels are two apart in l1; κ = 0 leaves a plain sum over four patches.
        self.assertEqual(run(build / "user_program"), "2 48\n")


if __name__ == "__main__":
    unittest.main()
