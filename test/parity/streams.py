"""The named random streams of src/common/random.ts, implemented again: FNV-1a and MurmurHash3's mixer seed sfc32."""

import math
import sys

MASK = 0xFFFFFFFF


class Stream:
    def __init__(self, seed, *names):
        lanes = [0x811C9DC5, 0x9E3779B9, 0x85EBCA6B, 0xC2B2AE35]
        for character in f"{seed}/{'/'.join(map(str, names))}":
            lanes = [((w ^ (ord(character) + i * 0x1F35)) * 0x01000193) & MASK for i, w in enumerate(lanes)]
        self.state = [self._mixed(word) for word in lanes]
        self.spare = None
        for _ in range(12):
            self.uint32()

    @staticmethod
    def _mixed(word):
        word ^= word >> 16
        word = (word * 0x85EBCA6B) & MASK
        word = ((word ^ (word >> 13)) * 0xC2B2AE35) & MASK
        return word ^ (word >> 16)

    def uint32(self):
        a, b, c, counter = self.state
        result = (a + b + counter) & MASK
        rotated = ((c << 21) | (c >> 11)) & MASK
        self.state = [b ^ (b >> 9), (c + (c << 3)) & MASK, (rotated + result) & MASK, (counter + 1) & MASK]
        return result

    def uniform(self, low=0.0, high=1.0):
        unit = ((self.uint32() >> 5) * 2**26 + (self.uint32() >> 6)) / 2**53
        return low + (high - low) * unit

    def integer(self, bound):
        limit = 2**32 - 2**32 % bound
        while True:
            value = self.uint32()
            if value < limit:
                return value % bound

    def normal(self):
        """Box–Muller pairs; the second value is kept for the next call."""
        if self.spare is not None:
            value, self.spare = self.spare, None
            return value
        radius = math.sqrt(-2 * math.log(1 - self.uniform()))
        angle = 2 * math.pi * self.uniform()
        self.spare = radius * math.sin(angle)
        return radius * math.cos(angle)

    def gamma(self, shape):
        """Marsaglia and Tsang."""
        if shape < 1:
            larger = self.gamma(shape + 1)
            return larger * self.uniform(sys.float_info.min, 1.0) ** (1 / shape)
        d = shape - 1 / 3
        c = 1 / math.sqrt(9 * d)
        while True:
            x = self.normal()
            v = (1 + c * x) ** 3
            if v > 0 and math.log(1 - self.uniform()) < 0.5 * x * x + d - d * v + d * math.log(v):
                return d * v

    def beta(self, alpha):
        a, b = self.gamma(alpha), self.gamma(alpha)
        return a / (a + b)

    def permutation(self, length):
        order = list(range(length))
        for i in range(length - 1, 0, -1):
            j = self.integer(i + 1)
            order[i], order[j] = order[j], order[i]
        return order
