# SPDX-License-Identifier: Apache-2.0
"""The product's counter-based random numbers (base/random.h), written a second time, so that a
reference implementation can be fed the same draws."""

import contextlib
import math
import random
from unittest import mock

import numpy as np

MASK = 0xFFFFFFFF
ORDER, AUGMENT, MIX = 1, 2, 3  # RandomPurpose


def philox(counter, key):
    """Philox4x32-10 of one counter."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


class Draws:
    """One stream, named by (seed, purpose, a, b)."""

    def __init__(self, seed, purpose, a=0, b=0):
        first = philox([a & MASK, a >> 32, purpose, 0x52654D78], [seed & MASK, seed >> 32])
        second = philox([b & MASK, b >> 32, first[2], first[3]], first[:2])
        self.key, self.counter = second[:2], [0, second[2], second[3], 0]
        self.block, self.spare = [], None

    def next(self):
        if not self.block:
            self.block = philox(self.counter, self.key)
            self.counter[0] += 1
        return self.block.pop(0)

    def random(self):
        high, low = self.next() >> 5, self.next() >> 6
        return ((high << 26) | low) * 2.0 ** -53

    def uniform(self, low, high):
        return low + (high - low) * self.random()

    def below(self, bound):
        limit = 2 ** 64 - 1 - (2 ** 64 - 1) % bound
        while True:
            draw = (self.next() << 32) | self.next()
            if draw < limit:
                return draw % bound

    def normal(self):
        if self.spare is not None:
            value, self.spare = self.spare, None
            return value
        radius = math.sqrt(-2 * math.log(1 - self.random()))
        angle = 2 * math.pi * self.random()
        self.spare = radius * math.sin(angle)
        return radius * math.cos(angle)

    def normals(self, shape):
        count = int(np.prod(shape))
        return np.array([self.normal() for _ in range(count)], np.float32).reshape(shape)

    def shuffled(self, count):
        order = list(range(count))
        for i in range(count, 1, -1):
            j = self.below(i)
            order[i - 1], order[j] = order[j], order[i - 1]
        return order

    @contextlib.contextmanager
    def instead_of_python(self):
        """Python's and NumPy's draws come from this stream."""
        def choice(items, count, replace, p):
            assert replace and p is None
            return [items[self.below(len(items))] for _ in range(count)]
        with mock.patch.object(random, "random", self.random), \
             mock.patch.object(random, "uniform", self.uniform), \
             mock.patch.object(random, "gauss", lambda mean, sigma: mean + sigma * self.normal()), \
             mock.patch.object(random, "randint", lambda low, high: low + self.below(high - low + 1)), \
             mock.patch.object(np.random, "choice", choice):
            yield
