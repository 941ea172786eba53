/**
 * Named random streams. There is one root seed. Every consumer derives its own stream from it by name (`stream(seed,
 * 'pretrain', 'mask', epoch, index)`). So a new consumer changes no other stream, images can be prepared in any order
 * or process, and a resumed run needs no saved random state.
 *
 * Not for cryptography.
 */

/** A stream of random numbers. Two streams created with the same names return the same numbers. */
export interface Random {
  /** Uniform 32-bit unsigned integer. */
  uint32(): number;
  /** Uniform in [low, high); [0, 1) by default, with 53 random bits. */
  uniform(low?: number, high?: number): number;
  /** Uniform integer in [0, bound). `bound` is a positive integer below 2^32. */
  integer(bound: number): number;
  /** Normal with the given mean and standard deviation. */
  normal(mean?: number, std?: number): number;
}

/** Derives the stream called `names` below the root `seed`. */
export function stream(seed: number, ...names: (string | number)[]): Random {
  return sfc32(hash128(`${seed}/${names.join('/')}`));
}

/** A uniformly random order of 0 … length−1 (Fisher–Yates). */
export function permutation(length: number, random: Random): Int32Array {
  const order = Int32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}

/** A sample of Gamma(shape, 1), by Marsaglia and Tsang (2000). `shape` > 0. */
export function gamma(shape: number, random: Random): number {
  if (shape < 1) return gamma(shape + 1, random) * random.uniform(Number.MIN_VALUE, 1) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** A sample of Beta(alpha, alpha) in [0, 1], from which mixup and cutmix draw their mixing weight. `alpha` > 0. */
export function symmetricBeta(alpha: number, random: Random): number {
  const a = gamma(alpha, random);
  const b = gamma(alpha, random);
  return a + b === 0 ? 0.5 : a / (a + b);
}

type Words = [number, number, number, number];

/** 128 bits of the text: four FNV-1a lanes with different offsets, each finished by MurmurHash3's mixer. */
function hash128(text: string): Words {
  const lanes: Words = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    for (let lane = 0; lane < 4; lane++) lanes[lane] = Math.imul(lanes[lane]! ^ (code + lane * 0x1f35), 0x01000193);
  }
  return lanes.map((word) => {
    let mixed = word ^ (word >>> 16);
    mixed = Math.imul(mixed, 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  }) as Words;
}

/** Chris Doty-Humphrey's sfc32: 128 bits of state, period at least 2^32, passes PractRand. */
function sfc32([a, b, c, counter]: Words): Random {
  let spare: number | undefined;
  const uint32 = (): number => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  for (let i = 0; i < 12; i++) uint32();

  const unit = (): number => ((uint32() >>> 5) * 0x4000000 + (uint32() >>> 6)) / 2 ** 53;
  return {
    uint32,
    uniform: (low = 0, high = 1) => low + (high - low) * unit(),
    integer(bound) {
      // Rejection keeps every value equally likely when bound does not divide 2^32.
      const limit = 2 ** 32 - (2 ** 32 % bound);
      for (;;) {
        const value = uint32();
        if (value < limit) return value % bound;
      }
    },
    normal(mean = 0, std = 1) {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return mean + std * value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - unit())); // Box–Muller; 1 − u is never 0
      const angle = 2 * Math.PI * unit();
      spare = radius * Math.sin(angle);
      return mean + std * radius * Math.cos(angle);
    },
  };
}
