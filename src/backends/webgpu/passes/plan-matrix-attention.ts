/** Whether matrix units can compute attention of some sizes, and how its work and its workgroup memory are divided. */
import type { AttentionSizes } from './attention-parts.js';
import { PACK, SIDE, type MatrixUnits, type WorkgroupLimits } from './matrix-units.js';

export type AttentionPass = 'forward' | 'queries' | 'keysAndValues';

/** Rows of tokens: parts of qkv, and the gradient of the result. */
export type Rows = 'query' | 'key' | 'value' | 'dy';

/** The products of a pass. They decide its code and its use of workgroup memory. */
export interface Products {
  /** Rows of the own tokens, which stay in matrices. */
  readonly own: readonly Rows[];
  /**
   * Rows that are read in chunks, with the number of chunks in memory: 2 if one is still in use while the next is
   * multiplied.
   */
  readonly met: Readonly<Partial<Record<Rows, 1 | 2>>>;
  /** Own rows times met rows, transposed: in float32. */
  readonly scores: readonly (readonly [own: Rows, met: Rows])[];
  /** Met rows that are summed, each with its own weights: in float16. */
  readonly sums: readonly Rows[];
}

export const PRODUCTS: Readonly<Record<AttentionPass, Products>> = {
  forward: {
    own: ['query'],
    met: { key: 1, value: 1 },
    scores: [['query', 'key']],
    sums: ['value'],
  },
  queries: {
    own: ['query', 'dy'],
    met: { key: 2, value: 1 },
    scores: [
      ['query', 'key'],
      ['dy', 'value'],
    ],
    sums: ['key'],
  },
  keysAndValues: {
    own: ['key', 'value'],
    met: { query: 2, dy: 2 },
    scores: [
      ['key', 'query'],
      ['value', 'dy'],
    ],
    sums: ['dy', 'query'],
  },
};

/** Wider heads would need more registers than there are. */
const LARGEST_SIZE = 128;

/** How the work is divided. */
export interface MatrixAttentionPlan {
  /** Subgroups of a workgroup. Each owns 16 tokens. */
  readonly subgroups: number;
  /** Number of tokens in a chunk. */
  readonly chunk: number;
  readonly threads: number;
  readonly groups: readonly [number, number, number];
}

/**
 * @returns null if matrix units cannot compute it: heads that are too wide or not a multiple of a matrix, fewer than 16
 * tokens, or subgroups that cannot divide 16 rows evenly.
 */
export function planMatrixAttention(
  units: MatrixUnits,
  sizes: AttentionSizes,
  limits: WorkgroupLimits,
): Readonly<Record<AttentionPass, MatrixAttentionPlan>> | null {
  const { tokens, size } = sizes;
  if (size % SIDE !== 0 || size > LARGEST_SIZE || tokens < SIDE || units.lanes % SIDE !== 0) return null;
  const [forward, queries, keysAndValues] = (['forward', 'queries', 'keysAndValues'] as const).map((pass) =>
    planPass(pass, units, sizes, limits),
  );
  return forward && queries && keysAndValues ? { forward, queries, keysAndValues } : null;
}

/**
 * A processor of a GPU has little more workgroup memory for all its workgroups than the limit of one: on an H200 some
 * 50 kB and 48 kB, as measured. The plan computes as many tiles at once as fit in it, and none twice. Among equal plans
 * it chooses the larger chunks, which need fewer barriers.
 */
function planPass(
  pass: AttentionPass,
  { lanes }: MatrixUnits,
  sizes: AttentionSizes,
  { maxComputeWorkgroupStorageSize: memory, maxComputeInvocationsPerWorkgroup: invocations }: WorkgroupLimits,
): MatrixAttentionPlan | null {
  const tiles = Math.ceil(sizes.tokens / SIDE);
  const most = Math.min(tiles, MOST_SUBGROUPS, Math.floor(invocations / lanes));
  let best: { plan: MatrixAttentionPlan; tilesAtOnce: number } | null = null;
  for (const chunk of CHUNKS) {
    for (let subgroups = 1; subgroups <= most; subgroups++) {
      const workgroups = Math.floor(memory / bytesOf(pass, sizes, subgroups, chunk, lanes));
      const groups = [Math.ceil(tiles / subgroups), sizes.heads, sizes.batch] as const;
      // The tiles of a head that this many workgroups compute.
      const tilesAtOnce = (workgroups * tiles) / groups[0];
      if (workgroups > 0 && tilesAtOnce > (best?.tilesAtOnce ?? 0)) {
        best = { plan: { subgroups, chunk, threads: lanes * subgroups, groups }, tilesAtOnce };
      }
    }
  }
  return best?.plan ?? null;
}

/** Candidates for the tokens of a chunk, and the most subgroups of a workgroup: larger numbers were slower. */
const CHUNKS = [32, 16] as const;
const MOST_SUBGROUPS = 8;

/** Vectors from row to row: an odd number, so that eight rows that are read together lie in different memory banks. */
export const stagedStride = (size: number): number => size / PACK + 1;
export const scoreStride = (chunk: number): number => chunk / 4 + 1;
export const weightStride = (chunk: number): number => chunk / PACK + 1;

/** Bytes of workgroup memory. */
function bytesOf(
  pass: AttentionPass,
  { size }: AttentionSizes,
  subgroups: number,
  chunk: number,
  lanes: number,
): number {
  const { met, scores, sums } = PRODUCTS[pass];
  const staged = Object.values(met).reduce((sum, slots) => sum + slots, 0) * chunk * stagedStride(size);
  const ofSubgroup = SIDE * (scores.length * scoreStride(chunk) + sums.length * weightStride(chunk));
  return 16 * (staged + subgroups * ofSubgroup) + 4 * sharedNumbers(pass, chunk, lanes * subgroups);
}

/**
 * Numbers in workgroup memory: the largest score and the sum, or one sum, of each invocation; or two of each query in a
 * chunk.
 */
const sharedNumbers = (pass: AttentionPass, chunk: number, threads: number): number =>
  pass === 'keysAndValues' ? 2 * chunk : pass === 'forward' ? 2 * threads : threads;
