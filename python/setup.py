# SPDX-License-Identifier: Apache-2.0
"""Builds libremixer_ops.so with CMake and puts it into the package.

It is built against a LibTorch: REMIXER_LIBTORCH (a folder with include/ and lib/), else the torch that is
installed for this interpreter, else .deps/torch of the checkout. A compiler and CMake 3.25 are all it takes.
"""

import os
import pathlib
import site
import subprocess
import sysconfig

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

ROOT = pathlib.Path(__file__).resolve().parent.parent


def libtorch():
    # An isolated build cannot import the torch that is installed, but its folder is there to be read.
    installed = [*site.getsitepackages(), sysconfig.get_path("purelib"), site.getusersitepackages(),
                 *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    folders = [os.environ.get("REMIXER_LIBTORCH"), *(os.path.join(path, "torch") for path in installed if path),
               ROOT / ".deps/torch/torch"]
    for folder in folders:
        if folder and pathlib.Path(folder, "lib/libtorch_cpu.so").exists():
            return pathlib.Path(folder)
    raise SystemExit("remixer: no LibTorch found: run `pip install torch==2.11.*` first, "
                     "or set REMIXER_LIBTORCH to a folder with include/ and lib/")


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        build = pathlib.Path(self.get_finalized_command("build").build_temp).resolve() / "operators"
        subprocess.run(["cmake", "-S", ROOT, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DREMIXER_ONLY_OPS=ON",
                        f"-DREMIXER_CUDA={os.environ.get('REMIXER_CUDA', 'AUTO')}",
                        f"-DCMAKE_PREFIX_PATH={libtorch()}"], check=True)
        subprocess.run(["cmake", "--build", build, "--parallel", str(os.cpu_count()), "--target", "remixer_ops"],
                       check=True)
        for library in (build / "lib").glob("libremixer_*.so"):
            self.copy_file(str(library), os.path.join(self.build_lib, "remixer", library.name))


class WithLibrary(Distribution):
    """The wheel is for this platform, since it holds a compiled library."""

    def has_ext_modules(self):
        return True


setup(cmdclass={"build_py": BuildWithLibrary}, distclass=WithLibrary)
