/**
 * What the attention passes on matrix units are made of: chunks of tokens that pass by through workgroup memory, their
 * products with the own tokens of each subgroup, and sums of them. Matrices are read from workgroup memory, since from a
 * buffer each subgroup would bring them again, in many small reads.
 */
import type { Code } from '../pass.js';
import type { AttentionSizes } from './attention.js';
import { matrixCode, PACK, SIDE, type MatrixUnits } from './matrix-units.js';
import {
  PRODUCTS,
  scoreStride,
  stagedStride,
  weightStride,
  type AttentionPass,
  type MatrixAttentionPlan,
  type Rows,
} from './plan-matrix-attention.js';
import { repeat } from './unroll.js';

export type Parts = ReturnType<typeof attentionParts>;

/** Where rows lie in qkv. */
export const PART: Readonly<Record<Exclude<Rows, 'dy'>, number>> = { query: 0, key: 1, value: 2 };

/**
 * Pieces of WGSL for a pass. In the scope of all of them are `row`, one of the subgroup's 16, `share`, the invocation's
 * among those of the row, `ownToken`, the row's token, and `first` and `head`, where the image and the head begin.
 */
export function attentionParts(
  units: MatrixUnits,
  { tokens, heads, size }: AttentionSizes,
  pass: AttentionPass,
  { subgroups, chunk, threads }: MatrixAttentionPlan,
) {
  const { own, met, scores, sums } = PRODUCTS[pass];
  const unit = matrixCode(units, { packed: [...memoriesOf(own), 'staged', 'weights'], sums: ['scores'] });
  const features = size / SIDE;
  const steps = chunk / SIDE;
  const dim = heads * size;
  /** Invocations that share a row. */
  const sharers = units.lanes / SIDE;
  const [stagedRow, scoreRow, weightRow] = [stagedStride(size), scoreStride(chunk), weightStride(chunk)];
  const slot = chunk * stagedRow;
  const slots = layOut(met);
  const [scoreRegion, weightRegion] = [scores.length * SIDE * scoreRow, sums.length * SIDE * weightRow];

  const widthOf = (rows: Rows): number => (rows === 'dy' ? dim : 3 * dim) / PACK;
  const place = (rows: Rows, token: string): string =>
    `(first + ${token}) * ${widthOf(rows)}u + head + ${rows === 'dy' ? 0 : (PART[rows] * dim) / PACK}u`;
  /** Where a chunk of rows is staged. */
  const stage = (rows: Rows, at: string): string => {
    const { first, count } = slots.get(rows)!;
    return count === 1 ? `${first * slot}u` : `(${first * slot}u + (${at}) % ${count}u * ${slot}u)`;
  };

  const declarations = `
    var<workgroup> staged: array<vec4<u32>, ${Object.values(met).reduce((a, b) => a + b, 0) * slot}>;
    var<workgroup> scores: array<vec4<f32>, ${subgroups * scoreRegion}>;
    var<workgroup> weights: array<vec4<u32>, ${subgroups * weightRegion}>;
    ${unit.declarations}
    fn pack(a: vec4<f32>, b: vec4<f32>) -> vec4<u32> {
      return vec4<u32>(pack2x16float(a.xy), pack2x16float(a.zw), pack2x16float(b.xy), pack2x16float(b.zw));
    }`;

  const begin = `
    ${unit.begin}
    let first = group.z * ${tokens}u;
    let head = group.y * ${size / PACK}u;
    let statistics = (group.z * ${heads}u + group.y) * ${tokens}u;
    // The last tile overlaps the one before it where tokens are no whole number of them: results are written twice.
    let ownFirst = min((group.x * ${subgroups}u + subgroup) * ${SIDE}u, ${tokens - SIDE}u);
    // Of eight invocations that read together, each has a row of its own.
    let row = lane % ${SIDE}u;
    let share = lane / ${SIDE}u;
    let ownToken = ownFirst + row;
    let ownScores = subgroup * ${scoreRegion}u;
    let ownWeights = subgroup * ${weightRegion}u;
    ${own.map((rows) => repeat(features, (f) => `let ${rows}${f} = ${unit.load('left', memoryOf(rows), `${place(rows, 'ownFirst')} + ${(f * SIDE) / PACK}u`, widthOf(rows), 'rows')};`)).join('\n')}
    ${sums.map((rows) => repeat(features, (f) => `var ${sumOf(rows)}${f} = ${unit.sum}();`)).join('\n')}
    ${[...slots.keys()].map((rows) => repeat(vectors(), (i) => `var ${rows}Vector${i} = vec4<u32>(0u);`)).join('\n')}`;

  /** Vectors of a chunk that an invocation carries. */
  function vectors(): number {
    return Math.ceil((chunk * size) / PACK / threads);
  }
  /** For each of them: its token in the chunk, `outer`, and its place in the token's row, `inner`. */
  const eachVector = (code: (i: number) => string): string =>
    repeat(vectors(), (i) => {
      const count = (chunk * size) / PACK;
      const body = `let at = thread + ${i * threads}u; let outer = at / ${size / PACK}u; let inner = at % ${size / PACK}u; ${code(i)}`;
      return (i + 1) * threads <= count ? `{ ${body} }` : `if (thread + ${i * threads}u < ${count}u) { ${body} }`;
    });

  /** From the buffer to registers. Beyond the last token it is met once more: its scores are no larger than others. */
  const fetch = (rows: Rows, at: string): string =>
    eachVector((i) => {
      const token = `min((${at}) * ${chunk}u + outer, ${tokens - 1}u)`;
      return `${rows}Vector${i} = ${memoryOf(rows)}[${place(rows, token)} + inner];`;
    });

  /** From registers to workgroup memory. */
  const put = (rows: Rows, at: string): string =>
    eachVector((i) => `staged[${stage(rows, at)} + outer * ${stagedRow}u + inner] = ${rows}Vector${i};`);

  /**
   * All that is multiplied between two barriers: scores with one chunk, which are left in workgroup memory, and sums over
   * the one before it, whose weights lie there. They are interleaved, since each score is a chain of products that wait
   * for each other.
   */
  function multiply({ scoresOf, sumsOf }: { scoresOf?: string; sumsOf?: string }): string {
    const right = (rows: Rows, at: string, step: number, f: number, order: 'rows' | 'columns'): string =>
      unit.load(
        'right',
        'staged',
        `${stage(rows, at)} + ${step * SIDE * stagedRow + (f * SIDE) / PACK}u`,
        stagedRow,
        order,
      );
    const addScores = (at: string, f: number): string =>
      scores
        .map(([left, rows], p) =>
          repeat(
            steps,
            (j) =>
              `score${p}x${j} = ${unit.multiplyAdd(`${left}${f}`, right(rows, at, j, f, 'columns'), `score${p}x${j}`)};`,
          ),
        )
        .join('\n');
    const addSums = (at: string, f: number): string =>
      sums
        .map((rows, p) =>
          repeat(steps, (k) => {
            const sum = `${sumOf(rows)}${f}`;
            return `${sum} = ${unit.multiplyAdd(`weight${p}x${k}`, right(rows, at, k, f, 'rows'), sum)};`;
          }),
        )
        .join('\n');
    const weight = (p: number, k: number): string =>
      unit.load('left', 'weights', `ownWeights + ${p * SIDE * weightRow + (k * SIDE) / PACK}u`, weightRow, 'rows');
    const store = (p: number, j: number): string =>
      unit.store('scores', `ownScores + ${p * SIDE * scoreRow + (j * SIDE) / 4}u`, `score${p}x${j}`, scoreRow);
    const eachScore = (code: (p: number, j: number) => string): string =>
      scoresOf === undefined ? '' : repeat(scores.length, (p) => repeat(steps, (j) => code(p, j)));
    return `{
      ${sumsOf === undefined ? '' : repeat(sums.length, (p) => repeat(steps, (k) => `let weight${p}x${k} = ${weight(p, k)};`))}
      ${eachScore((p, j) => `var score${p}x${j} = ${unit.sum}();`)}
      ${repeat(features, (f) => [scoresOf === undefined ? '' : addScores(scoresOf, f), sumsOf === undefined ? '' : addSums(sumsOf, f)].join('\n'))}
      ${eachScore(store)}
    }`;
  }

  /** For each eight tokens of the chunk that are the invocation's share of its row: `at`, their place among all of it. */
  const eachPack = (body: string): string =>
    repeat(Math.ceil(chunk / PACK / sharers), (i) => {
      const all = (i + 1) * sharers <= chunk / PACK;
      const at = `share + ${i * sharers}u`;
      return `${all ? '' : `if (${at} < ${chunk / PACK}u)`} { let at = ${at}; ${body} }`;
    });
  /** The scores of such eight, as two vectors. */
  const score = (p: number, half: 0 | 1): string =>
    `scores[ownScores + row * ${scoreRow}u + 2u * at + ${p * SIDE * scoreRow + half}u]`;
  const setWeights = (p: number, front: string, back: string): string =>
    `weights[ownWeights + row * ${weightRow}u + at + ${p * SIDE * weightRow}u] = pack(${front}, ${back});`;
  /** In the last chunk, leaves 0 of weights beyond the last token. */
  const cut = (front: string, back: string): string => {
    const left = tokens % chunk;
    if (left === 0) return '';
    const within = (half: number): string =>
      `${PACK}u * at + vec4<u32>(${[0, 1, 2, 3].map((i) => `${4 * half + i}u`).join(', ')}) < vec4<u32>(${left}u)`;
    return [front, back].map((four, half) => `${four} = select(vec4<f32>(0.0), ${four}, ${within(half)});`).join('\n');
  };

  /** What the invocations of a row have left in an array, joined. */
  const ofRow = (array: string, row: string, join: (a: string, b: string) => string): string =>
    Array.from({ length: sharers }, (_, i) => `${array}[subgroup * ${units.lanes}u + ${row} + ${i * SIDE}u]`).reduce(
      join,
    );

  /**
   * Sums, through the memory of the scores, as many columns at a time as there is room for. There is a barrier before.
   *
   * @param write Finds eight from `scores[source]` on, and has `token` and `column`, which counts such eights.
   */
  function drain(rows: Rows, write: string): string {
    const most = Math.min(features, scores.length * steps);
    return repeat(Math.ceil(features / most), (i) => {
      const from = i * most;
      const count = Math.min(most, features - from);
      const [stride, across] = [scoreStride(count * SIDE), (count * SIDE) / PACK];
      return `
        ${repeat(count, (f) => unit.store('scores', `ownScores + ${(f * SIDE) / 4}u`, `${sumOf(rows)}${from + f}`, stride))}
        workgroupBarrier();
        for (var at = lane; at < ${SIDE * across}u; at += ${units.lanes}u) {
          let row = at / ${across}u;
          let token = ownFirst + row;
          let column = ${(from * SIDE) / PACK}u + at % ${across}u;
          let source = ownScores + row * ${stride}u + at % ${across}u * 2u;
          ${write}
        }
        workgroupBarrier();`;
    });
  }

  const shader = (own: string, body: string): Code => ({
    extensions: unit.extensions,
    parameters: unit.parameters,
    declarations: `${declarations}\n${own}`,
    body: `${begin}\n${body}`,
  });

  return {
    chunks: Math.ceil(tokens / chunk),
    fetch,
    put,
    multiply,
    eachPack,
    score,
    setWeights,
    cut,
    ofRow,
    drain,
    shader,
  };
}

const memoryOf = (rows: Rows): 'qkv' | 'dy' => (rows === 'dy' ? 'dy' : 'qkv');
const memoriesOf = (all: readonly Rows[]): ('qkv' | 'dy')[] => [...new Set(all.map(memoryOf))];
const sumOf = (rows: Rows): string => `${rows}Sum`;

/** Where the chunks of each kind of rows lie, counted in chunks, and how many there are. */
function layOut(met: Readonly<Partial<Record<Rows, 1 | 2>>>): Map<Rows, { first: number; count: number }> {
  const places = new Map<Rows, { first: number; count: number }>();
  let first = 0;
  for (const [rows, count] of Object.entries(met) as [Rows, number][]) {
    places.set(rows, { first, count });
    first += count;
  }
  return places;
}
