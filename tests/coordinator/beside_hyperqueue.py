#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tasks a second of this coordinator beside HyperQueue's on the same machine, in one run.

    pip install --target hq hyperqueue==0.27.0
    PYTHONPATH=hq tests/coordinator/beside_hyperqueue.py [--tasks N] [--rounds N]

HyperQueue runs /bin/true once a task, in one worker of two cores; so do two persistent workers of
ours, and once more with tasks that do nothing, which is what the coordinator itself costs. Every
result of ours is on the disk before the next task is given out. Rounds take turns; the figures are
ratios of the medians. HyperQueue's client looks once a second for the end: many tasks make that
small.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def ours(tasks, program=None):
    command = [os.path.join(ROOT, "build/bin/remixer"), "bench", "scheduler", "--finished", "1000", "--submit",
               str(tasks), "--claims", str(tasks), "--format", "json"]
    output = subprocess.run(command + (["--program", program] if program else []), check=True, capture_output=True,
                            text=True).stdout
    return json.loads(output)[0]["tasks_per_s"]


def theirs(tasks):
    with tempfile.TemporaryDirectory() as folder, LocalCluster() as cluster:
        os.chdir(folder)
        cluster.start_worker(WorkerConfig(cores=2))
        client = cluster.client()
        job = Job()
        for _ in range(tasks):
            job.program(["/bin/true"], stdout=None, stderr=None)
        start = time.monotonic()
        client.wait_for_jobs([client.submit(job)])
        seconds = time.monotonic() - start
        os.chdir(ROOT)
    return tasks / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    runs = {"no-op": lambda: ours(options.tasks), "/bin/true": lambda: ours(options.tasks, "/bin/true"),
            "HyperQueue /bin/true": lambda: theirs(options.tasks)}
    rates = {name: [] for name in runs}
    for number in range(options.rounds):
        for name, run in runs.items():
            rates[name].append(run())
        print(f"round {number + 1}: " + ", ".join(f"{name} {values[-1]:.0f}" for name, values in rates.items()) +
              " tasks a second", file=sys.stderr)
    *mine, beside = (statistics.median(values) for values in rates.values())
    for name, rate in zip(runs, mine):
        print(f"{name}: {rate:.0f} tasks a second, {rate / beside:.1f} times HyperQueue's {beside:.0f} with /bin/true")


if __name__ == "__main__":
    main()
