/**
 * The parts of the attention shaders on matrix units: copies of chunks of tokens to workgroup memory, their products
 * with the own tokens of each subgroup, and sums over them. Matrices are read from workgroup memory; otherwise each
 * subgroup would read them from the buffer again, in many small reads.
 */
import type { Shader } from '../pass.js';
import type { AttentionSizes } from './attention-parts.js';
import { matrixCode, PACK, SIDE, type MatrixCode, type MatrixUnitKind } from './matrix-units.js';
import {
  PRODUCTS,
  scoreStride,
  stagedStride,
  weightStride,
  type AttentionPass,
  type MatrixAttentionPlan,
  type Products,
  type Rows,
} from './plan-matrix-attention.js';
import { repeat } from './unroll.js';

/** All that the code of a pass depends on. */
export type MatrixAttentionSizes = AttentionSizes & MatrixUnitKind & { readonly plan: MatrixAttentionPlan };

/** Index of each kind of rows in qkv. */
export const PART: Readonly<Record<Exclude<Rows, 'dy'>, number>> = { query: 0, key: 1, value: 2 };

/** Numbers that the pieces share. */
interface Geometry {
  readonly sizes: MatrixAttentionSizes;
  readonly products: Products;
  readonly unit: MatrixCode;
  /** Matrices along a head, and along a chunk. */
  readonly features: number;
  readonly steps: number;
  /** Width of all heads. */
  readonly dim: number;
  /** Invocations that share a row. */
  readonly sharers: number;
  /** Vectors from row to row. */
  readonly stagedRow: number;
  readonly scoreRow: number;
  readonly weightRow: number;
  /** Vectors of a staged chunk, and the place of the chunks of each kind of rows, counted in chunks. */
  readonly slot: number;
  readonly slots: ReadonlyMap<Rows, { first: number; count: number }>;
  /** Vectors of a subgroup's scores, and of its weights. */
  readonly scoreRegion: number;
  readonly weightRegion: number;
}

function geometryOf(sizes: MatrixAttentionSizes, pass: AttentionPass): Geometry {
  const products = PRODUCTS[pass];
  const { size, heads, lanes, plan } = sizes;
  const stagedRow = stagedStride(size);
  const scoreRow = scoreStride(plan.chunk);
  const weightRow = weightStride(plan.chunk);
  return {
    sizes,
    products,
    unit: matrixCode(sizes, { packed: [...memoriesOf(products.own), 'staged', 'weights'], sums: ['scores'] }),
    features: size / SIDE,
    steps: plan.chunk / SIDE,
    dim: heads * size,
    sharers: lanes / SIDE,
    ...{ stagedRow, scoreRow, weightRow },
    slot: plan.chunk * stagedRow,
    slots: layOut(products.met),
    scoreRegion: products.scores.length * SIDE * scoreRow,
    weightRegion: products.sums.length * SIDE * weightRow,
  };
}

export type Parts = ReturnType<typeof matrixAttentionParts>;

/**
 * Pieces of WGSL for a pass. In the scope of all are `row`, one of the subgroup's 16; `share`, the number of the
 * invocation among those of the row; `ownToken`, the row's token; and `first` and `head`, the offsets of the image and
 * of the head.
 */
export function matrixAttentionParts(sizes: MatrixAttentionSizes, pass: AttentionPass) {
  const geometry = geometryOf(sizes, pass);
  const { threads, groups, chunk } = sizes.plan;
  const { unit, sharers } = geometry;
  return {
    chunks: Math.ceil(sizes.tokens / chunk),
    /** From the buffer to registers. */
    fetch: (rows: Rows, at: string) => fetch(geometry, rows, at),
    /** From registers to workgroup memory. */
    put: (rows: Rows, at: string) => put(geometry, rows, at),
    multiply: (which: { scoresOf?: string; sumsOf?: string }) => multiply(geometry, which),
    eachPack: (body: string) => eachPack(geometry, body),
    score: (product: number, half: 0 | 1) => score(geometry, product, half),
    setWeights: (product: number, front: string, back: string) => setWeights(geometry, product, front, back),
    cut: (front: string, back: string) => cut(sizes, front, back),
    /** The values that the invocations of a row have stored in an array, joined. */
    ofRow: (array: string, row: string, join: (a: string, b: string) => string): string =>
      Array.from({ length: sharers }, (_, i) => `${array}[subgroup * ${sizes.lanes}u + ${row} + ${i * SIDE}u]`).reduce(
        join,
      ),
    drain: (rows: Rows, write: string) => drain(geometry, rows, write),
    shader: (own: string, body: string): Shader => ({
      ...{ threads, groups, extensions: unit.extensions, parameters: unit.parameters },
      declarations: `${declarations(geometry)}\n${own}`,
      body: `${begin(geometry)}\n${body}`,
    }),
  };
}

function declarations({ sizes, products, unit, slot, scoreRegion, weightRegion }: Geometry): string {
  const { subgroups } = sizes.plan;
  const staged = Object.values(products.met).reduce((a, b) => a + b, 0) * slot;
  return `
    var<workgroup> staged: array<vec4<u32>, ${staged}>;
    var<workgroup> scores: array<vec4<f32>, ${subgroups * scoreRegion}>;
    var<workgroup> weights: array<vec4<u32>, ${subgroups * weightRegion}>;
    ${unit.declarations}
    fn pack(a: vec4<f32>, b: vec4<f32>) -> vec4<u32> {
      return vec4<u32>(pack2x16float(a.xy), pack2x16float(a.zw), pack2x16float(b.xy), pack2x16float(b.zw));
    }`;
}

function begin(geometry: Geometry): string {
  const { sizes, products, unit, features, slots, scoreRegion, weightRegion } = geometry;
  const { tokens, heads, size, plan } = sizes;
  const loadOwn = (rows: Rows, f: number): string => {
    const at = `${place(geometry, rows, 'ownFirst')} + ${(f * SIDE) / PACK}u`;
    return `let ${rows}${f} = ${unit.load('left', memoryOf(rows), at, widthOf(geometry, rows), 'rows')};`;
  };
  return `
    ${unit.begin}
    let first = group.z * ${tokens}u;
    let head = group.y * ${size / PACK}u;
    let statistics = (group.z * ${heads}u + group.y) * ${tokens}u;
    // If the tokens are no multiple of the tile, the last tile overlaps the one before: those results are written twice.
    let ownFirst = min((group.x * ${plan.subgroups}u + subgroup) * ${SIDE}u, ${tokens - SIDE}u);
    // Eight invocations that read together have different rows.
    let row = lane % ${SIDE}u;
    let share = lane / ${SIDE}u;
    let ownToken = ownFirst + row;
    let ownScores = subgroup * ${scoreRegion}u;
    let ownWeights = subgroup * ${weightRegion}u;
    ${products.own.map((rows) => repeat(features, (f) => loadOwn(rows, f))).join('\n')}
    ${products.sums.map((rows) => repeat(features, (f) => `var ${sumOf(rows)}${f} = ${unit.sum}();`)).join('\n')}
    ${[...slots.keys()].map((rows) => repeat(vectorsOf(sizes), (i) => `var ${rows}Vector${i} = vec4<u32>(0u);`)).join('\n')}`;
}

/** Vectors of a token in the buffer. */
const widthOf = ({ dim }: Geometry, rows: Rows): number => (rows === 'dy' ? dim : 3 * dim) / PACK;

/** The index in the buffer of a token's rows. */
const place = (geometry: Geometry, rows: Rows, token: string): string =>
  `(first + ${token}) * ${widthOf(geometry, rows)}u + head + ${rows === 'dy' ? 0 : (PART[rows] * geometry.dim) / PACK}u`;

/** The index in workgroup memory of a chunk of rows. */
function stage({ slot, slots }: Geometry, rows: Rows, at: string): string {
  const { first, count } = slots.get(rows)!;
  return count === 1 ? `${first * slot}u` : `(${first * slot}u + (${at}) % ${count}u * ${slot}u)`;
}

/** Vectors of a chunk that an invocation copies. */
const vectorsOf = ({ size, plan: { chunk, threads } }: MatrixAttentionSizes): number =>
  Math.ceil((chunk * size) / PACK / threads);

/** For each of them: its token in the chunk, `outer`, and its index in the token's row, `inner`. */
function eachVector(sizes: MatrixAttentionSizes, code: (i: number) => string): string {
  const { size, plan } = sizes;
  const { chunk, threads } = plan;
  const count = (chunk * size) / PACK;
  return repeat(vectorsOf(sizes), (i) => {
    const body = `let at = thread + ${i * threads}u; let outer = at / ${size / PACK}u; let inner = at % ${size / PACK}u; ${code(i)}`;
    return (i + 1) * threads <= count ? `{ ${body} }` : `if (thread + ${i * threads}u < ${count}u) { ${body} }`;
  });
}

/** Beyond the last token reads that one once more, whose scores change no maximum. */
const fetch = (geometry: Geometry, rows: Rows, at: string): string =>
  eachVector(geometry.sizes, (i) => {
    const { tokens, plan } = geometry.sizes;
    const token = `min((${at}) * ${plan.chunk}u + outer, ${tokens - 1}u)`;
    return `${rows}Vector${i} = ${memoryOf(rows)}[${place(geometry, rows, token)} + inner];`;
  });

const put = (geometry: Geometry, rows: Rows, at: string): string =>
  eachVector(
    geometry.sizes,
    (i) => `staged[${stage(geometry, rows, at)} + outer * ${geometry.stagedRow}u + inner] = ${rows}Vector${i};`,
  );

/**
 * All multiplications between two barriers: scores with one chunk, which are stored in workgroup memory, and sums over
 * the chunk before, whose weights are there. They are interleaved, since each score is a chain of products in which
 * each waits for the one before.
 */
function multiply(geometry: Geometry, { scoresOf, sumsOf }: { scoresOf?: string; sumsOf?: string }): string {
  const { unit, products, features, steps, scoreRow, weightRow } = geometry;
  const { scores, sums } = products;
  const weight = (p: number, k: number): string =>
    unit.load('left', 'weights', `ownWeights + ${p * SIDE * weightRow + (k * SIDE) / PACK}u`, weightRow, 'rows');
  const store = (p: number, j: number): string =>
    unit.store('scores', `ownScores + ${p * SIDE * scoreRow + (j * SIDE) / 4}u`, `score${p}x${j}`, scoreRow);
  const eachScore = (code: (p: number, j: number) => string): string =>
    scoresOf === undefined ? '' : repeat(scores.length, (p) => repeat(steps, (j) => code(p, j)));
  const eachWeight = (code: (p: number, k: number) => string): string =>
    sumsOf === undefined ? '' : repeat(sums.length, (p) => repeat(steps, (k) => code(p, k)));
  const addBoth = (f: number): string =>
    [
      scoresOf === undefined ? '' : addScores(geometry, scoresOf, f),
      sumsOf === undefined ? '' : addSums(geometry, sumsOf, f),
    ].join('\n');
  return `{
    ${eachWeight((p, k) => `let weight${p}x${k} = ${weight(p, k)};`)}
    ${eachScore((p, j) => `var score${p}x${j} = ${unit.sum}();`)}
    ${repeat(features, addBoth)}
    ${eachScore(store)}
  }`;
}

/** The right factor of a product with a staged chunk. */
const staged = (
  geometry: Geometry,
  rows: Rows,
  at: string,
  step: number,
  f: number,
  order: 'rows' | 'columns',
): string => {
  const { unit, stagedRow } = geometry;
  const offset = `${stage(geometry, rows, at)} + ${step * SIDE * stagedRow + (f * SIDE) / PACK}u`;
  return unit.load('right', 'staged', offset, stagedRow, order);
};

const addScores = (geometry: Geometry, at: string, f: number): string =>
  geometry.products.scores
    .map(([left, rows], p) =>
      repeat(geometry.steps, (j) => {
        const score = `score${p}x${j}`;
        return `${score} = ${geometry.unit.multiplyAdd(`${left}${f}`, staged(geometry, rows, at, j, f, 'columns'), score)};`;
      }),
    )
    .join('\n');

const addSums = (geometry: Geometry, at: string, f: number): string =>
  geometry.products.sums
    .map((rows, p) =>
      repeat(geometry.steps, (k) => {
        const sum = `${sumOf(rows)}${f}`;
        return `${sum} = ${geometry.unit.multiplyAdd(`weight${p}x${k}`, staged(geometry, rows, at, k, f, 'rows'), sum)};`;
      }),
    )
    .join('\n');

/**
 * For each eight tokens of the chunk in the invocation's share of its row: `at`, their index in the chunk, in units of
 * eight.
 */
function eachPack({ sizes, sharers }: Geometry, body: string): string {
  const packs = sizes.plan.chunk / PACK;
  return repeat(Math.ceil(packs / sharers), (i) => {
    const all = (i + 1) * sharers <= packs;
    const at = `share + ${i * sharers}u`;
    return `${all ? '' : `if (${at} < ${packs}u)`} { let at = ${at}; ${body} }`;
  });
}

/** The scores of such eight tokens, as two vectors. */
const score = ({ scoreRow }: Geometry, product: number, half: 0 | 1): string =>
  `scores[ownScores + row * ${scoreRow}u + 2u * at + ${product * SIDE * scoreRow + half}u]`;

const setWeights = ({ weightRow }: Geometry, product: number, front: string, back: string): string =>
  `weights[ownWeights + row * ${weightRow}u + at + ${product * SIDE * weightRow}u] = pack(${front}, ${back});`;

/** In the last chunk, sets the weights beyond the last token to 0. */
function cut({ tokens, plan }: MatrixAttentionSizes, front: string, back: string): string {
  const left = tokens % plan.chunk;
  if (left === 0) return '';
  const within = (half: number): string =>
    `${PACK}u * at + vec4<u32>(${[0, 1, 2, 3].map((i) => `${4 * half + i}u`).join(', ')}) < vec4<u32>(${left}u)`;
  return [front, back].map((four, half) => `${four} = select(vec4<f32>(0.0), ${four}, ${within(half)});`).join('\n');
}

/**
 * Writes sums through the memory of the scores, as many columns at a time as fit. A barrier is required before it.
 *
 * @param write Writes eight values, from `scores[source]` on. `token` and `column`, which counts such eights, are in
 *   scope.
 */
function drain({ sizes, products, unit, features, steps }: Geometry, rows: Rows, write: string): string {
  const most = Math.min(features, products.scores.length * steps);
  return repeat(Math.ceil(features / most), (i) => {
    const from = i * most;
    const count = Math.min(most, features - from);
    const [stride, across] = [scoreStride(count * SIDE), (count * SIDE) / PACK];
    return `
      ${repeat(count, (f) => unit.store('scores', `ownScores + ${(f * SIDE) / 4}u`, `${sumOf(rows)}${from + f}`, stride))}
      workgroupBarrier();
      for (var at = lane; at < ${SIDE * across}u; at += ${sizes.lanes}u) {
        let row = at / ${across}u;
        let token = ownFirst + row;
        let column = ${(from * SIDE) / PACK}u + at % ${across}u;
        let source = ownScores + row * ${stride}u + at % ${across}u * 2u;
        ${write}
      }
      workgroupBarrier();`;
  });
}

const memoryOf = (rows: Rows): 'qkv' | 'dy' => (rows === 'dy' ? 'dy' : 'qkv');
const memoriesOf = (all: readonly Rows[]): ('qkv' | 'dy')[] => [...new Set(all.map(memoryOf))];
const sumOf = (rows: Rows): string => `${rows}Sum`;

/** The index of the first chunk of each kind of rows, and their number, both counted in chunks. */
function layOut(met: Readonly<Partial<Record<Rows, 1 | 2>>>): Map<Rows, { first: number; count: number }> {
  const places = new Map<Rows, { first: number; count: number }>();
  let first = 0;
  for (const [rows, count] of Object.entries(met) as [Rows, number][]) {
    places.set(rows, { first, count });
    first += count;
  }
  return places;
}
