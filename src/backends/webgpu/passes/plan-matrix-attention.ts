/** Whether matrix units can do attention of some sizes, and how its work and its workgroup memory are laid out. */
import type { AttentionSizes } from './attention.js';
import { PACK, SIDE, type MatrixUnits, type WorkgroupLimits } from './matrix-units.js';

export type AttentionPass = 'forward' | 'queries' | 'keysAndValues';

/** Rows of tokens: parts of qkv, and the gradient of what comes out. */
export type Rows = 'query' | 'key' | 'value' | 'dy';

/** What is multiplied in a pass: the shape of its code, and what it holds in workgroup memory. */
interface Products {
  /** Of own tokens, in matrices throughout. */
  readonly own: readonly Rows[];
  /** Of tokens that pass by, in chunks: 2 where one is still multiplied while the next is. */
  readonly met: Readonly<Partial<Record<Rows, 1 | 2>>>;
  /** Own rows times those that are met, transposed: in float32. */
  readonly scores: readonly (readonly [own: Rows, met: Rows])[];
  /** Met rows whose sums are formed, each with weights of its own: in float16. */
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

/** Heads beyond want more registers than there are. */
const LARGEST_SIZE = 128;

/** How the work is cut. */
export interface MatrixAttentionPlan {
  /** Of a workgroup; each owns 16 tokens. */
  readonly subgroups: number;
  /** Tokens that pass by at a time. */
  readonly chunk: number;
  readonly threads: number;
  readonly groups: readonly [number, number, number];
}

/**
 * @returns null where matrix units cannot do it: heads of no whole number of matrices or too large, fewer than 16
 * tokens, or subgroups that do not share 16 rows evenly.
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
 * A processor of a card has little more workgroup memory for all its workgroups than one of them may ask for: on an H200
 * some 50 kB and 48, as measured. As many tiles as possible shall be computed in it at once, and none twice; where that is
 * even, larger chunks have fewer barriers.
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
      // Of each head's tiles, those of so many workgroups.
      const tilesAtOnce = (workgroups * tiles) / groups[0];
      if (workgroups > 0 && tilesAtOnce > (best?.tilesAtOnce ?? 0)) {
        best = { plan: { subgroups, chunk, threads: lanes * subgroups, groups }, tilesAtOnce };
      }
    }
  }
  return best?.plan ?? null;
}

/** Tokens of a chunk, and subgroups of a workgroup, of which more were slower. */
const CHUNKS = [32, 16] as const;
const MOST_SUBGROUPS = 8;

/** Vectors from row to row: an odd number, so that eight rows that are read together lie in different banks. */
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

/** What rows have found, of each invocation: the largest score and the sum, or one sum; or two numbers of a met query. */
const sharedNumbers = (pass: AttentionPass, chunk: number, threads: number): number =>
  pass === 'keysAndValues' ? 2 * chunk : pass === 'forward' ? 2 * threads : threads;
