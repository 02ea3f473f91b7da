# SPDX-License-Identifier: Apache-2.0
"""Writes the table of docs/kernels.md: what nvcc says of each kernel, what its SASS holds, what the
emulator counts, and what memory and tensor cores alone would take.

  kernel_table.py --counters PROGRAM [--nvcc NVCC] [--cuobjdump CUOBJDUMP] [--check]

--check writes nothing and fails where the table is not that of the code, or where a kernel spills,
has no tensor-core instruction, or has bank conflicts. Exit code 77: there is no cuobjdump."""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
PAGE = ROOT / "docs/kernels.md"
BEGIN, END = "<!-- table: kernel_table.py -->\n", "<!-- end of the table -->\n"
# Per SM: registers, shared memory for blocks; of the card: SMs, bytes a second, bfloat16 operations
# a second.
GPUS = {"A100": ("80", 65536, 163 * 1024, 108, 1555e9, 312e12),
        "H100": ("90", 65536, 227 * 1024, 132, 3350e9, 989e12)}
TABLE_COMPILER = "13.0"  # registers are this release's
NAMES = ("AttentionForward", "AttentionDelta", "AttentionBackwardQ", "AttentionBackwardKv",
         "MixingProduct", "MixingGradient", "DistanceOfNumbers", "DistanceOfRows")


def matches(symbol, name):
    """The kernel of the table among the instances: bfloat16, distances of the same type, D = 64."""
    return (re.search(rf"\d{name}I", symbol) and "BFloat16" in symbol and "Half" not in symbol
            and "Lf" not in symbol and "BFloat16Ef" not in symbol and "Li128" not in symbol)


def compile_for(nvcc, architecture, folder):
    """{kernel: (registers, spilled bytes)} and the object file; every instance's spills in all."""
    target = Path(folder) / f"{architecture}.cubin"
    done = subprocess.run(
        [nvcc, "-std=c++17", "-O3", f"-arch=sm_{architecture}", "-cubin", "-Xptxas", "-v",
         f"-I{ROOT}", ROOT / "core/kernels/device/kernels.cu", "-o", target],
        capture_output=True, text=True, check=True)
    of, spilled = {}, 0
    for part in re.split(r"Compiling entry function ", done.stderr)[1:]:
        symbol = part.split("'")[1]
        registers = int(re.search(r"Used (\d+) registers", part).group(1))
        spills = sum(map(int, re.findall(r"(\d+) bytes spill", part)))
        spilled += spills
        for name in NAMES:
            if matches(symbol, name):
                of[name] = (registers, spills)
    return of, spilled, target


def compiler_is(nvcc, release):
    said = subprocess.run([nvcc, "--version"], capture_output=True, text=True, check=True).stdout
    return f"release {release}," in said


def tensor_instructions(cuobjdump, cubin):
    """{kernel: HMMA instructions in its SASS}."""
    sass = subprocess.run([cuobjdump, "-sass", cubin], capture_output=True, text=True,
                          check=True).stdout
    of = {}
    for part in sass.split("Function : ")[1:]:
        symbol = part.split("\n", 1)[0]
        for name in NAMES:
            if matches(symbol, name):
                of[name] = len(re.findall(r"\bHMMA\.", part))
    return of


def blocks_an_sm(gpu, registers, threads, shared):
    _, all_registers, all_shared, *_ = gpu
    warps = threads // 32
    a_warp = -(-registers * 32 // 256) * 256
    fits = [64 // warps, all_registers // (a_warp * warps), 32]
    fits.append(all_shared // (shared + 1024))
    return min(fits)


def lines(counters, compiled, hmma):
    head = ["kernel", "registers sm_80 / 90", "spilled", "shared KB", "warps an SM, A100 / H100",
            "HMMA in SASS", "mma counted", "sectors: least / loaded", "stored", "bank conflicts",
            "bytes, least", "memory A100 / H100", "tensor cores A100 / H100"]
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for c in counters:
        name = c["kernel"].split(" ")[0]
        registers = [compiled[GPUS[g][0]][name] for g in GPUS]
        occupancy = [blocks_an_sm(GPUS[g], r[0], c["threads"], c["shared_bytes"]) * c["threads"] // 32
                     for g, r in zip(GPUS, registers)]
        memory = [c["least_bytes"] / GPUS[g][4] * 1e9 for g in GPUS]
        tensor = [c["multiply_adds"] * 4096 / GPUS[g][5] * 1e9 for g in GPUS]
        cells = [c["kernel"], " / ".join(str(r[0]) for r in registers),
                 str(sum(r[1] for r in registers)), f"{c['shared_bytes'] / 1024:.0f}",
                 " / ".join(map(str, occupancy)), str(hmma[name]), str(c["multiply_adds"]),
                 f"{c['load_ideal_sectors']} / {c['load_sectors']}",
                 f"{c['store_ideal_sectors']} / {c['store_sectors']}",
                 str(c["wavefronts"] - c["ideal_wavefronts"]), f"{c['least_bytes']:,}",
                 " / ".join(f"{x:.0f} ns" for x in memory),
                 " / ".join(f"{x:.0f} ns" for x in tensor)]
        yield "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--counters", required=True)
    parser.add_argument("--nvcc", default=shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc")
    parser.add_argument("--cuobjdump", default=shutil.which("cuobjdump"))
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if not options.cuobjdump:
        print("kernel_table: no cuobjdump: it comes with the CUDA Toolkit, and ./setup --tests fetches it",
              file=sys.stderr)
        return 77
    counters = json.loads(subprocess.run([options.counters], capture_output=True, text=True,
                                         check=True).stdout)
    trouble = [f"{c['kernel']} has bank conflicts" for c in counters
               if c["wavefronts"] != c["ideal_wavefronts"]]
    compiled, hmma = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for architecture, *_ in GPUS.values():
            compiled[architecture], spilled, cubin = compile_for(options.nvcc, architecture, folder)
            if spilled:
                trouble.append(f"kernels spill {spilled} bytes on sm_{architecture}")
            hmma = tensor_instructions(options.cuobjdump, cubin)
    trouble += [f"{c['kernel']} has no HMMA" for c in counters
                if c["multiply_adds"] and not hmma.get(c["kernel"].split(" ")[0])]
    page = PAGE.read_text()
    begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    new = page[:begin] + "\n" + "\n".join(lines(counters, compiled, hmma)) + "\n\n" + page[end:]
    if options.check:
        if not compiler_is(options.nvcc, TABLE_COMPILER):
            print(f"kernel_table: the table is of CUDA {TABLE_COMPILER}, so it is not compared")
        elif new != page:
            trouble.append("docs/kernels.md has another table: run kernel_table.py")
    else:
        PAGE.write_text(new)
    for line in trouble:
        print(f"kernel_table: {line}", file=sys.stderr)
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main())
