#!/usr/bin/env python3
"""Tasks a second of this coordinator beside HyperQueue's on the same machine, in one run.

    pip install --target hq hyperqueue==0.27.0
    PYTHONPATH=hq tests/coordinator/beside_hyperqueue.py [--tasks N] [--rounds N]

Both run /bin/true once a task, in two persistent workers (HyperQueue: one worker of two cores).
Every result of ours is on the disk before the next task is given out. Rounds of both take turns;
the figure is the ratio of the medians.
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


def ours(tasks):
    output = subprocess.run([os.path.join(ROOT, "build/bin/remixer"), "bench", "scheduler", "--finished", "1000",
                             "--claims", str(tasks), "--program", "/bin/true", "--format", "json"],
                            check=True, capture_output=True, text=True).stdout
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
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rates = {"remixer": [], "hyperqueue": []}
    for number in range(options.rounds):
        rates["remixer"].append(ours(options.tasks))
        rates["hyperqueue"].append(theirs(options.tasks))
        print(f"round {number + 1}: remixer {rates['remixer'][-1]:.0f}, hyperqueue "
              f"{rates['hyperqueue'][-1]:.0f} tasks a second", file=sys.stderr)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    print(f"remixer {medians['remixer']:.0f}, hyperqueue {medians['hyperqueue']:.0f} tasks a second: "
          f"{medians['remixer'] / medians['hyperqueue']:.1f} times")


if __name__ == "__main__":
    main()
