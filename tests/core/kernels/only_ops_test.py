# SPDX-License-Identifier: Apache-2.0
"""-DREMIXER_ONLY_OPS=ON: configured and built apart, with nothing of the product's other needs in
reach of the configuration, then loaded into a Python of its own."""

import os
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ["REMIXER_SOURCE"]
USE = """
import sys, torch
torch.ops.load_library(sys.argv[1])
x, w = torch.randn(2, 5, 3), torch.randn(5, 5)
d, k = torch.rand(2, 5, 5), torch.tensor(0.5)
expected = (torch.exp(-k * d) * w) @ x
torch.testing.assert_close(torch.ops.remixer.masked_linear(x, w, d, k), expected)
print("loaded")
"""


class OnlyOpsTest(unittest.TestCase):
    def test_builds_and_loads_alone(self):
        with tempfile.TemporaryDirectory(prefix="remixer-") as folder:
            # Anything else that the configuration looked for would be missed: packages are hidden.
            hidden = [f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in
                      ("MPI", "Boost", "fmt", "spdlog", "OpenSSL", "nlohmann_json", "CLI11",
                       "PkgConfig", "PNG", "JPEG", "ZLIB", "Threads", "GTest")]
            done = subprocess.run(
                ["cmake", "-S", SOURCE, "-B", folder, "-G", "Ninja", "-DREMIXER_ONLY_OPS=ON",
                 "-DREMIXER_TESTS=OFF", "-DREMIXER_CUDA=OFF", "-DREMIXER_OPTIMISATION=-O0",
                 *hidden], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            done = subprocess.run(["ninja", "-C", folder, "-j2"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            library = os.path.join(folder, "lib", "libremixer_ops.so")
            needed = subprocess.run(["ldd", library], capture_output=True, text=True).stdout
            for other in ("mpi", "boost", "sqlite", "opencv", "libfmt", "spdlog"):
                self.assertNotIn(other, needed)
            done = subprocess.run([sys.executable, "-W", "ignore", "-c", USE, library],
                                  capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (0, "loaded\n"), done.stderr)


if __name__ == "__main__":
    unittest.main()
