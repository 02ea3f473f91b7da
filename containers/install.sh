#!/usr/bin/env bash
# What both recipes do, as root in a Debian 12 with this repository in /opt/remixer/source: installs
# the worker into /opt/remixer. Packages, LibTorch and weights are those of ./setup.
#
#   REMIXER_CUDA=ON     the GPU parts too (the default; nvcc comes from PyPI); OFF: processors alone
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
cd /opt/remixer/source
# Left by an earlier build on the host that the recipe copied from.
rm -rf build .deps workspace
REMIXER_CUDA=${REMIXER_CUDA:-ON} ./setup
cmake --install build --prefix /opt/remixer --strip
# LibTorch stays, where the programs look for it; what only the build needed goes.
rm -rf build .deps/nvcc .deps/python .deps/weights-source /root/.cache /root/.ccache
apt-get clean
rm -rf /var/lib/apt/lists/*
