/**
 * Chooses how bfloat16 matrices are multiplied: by the faster of the two ways on this machine, measured once and then
 * read from a file. Results differ in the last bits between the two, so provenance records the choice.
 */
import { cpus } from 'node:os';
import { UsageError } from '../../common/errors.js';
import type { BlasLibrary } from './blas.js';
import { BFLOAT16_PRODUCTS, type Bfloat16Product, type Gemm } from './gemm.js';
import type { SharedHeap } from './memory.js';
import { rememberChoice, rememberedChoice } from './bfloat16-cache.js';
import type { Thread } from './thread.js';

export interface Bfloat16Choice {
  readonly product: Bfloat16Product;
  /** The time of a float32 product divided by the time of the same product in bfloat16; null: it was not measured. */
  readonly speed: number | null;
}

/** A layer of work P: tokens of 17 images, 192 → 768. */
const SIZES = { m: 1088, n: 768, k: 192 };
const ROUNDS = 7;
/** The library must be faster by this factor: a measurement on a busy machine then gives the same choice again. */
const MARGIN = 1.1;

/** A choice by measurement. */
export type MeasuredChoice = Bfloat16Choice & { readonly speed: number };

export interface Surroundings {
  readonly thread: Thread;
  readonly heap: SharedHeap;
  readonly blas: BlasLibrary | null;
  /** The file of earlier choices. */
  readonly cache: string;
  /** `VITMIM_BFLOAT16`: a way to multiply, or undefined for the faster one. */
  readonly requested: string | undefined;
}

/** @throws UsageError if the requested product is unknown or does not exist here. */
export function chooseBfloat16({ thread, heap, blas, cache, requested }: Surroundings): Bfloat16Choice {
  const given = parse(requested, blas);
  if (given !== undefined) return { product: given, speed: null };
  // The float32 product of another library, processor or version of Node has another speed.
  const processor = cpus()[0]?.model.trim() ?? process.arch;
  const key = [processor, blas?.description ?? 'no BLAS', `node ${process.version}`].join(', ');
  const before = rememberedChoice(cache, key);
  if (before !== null) return before;
  const times = measure(thread, heap, blas?.bfloat16 != null);
  const { float32, widened, library } = times;
  const choice: MeasuredChoice =
    library !== null && library * MARGIN < widened
      ? { product: 'library', speed: float32 / library }
      : { product: 'widened', speed: float32 / widened };
  // Workers that start at the same time measure at the same time, and then take the choice of the first.
  const first = rememberedChoice(cache, key);
  if (first !== null) return first;
  rememberChoice(cache, key, choice);
  return choice;
}

function parse(requested: string | undefined, blas: BlasLibrary | null): Bfloat16Product | undefined {
  const product = BFLOAT16_PRODUCTS.find((name) => name === requested);
  if (requested !== undefined && product === undefined) {
    throw new UsageError(`VITMIM_BFLOAT16=${requested}: expected ${BFLOAT16_PRODUCTS.join(' or ')}`);
  }
  if (product === 'library' && blas?.bfloat16 == null) {
    const library = blas === null ? 'there is no BLAS' : `${blas.description} does not multiply in bfloat16`;
    throw new UsageError(
      `VITMIM_BFLOAT16=library: ${library}; install MKL by \`vitmim blas install mkl\`, or use widened`,
    );
  }
  return product;
}

interface Times {
  readonly float32: number;
  readonly widened: number;
  /** null: the library has no such product. */
  readonly library: number | null;
}

/** Milliseconds of each product: the shortest of several rounds, in turn. */
function measure(thread: Thread, heap: SharedHeap, hasLibrary: boolean): Times {
  const { m, n, k } = SIZES;
  const [a, b, c] = [heap.allocate(4 * m * k), heap.allocate(4 * k * n), heap.allocate(4 * m * n)];
  // Also as two bfloat16 these are ordinary numbers; subnormal ones could be slower.
  heap.floats(a, m * k).fill(1.5);
  heap.floats(b, k * n).fill(1.5);
  const time = (gemm: Gemm): number => {
    const begin = performance.now();
    gemm({ m, n, k, a, b, c, lda: k, ldb: n, ldc: n });
    return performance.now() - begin;
  };
  const rounds = Array.from({ length: ROUNDS }, () => ({
    float32: time(thread.gemm),
    widened: time(thread.bfloat16Gemm.widened),
    library: hasLibrary ? time(thread.bfloat16Gemm.library) : null,
  }));
  for (const address of [a, b, c]) heap.free(address);
  const shortest = (name: 'float32' | 'widened'): number => Math.min(...rounds.map((round) => round[name]));
  return {
    float32: shortest('float32'),
    widened: shortest('widened'),
    library: hasLibrary ? Math.min(...rounds.map(({ library }) => library!)) : null,
  };
}
