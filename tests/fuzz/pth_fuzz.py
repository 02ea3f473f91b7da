#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of torch.save, damaged at random: each is read to its last tensor or is refused as
BadCheckpoint in one line, in little time and memory.

    pth_fuzz.py [--seconds N | --inputs N] [--seed N] [--keep FOLDER] CORPUS...

Mutations are of the file's bytes and, of zip archives, of the pickle inside as well, whose checksum is
then right. What reads on further than all before it, counted in lines of the reader, is kept and mutated
again. An input that fails is left in the folder --found.
"""

import argparse
import hashlib
import io
import os
import random
import resource
import signal
import sys
import tempfile
import time
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../core/io"))
import torch_checkpoint as checkpoint  # noqa: E402

SECONDS, MEMORY, LONGEST = 10, 2 << 30, 20000
# What a pickle is made of: opcodes, names that the reader knows, numbers at the edges.
WORDS = [bytes([opcode]) for opcode in b"()NI.KMJG0125RQabcdehijlopqrstu}]\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c"
         b"\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96"]
WORDS += [b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch._utils\n_rebuild_parameter\n", b"ctorch\nFloatStorage\n",
          b"ctorch\nSize\n", b"ccollections\nOrderedDict\n", b"cos\nsystem\n", b"X\x07\x00\x00\x00storage", b"module",
          b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", b"J\xff\xff\xff\xff", b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
          b"r\xff\xff\xff\x0f", b"j\xff\xff\xff\x7f", b"G\x7f\xf0\x00\x00\x00\x00\x00\x00", b"data.pkl", b"data/0",
          b"byteorder", b"big", b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"\x00" * 8, b"\xff" * 8]


def damage(data, rng):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        place = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0 and place < len(data):
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1 and place < len(data):
            data[place] = rng.randrange(256)
        elif kind == 2:
            data[place:place] = rng.choice(WORDS)
        elif kind == 3:
            word = rng.choice(WORDS)
            data[place:place + len(word)] = word
        elif kind == 4:
            del data[place:place + rng.choice((1, 2, 4, 16, 200))]
        else:
            start = rng.randrange(len(data) + 1)
            data[place:place] = data[start:start + rng.choice((1, 4, 16, 64))]
    return bytes(data[:LONGEST])


def damage_inside(data, rng):
    """Of an archive one member, most often the pickle; otherwise the file itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except Exception:
        return damage(data, rng)
    pickles = [i for i, (name, _) in enumerate(members) if name.endswith("data.pkl")]
    chosen = rng.choice(pickles) if pickles and rng.random() < 0.8 else rng.randrange(len(members) or 1)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i, (name, content) in enumerate(members):
            if i == chosen and rng.random() < 0.1:
                name = damage(name.encode(), rng).decode("latin-1").replace("\0", "") or "x"
            archive.writestr(name, damage(content, rng) if i == chosen else content)
    return out.getvalue()[:LONGEST]


def read(path):
    try:
        content, data = checkpoint.read_checkpoint(path)
        for name, tensor in checkpoint.tensors_of(content, "").items():
            size = len(checkpoint.bytes_of(name, tensor, data))
            expected = tensor.storage.width
            for side in tensor.shape:
                expected *= side
            assert size == expected, (name, tensor, size)
    except checkpoint.BadCheckpoint as error:
        assert "\n" not in str(error), error


class Reached:
    """The lines of the reader that ran."""

    def __init__(self):
        self.all, self.new = set(), False
        self.file = checkpoint.__file__

    def __call__(self, frame, event, _):
        if frame.f_code.co_filename != self.file:
            return None
        if frame.f_lineno not in self.all:
            self.all.add(frame.f_lineno)
            self.new = True
        return self

    def by(self, path):
        self.new = False
        sys.settrace(self)
        try:
            read(path)
        finally:
            sys.settrace(None)
        return self.new


def too_long(*_):
    raise AssertionError(f"an input took more than {SECONDS} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", nargs="+")
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--inputs", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep")
    parser.add_argument("--found", default=".")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    signal.signal(signal.SIGALRM, too_long)
    rng, reached, pool = random.Random(options.seed), Reached(), []
    end = time.monotonic() + options.seconds if options.seconds else None
    with tempfile.TemporaryDirectory(prefix="pth-fuzz-") as folder:
        path = os.path.join(folder, "input")

        def run(data, keep):
            with open(path, "wb") as file:
                file.write(data)
            signal.alarm(SECONDS)
            try:
                new = reached.by(path)
            except BaseException:
                failing = os.path.join(options.found, "pth-" + hashlib.sha1(data).hexdigest())
                with open(failing, "wb") as file:
                    file.write(data)
                print(f"failed on {failing}", file=sys.stderr)
                raise
            finally:
                signal.alarm(0)
            if new and keep:
                pool.append(data)
                if options.keep:
                    os.makedirs(options.keep, exist_ok=True)
                    with open(os.path.join(options.keep, hashlib.sha1(data).hexdigest()), "wb") as file:
                        file.write(data)

        for place in options.corpus:
            for name in sorted(os.listdir(place)) if os.path.isdir(place) else ():
                with open(os.path.join(place, name), "rb") as file:
                    pool.append(file.read())
        if not pool:
            sys.exit("no inputs to begin with")
        seeds = list(pool)
        for data in seeds:
            run(data, False)
        count = 0
        while (end is None or time.monotonic() < end) and (options.inputs == 0 or count < options.inputs):
            data = rng.choice(seeds if rng.random() < 0.3 else pool)
            run((damage_inside if rng.random() < 0.6 else damage)(data, rng), True)
            count += 1
    print(f"number_of_executed_units: {count}\nnew_units: {len(pool) - len(seeds)}\nlines reached: {len(reached.all)}")


if __name__ == "__main__":
    main()
