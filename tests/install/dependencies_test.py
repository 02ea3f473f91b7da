# SPDX-License-Identifier: Apache-2.0
"""The lists of packages agree: setup with root, setup without, and the recipes of containers."""
import pathlib
import re
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
LISTS = SOURCE / "cmake/dependencies"
BASIC = ("bash", "basename", "cat", "cut", "dirname", "find", "git", "grep", "head", "id", "ln", "ls", "mkdir",
         "mktemp", "readlink", "rm", "sed", "seq", "sha256sum", "sh", "touch", "awk")


def lines(name):
    text = (LISTS / name).read_text()
    return [line for line in (line.partition("#")[0].strip() for line in text.splitlines()) if line]


class Dependencies(unittest.TestCase):
    def test_every_package_can_be_looked_for(self):
        probes = [line.split() for line in lines("probes.txt")]
        self.assertEqual([probe[0] for probe in probes], [line for line in lines("debian.txt")])
        for probe in probes:
            self.assertEqual(len(probe), 5, probe)
            self.assertIn(probe[1], ("program", "header", "file"), probe)
            self.assertIn(probe[4], ("wheel", "optional", "-"), probe)

    def test_wheels_are_pinned_by_hash(self):
        for name in "wheels.txt", "nvcc.txt", "cuda-tools.txt", "libtorch.txt", "libtorch-cuda.txt":
            for line in lines(name):
                self.assertRegex(line, r"^[a-z0-9-]+==[0-9a-z.]+ --hash=sha256:[0-9a-f]{64}$", name)

    def test_recipes_have_the_same_steps(self):
        docker = re.findall(r"^RUN (.*)$", (SOURCE / "containers/Dockerfile").read_text(), re.M)
        apptainer = (SOURCE / "containers/remixer.def").read_text()
        post = apptainer.partition("%post\n")[2].partition("\n\n")[0]
        self.assertEqual([re.sub(r"=\S+", "=", step) for step in docker],
                         [re.sub(r"=(\{\{.*?\}\}|\S+)", "=", step.strip()) for step in post.splitlines()])

    def setup(self, folder, programs, scripts, **variables):
        """Runs setup --user in a checkout of a machine that has these programs, real or as scripts."""
        path = pathlib.Path(folder, "bin")
        path.mkdir()
        for program in programs:
            (path / program).symlink_to(next(p for p in (pathlib.Path("/usr/bin", program), pathlib.Path("/bin", program))
                                             if p.exists()))
        for name, text in scripts.items():
            (path / name).write_text("#!/bin/sh\n" + text)
            (path / name).chmod(0o755)
        checkout = pathlib.Path(folder, "checkout")
        (checkout / "cmake").mkdir(parents=True)
        (checkout / "cmake/dependencies").symlink_to(LISTS)
        (checkout / ".deps/weights").mkdir(parents=True)
        (checkout / "labelcache").mkdir()
        (checkout / "labelcache/weights").symlink_to(SOURCE / "labelcache/weights")
        (checkout / "setup").write_bytes((SOURCE / "setup").read_bytes())
        return subprocess.run(["bash", "setup", "--user"], cwd=checkout, capture_output=True, text=True,
                              env={"PATH": str(path), "HOME": folder, **variables})

    # What is missing is named, and nothing else is.
    def test_setup_without_root_names_what_is_missing(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.setup(folder, BASIC, {})
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("a C++ compiler, Python 3 with pip", done.stderr)
            self.assertRegex(done.stdout, r"\n +g\+\+ +gcc-c\+\+ +program g\+\+\n")
            self.assertRegex(done.stdout, r"\n +python3 +python3 +program python3\n")
            self.assertNotRegex(done.stdout, r"\n +git ")

    # nvcc alone is no reason to fetch 2.5 GB.
    def test_cuda_libraries_only_for_a_gpu_or_on_request(self):
        if list(pathlib.Path("/dev").glob("nvidia[0-9]*")):
            self.skipTest("this machine has a GPU")
        for asked in False, True:
            with tempfile.TemporaryDirectory() as folder:
                log = pathlib.Path(folder, "log")
                said = f'echo "$(basename "$0") $*" >> {log}\n'
                scripts = {name: said for name in ("cmake", "ninja", "nvcc", "pkg-config", "mpicxx", "mpirun", "g++",
                                                   "python3")}
                done = self.setup(folder, BASIC, scripts, **({"REMIXER_CUDA": "ON"} if asked else {}))
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertEqual("libtorch-cuda.txt" in log.read_text(), asked)
                self.assertIn("-DREMIXER_CUDA=" + ("ON" if asked else "OFF"), log.read_text())
                self.assertEqual("REMIXER_CUDA=ON ./setup" in done.stdout, not asked)


if __name__ == "__main__":
    unittest.main()
