# SPDX-License-Identifier: Apache-2.0
"""Mutants of the device code: each is one small fault (a barrier removed, a wait moved, a stride, an
index or a bound changed), compiled with the kernels' own tests and run by the emulator. A mutant
that no test turns red is a survivor: it is listed in SURVIVORS with the reason, or the tests lack
something.

  mutate.py [--jobs N] [--only REGION]... [--limit N] [--list] [--table]

Exit code: 1 where a mutant survives that is not listed, one that is listed dies or is gone, or a
kernel has fewer than ten. --table prints docs/kernels.md's table of the run."""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
DEVICE = ROOT / "core/kernels/device"
TESTS = Path(__file__).resolve().parent
LEAST = 10
TEST_NAMES = ("attention", "mixing", "distance")

# Where mutants are made: file, what begins the region (a function, or a namespace or struct), which
# tests stand against it, and whether it is a kernel of its own.
REGIONS = {
    "AttentionForward": ("attention.h", "void attention_forward(", ("attention",), True),
    "AttentionDelta": ("attention.h", "void attention_delta(", ("attention",), True),
    "AttentionBackwardQ": ("attention.h", "void attention_backward_q(", ("attention",), True),
    "AttentionBackwardKv": ("attention.h", "void attention_backward_kv(", ("attention",), True),
    "MixingProduct": ("mixing.h", "void mixing_product(", ("mixing",), True),
    "MixingGradient": ("mixing.h", "void mixing_gradient(", ("mixing",), True),
    "DistanceOfNumbers": ("distance.h", "void distance_of_numbers(", ("distance",), True),
    "DistanceOfRows": ("distance.h", "void distance_of_rows(", ("distance",), True),
    "attention's parts": ("attention.h", "namespace attention {", ("attention",), False),
    "mixing's parts": ("mixing.h", "namespace mixing {", ("mixing",), False),
    "tiles": ("tile.h", "struct Tile {", ("attention", "mixing"), False),
    "copies and stores": ("tile.h", "void copy_tile(", ("attention", "mixing"), False),
    "store_sums": ("tile.h", "void store_sums(", ("attention", "mixing"), False),
    "store_block_sum": ("tile.h", "void store_block_sum(", ("attention", "mixing"), False),
}

# All of these that a region has are tried.
ORDER_RULES = [
    ("barrier removed", r"\bsync_block\(\);", ";"),
    ("warp's barrier removed", r"\bsync_warp\(\);", ";"),
    ("commit removed", r"\bcopy_async_commit\(\);", ";"),
    ("waits for one group less", r"copy_async_wait<0>\(\);", "copy_async_wait<1>();"),
    ("waits for one group less", r"copy_async_wait<1>\(\);", "copy_async_wait<2>();"),
    ("wait moved behind the barrier",
     r"(\} else \{\s*)copy_async_wait<0>\(\);(\s*\}\s*sync_block\(\);)",
     r"\1\2 copy_async_wait<0>();"),
    ("wait moved behind the barrier",
     r"copy_async_wait<1>\(\);(\s*\} else \{\s*copy_async_wait<0>\(\);\s*\}\s*sync_block\(\);)",
     r"\1 copy_async_wait<1>();"),
    ("the same stage twice", r"stage \^ 1", "stage"),
    ("stage never changes", r", stage \^= 1", ""),
]
# Of what these give, so many a region as --limit says, evenly spread.
ARITHMETIC_RULES = [
    # Not of loops whose length is known: those would leave their arrays, which means nothing.
    ("bound too large",
     r"(?<=[\w\])]) < (?=(?:p\.|count|total|end|source|first\.|rows|width|channels|chunks|kDist|kMix))",
     " <= "),
    ("bound too small", r"(\w) < (p\.\w+)(?=[;,) ])", r"\1 < \2 - 1"),
    ("the next one", r"\+ 8 \*", "+ 8 + 8 *"),
    ("stride halved", r"\* 16\b", "* 8"),
    ("stride halved", r"\b16 \*", "8 *"),
    ("stride halved", r"\b2 \* (?=[ntk]\b)", "1 * "),
    ("quotient for remainder", r" % (?=[2-9k])", " / "),
    ("remainder for quotient", r"(?<!W) / (?=[2-9])", " % "),
    ("prefix forgotten", r"\bp\.prefix\b", "0"),
    ("batch forgotten", r"\b(at\.b|b)\) \* p\.", r"0) * p."),
    ("head for image", r"\bat\.h\b(?=[,;) ])", "at.b"),
    ("indices exchanged", r"\(p, b, i, j\)", "(p, b, j, i)"),
    ("indices exchanged", r"\(p, i, j\)", "(p, j, i)"),
    ("indices exchanged", r"\[r\]\[c\]", "[c][r]"),
    ("sign changed", r"(?<=[\w\])]) - (?=\w+ \* )", " + "),
    ("sign changed", r"-kappa\b", "kappa"),
    ("sign changed", r"-kInfinity", "kInfinity"),
    ("factor forgotten", r" \* scale\b", ""),
    ("factor forgotten", r" \* kLog2E\b", ""),
    ("factor forgotten", r"\bp\.scale, p\.scale\b", "1, 1"),
    ("not added up", r"(?<=[\w\])]) \+= (?!lanes|chunk|k|16|4)", " = "),
    ("one lane less", r"lanes \*= 2", "lanes *= 4"),
    ("one lane less", r"lanes = 16", "lanes = 8"),
    ("wrong register", r"\b(right|b) \+ 2\b", r"\1"),
    ("wrong half", r">> 16", ">> 0"),
    ("wrong operand", r"chunk \^ turn", "chunk"),
    ("wrong operand", r"\+ Chunk::bytes\(64\)", "+ 0"),
    ("wrong operand", r"\+ Tile<W>::bytes\(16\)", "+ 0"),
    ("wrong operand", r"\bkOther \+ ", ""),
    ("the other form", r"\? ([\w:.]+(?:\([^()]*\))?) : ([\w:.]+(?:\([^()]*\))?)(?=[;,)])", r"? \2 : \1"),
    ("other sum", r"\bother_squares\[r\]", "squares[r]"),
    ("one row further", r"\+\+row\b", "row += 2"),
    ("begins at another", r"\bcolumn = 0\b", "column = 1"),
    ("begins at another", r"\bcolumn = block_index\(0\) \*", "column = block_index(1) *"),
    ("never the next image", r"image = row;", ";"),
    ("image forgotten", r"\bimage \+ column", "column"),
    ("last ones forgotten", r"<= total", "< total"),
    ("one written twice", r"!whole && ", ""),
    ("clamp forgotten", r"distance < 0 \? 0\.0f : distance", "distance"),
]

# (region, rule, the line after the change, blanks taken as one) → why no test can or need find it.
SURVIVORS = {
    ("AttentionForward", "remainder for quotient",
     "highest[e / 2] = s[n][e] > highest[e % 2] ? s[n][e] : highest[e / 2];"):
        "softmax is the same whichever score is taken off; only scores beyond float's range would "
        "show that it is not the largest",
    ("AttentionDelta", "bound too small", "const bool valid = i < p.tokens && c < p.width - 1;"):
        "c and the width are multiples of 8",
    ("AttentionBackwardQ", "bound too large",
     "const float weight = j <= p.tokens ? exp2(log_p) : 0;"):
        "the row after the last key and value is zero in shared memory, and its distance is 0",
    ("MixingProduct", "bound too large",
     "for (int from = 0; from <= p.patches; from += kMixingChunk, stage ^= 1) {"):
        "where patches are a multiple of 64, one more turn that has no rows",
    ("MixingProduct", "bound too small",
     "const bool valid = i < p.patches && c < p.channels - 1;"):
        "c is even and the channels are a multiple of 8",
    ("DistanceOfNumbers", "last ones forgotten", "const bool whole = first + kEach < total;"):
        "the last whole group is written one by one, to the same places",
    ("DistanceOfRows", "indices exchanged", "for (int c = 0; c < 4; ++c) sums[c][r] = 0;"):
        "all sixteen sums are set to zero, in another order",
    ("DistanceOfRows", "bound too large",
     "const int count = left <= kDistanceChunk ? left : kDistanceChunk;"):
        "both sides are the same number where they are equal",
}


class Mutant:
    def __init__(self, region, rule, file, text, match, replacement):
        self.region, self.rule, self.file = region, rule, file
        changed = match.expand(replacement)
        self.text = text[:match.start()] + changed + text[match.end():]
        begin = text.rfind("\n", 0, match.start()) + 1
        end = self.text.find("\n", match.start() + len(changed))
        self.line = " ".join(self.text[begin:end].split())
        self.number = text.count("\n", 0, match.start()) + 1

    def key(self):
        return (self.region, self.rule, self.line)


def region_of(text, begin):
    """Where the braces after `begin` open and close."""
    at = text.index(begin)
    start = text.index("{", at)
    depth = 0
    for i in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return start, i
    raise ValueError(begin)


def mutants_of(region, limit):
    file, begin, _, _ = REGIONS[region]
    text = (DEVICE / file).read_text()
    start, end = region_of(text, begin)

    def made(rules):
        found = {}
        for rule, pattern, replacement in rules:
            for match in re.compile(pattern).finditer(text, start, end):
                line_begin = text.rfind("\n", 0, match.start()) + 1
                if "//" in text[line_begin:match.start()]:
                    continue
                mutant = Mutant(region, rule, file, text, match, replacement)
                if mutant.text != text:
                    found.setdefault(mutant.text, mutant)
        return sorted(found.values(), key=lambda m: m.number)

    arithmetic = made(ARITHMETIC_RULES)
    if len(arithmetic) > limit:
        arithmetic = [arithmetic[i * len(arithmetic) // limit] for i in range(limit)]
    return made(ORDER_RULES) + arithmetic


class Bench:
    """Compiles and runs. A mutant is in the code that emulated.cpp launches: the rest is compiled
    once."""

    def __init__(self, folder, compiler):
        self.folder, self.compiler = Path(folder), compiler
        self.objects = {}
        for test in TEST_NAMES:
            self.objects[test] = self.folder / f"{test}.o"
            self.compile(TESTS / f"{test}_device_test.cpp", self.objects[test])
        self.emulator = []
        for source in sorted((ROOT / "tests/support").glob("simt*.cpp")):
            if source.stem == "simt_test":
                continue
            self.emulator.append(self.folder / f"{source.stem}.o")
            self.compile(source, self.emulator[-1])

    def run(self, *command):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        return done.stderr if done.returncode else ""

    def compile(self, source, target, *before):
        trouble = self.run(self.compiler, "-std=c++20", "-O0", "-w", *before, f"-I{ROOT}", "-c",
                           source, "-o", target)
        if trouble and not before:
            sys.exit(f"mutate: {trouble}")
        return not trouble

    def outcome(self, number, file, text, tests):
        """'red', 'green', or 'not compiled'."""
        place = self.folder / str(number)
        target = place / "core/kernels/device"
        shutil.copytree(DEVICE, target)
        (target / file).write_text(text)
        try:
            kernels, program = place / "emulated.o", place / "tests"
            if not self.compile(TESTS / "emulated.cpp", kernels, f"-I{place}"):
                return "not compiled"
            trouble = self.run(self.compiler, kernels, *(self.objects[t] for t in tests),
                               *self.emulator, "-lgtest", "-lgtest_main", "-lboost_context", "-o",
                               program)
            if trouble:
                sys.exit(f"mutate: {trouble}")
            try:
                done = subprocess.run([program, "--gtest_fail_fast", "--gtest_brief=1"],
                                      capture_output=True, timeout=300)
            except subprocess.TimeoutExpired:
                return "red"
            return "green" if done.returncode == 0 else "red"
        finally:
            shutil.rmtree(place)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", choices=REGIONS, action="append")
    parser.add_argument("--limit", type=int, default=12, help="arithmetic mutants a region")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--compiler", default=os.environ.get("CXX", "g++"))
    options = parser.parse_args()
    regions = options.only or list(REGIONS)
    mutants = [m for region in regions for m in mutants_of(region, options.limit)]
    if options.list:
        for m in mutants:
            print(f"{m.region}: {m.rule}: {m.file}:{m.number}: {m.line}")
        print(f"{len(mutants)} mutants")
        return 0

    trouble, results = [], {}
    with tempfile.TemporaryDirectory(prefix="remixer-mutants-") as folder:
        bench = Bench(folder, options.compiler)
        for test in TEST_NAMES:
            unchanged = (DEVICE / "tile.h").read_text()
            if bench.outcome(f"none-{test}", "tile.h", unchanged, (test,)) != "green":
                sys.exit(f"mutate: {test}_device_test is red without any mutant")
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            jobs = {pool.submit(bench.outcome, i, m.file, m.text, REGIONS[m.region][2]): m
                    for i, m in enumerate(mutants)}
            for job in concurrent.futures.as_completed(jobs):
                results[jobs[job]] = job.result()
                if job.result() != "red":
                    m = jobs[job]
                    print(f"{job.result()}: {m.key()}", flush=True)

    table = ["| where | mutants | found | survive |", "|---|---|---|---|"]
    for region in regions:
        tried = [m for m in mutants if m.region == region and results[m] != "not compiled"]
        alive = [m for m in tried if results[m] == "green"]
        table.append(f"| {region} | {len(tried)} | {len(tried) - len(alive)} | {len(alive)} |")
        if REGIONS[region][3] and len(tried) < LEAST:
            trouble.append(f"{region} has {len(tried)} mutants, and should have {LEAST}")
        trouble += [f"survives: {m.key()}" for m in alive if m.key() not in SURVIVORS]
    dead = {m.key() for m in results if results[m] != "green"}
    seen = {m.key() for m in results}
    trouble += [f"is said to survive, and does not: {key}" for key in SURVIVORS
                if key[0] in regions and (key in dead or key not in seen)]
    if options.table:
        print("\n".join(table))
    for line in trouble:
        print(f"mutate: {line}", file=sys.stderr)
    print(f"{len(results)} mutants, {sum(r == 'red' for r in results.values())} found, "
          f"{sum(r == 'green' for r in results.values())} survive, "
          f"{sum(r == 'not compiled' for r in results.values())} do not compile")
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main())
