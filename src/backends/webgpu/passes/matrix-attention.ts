/**
 * Attention on matrix units, of qkv that is kept as float16. A workgroup owns one head's block of tokens, and holds their
 * scores with all others in workgroup memory, never outside it: in float32 as they come, in float16 as weights for the
 * next product.
 *
 * Tokens are met in matrices of 16. The last begins 16 before the end, and so overlaps the one before it where their
 * number is no multiple of 16: weights of tokens that were met already are set to 0, and results of them written twice.
 */
import type { Code } from '../pass.js';
import type { AttentionSizes } from './attention.js';
import { matrixCode, SIDE, type MatrixUnits, type Order } from './matrix-units.js';
import {
  matricesOf,
  PACK,
  scoreStride,
  SUBGROUPS,
  weightStride,
  type MatrixAttentionPlan,
} from './plan-matrix-attention.js';
import { inChunks, repeat } from './unroll.js';

type Memory = 'qkv' | 'dy';
type Part = 'query' | 'key' | 'value';
const PARTS: Readonly<Record<Part, number>> = { query: 0, key: 1, value: 2 };

/** Matrices of values that are asked for before the first of them is used, since each takes its time to come. */
const AHEAD = 4;
/** Likewise, tokens of which a subgroup has all features. */
const ROUNDS_AHEAD = 2;

export function matrixAttentionShaders(
  units: MatrixUnits,
  sizes: AttentionSizes,
  { owned, threads }: MatrixAttentionPlan,
) {
  const { tokens, heads, size } = sizes;
  const matrices = matricesOf(sizes);
  const overlap = SIDE * matrices - tokens;
  const features = size / SIDE;
  const rows = owned * SIDE;
  /** Invocations that share a row, and the packs of its weights. */
  const sharers = threads / rows;
  const packs = (SIDE * matrices) / PACK;
  const [scoreRow, weightRow] = [scoreStride(sizes), weightStride(sizes)];
  const dim = heads * size;
  const softmaxScale = 1 / Math.sqrt(size);

  /** Where the 16 × 16 matrices of a part of all tokens lie in qkv, or those of gradients and results. */
  const width = (memory: Memory): number => (memory === 'qkv' ? 3 * dim : dim) / PACK;
  const place = (memory: Memory, part: Part, token: string, feature: string): string =>
    `(first + ${token}) * ${width(memory)}u + head${memory === 'qkv' ? ` + ${(PARTS[part] * dim) / PACK}u` : ''} + ${feature}`;

  const common = (packed: readonly Memory[], forGradient: boolean) => {
    const unit = matrixCode(units, { packed: [...packed, 'weights'], sums: ['scores'] });
    const declarations = `
      var<workgroup> scores: array<vec4<f32>, ${rows * scoreRow}>;
      var<workgroup> weights: array<vec4<u32>, ${rows * weightRow}>;
      var<workgroup> shares: array<f32, ${threads}>;
      ${unit.declarations}
      // The first of the 16 tokens of a matrix.
      fn start(matrix: u32) -> u32 { return min(${SIDE}u * matrix, ${tokens - SIDE}u); }
      fn pack(a: vec4<f32>, b: vec4<f32>) -> vec4<u32> {
        return vec4<u32>(pack2x16float(a.xy), pack2x16float(a.zw), pack2x16float(b.xy), pack2x16float(b.zw));
      }`;
    const begin = `
      ${unit.begin}
      let first = group.z * ${tokens}u;
      let head = group.y * ${size / PACK}u;
      let statistics = (group.z * ${heads}u + group.y) * ${tokens}u;
      let ownMatrix = group.x * ${owned}u;
      let row = thread / ${sharers}u;
      let share = thread % ${sharers}u;
      let ownToken = start(ownMatrix + row / ${SIDE}u) + row % ${SIDE}u;
      ${forGradient ? 'let unscale = scale[1];' : ''}`;
    return { unit, declarations, begin };
  };
  type Common = ReturnType<typeof common>;
  const shader = ({ unit, declarations, begin }: Common, body: string, own = ''): Code => ({
    extensions: unit.extensions,
    parameters: unit.parameters,
    declarations: `${declarations}\n${own}`,
    body: `${begin}\n${body}`,
  });

  /** scores[own, others] = left·rightᵀ over the features of a head, a matrix at a time. */
  function multiplyWithAll({ unit }: Common, left: [Memory, Part], right: [Memory, Part]): string {
    const load = (
      factor: 'left' | 'right',
      [memory, part]: [Memory, Part],
      token: string,
      feature: number,
      order: Order,
    ) => unit.load(factor, memory, place(memory, part, token, `${(feature * SIDE) / PACK}u`), width(memory), order);
    return `{
      ${repeat(owned, (i) => repeat(features, (f) => `let left${i}x${f} = ${load('left', left, `start(ownMatrix + ${i}u)`, f, 'rows')};`))}
      ${inChunks(Math.ceil(matrices / SUBGROUPS), ROUNDS_AHEAD, (rounds) =>
        [
          ...rounds.map(
            (round, n) => `
            let other${n} = min((${round}) * ${SUBGROUPS}u + subgroup, ${matrices - 1}u);
            ${repeat(features, (f) => `let right${n}x${f} = ${load('right', right, `start(other${n})`, f, 'columns')};`)}`,
          ),
          ...rounds.map(
            (_, n) => `{
            ${repeat(owned, (i) => `var sum${i} = ${unit.sum}();`)}
            ${repeat(features, (f) => repeat(owned, (i) => `sum${i} = ${unit.multiplyAdd(`left${i}x${f}`, `right${n}x${f}`, `sum${i}`)};`))}
            ${repeat(owned, (i) => unit.store('scores', `${i * SIDE * scoreRow}u + other${n} * ${SIDE / 4}u`, `sum${i}`, scoreRow))}
          }`,
          ),
        ].join('\n'),
      )}
    }
    workgroupBarrier();`;
  }

  /** scores[own, features] = weights·right over all tokens. */
  function weighAll({ unit }: Common, [memory, part]: [Memory, Part]): string {
    return `{
      for (var round = 0u; round < ${Math.ceil(features / SUBGROUPS)}u; round++) {
        let feature = min(round * ${SUBGROUPS}u + subgroup, ${features - 1}u);
        ${repeat(owned, (i) => `var sum${i} = ${unit.sum}();`)}
        ${inChunks(matrices, AHEAD, (others) =>
          [
            ...others.map(
              (other, n) =>
                `let right${n} = ${unit.load('right', memory, place(memory, part, `start(${other})`, `feature * ${SIDE / PACK}u`), width(memory), 'rows')};`,
            ),
            ...others.flatMap((other, n) =>
              Array.from({ length: owned }, (_, i) => {
                const offset = `${i * SIDE * weightRow}u + (${other}) * ${SIDE / PACK}u`;
                return `sum${i} = ${unit.multiplyAdd(unit.load('left', 'weights', offset, weightRow, 'rows'), `right${n}`, `sum${i}`)};`;
              }),
            ),
          ].join('\n'),
        )}
        ${repeat(owned, (i) => unit.store('scores', `${i * SIDE * scoreRow}u + feature * ${SIDE / 4}u`, `sum${i}`, scoreRow))}
      }
    }
    workgroupBarrier();`;
  }

  /** For each pack of eight weights of an invocation's share of its row, with its scores in `a` and `b`. */
  const overPacks = (body: string): string => `
    for (var at = share; at < ${packs}u; at += ${sharers}u) {
      let a = scores[row * ${scoreRow}u + 2u * at];
      let b = scores[row * ${scoreRow}u + 2u * at + 1u];
      ${body}
    }`;
  /** Leaves 0 of two vectors of weights where their tokens were met before: in the first places of the last matrix. */
  const onlyNew = (...vectors: readonly [string, string]): string => {
    const last = packs - SIDE / PACK;
    if (overlap === 0) return '';
    return `if (at >= ${last}u) {
      let place = vec4<u32>(0u, 1u, 2u, 3u) + ${PACK}u * (at - ${last}u);
      ${vectors.map((vector, half) => `${vector} = select(vec4<f32>(0.0), ${vector}, place + ${4 * half}u >= vec4<u32>(${overlap}u));`).join('\n')}
    }`;
  };

  /** WGSL: what all invocations of a row have found, joined. */
  const ofRow = (value: string, join: (a: string, b: string) => string): string => `
    shares[thread] = ${value};
    workgroupBarrier();
    ${value} = shares[row * ${sharers}u];
    for (var i = 1u; i < ${sharers}u; i++) { ${value} = ${join(value, `shares[row * ${sharers}u + i]`)}; }
    workgroupBarrier();`;

  /** Replaces scores by weights, exp(score − logSum of the query). */
  const weigh = (queries: 'own' | 'met'): string => `
    ${overPacks(`
      var front = exp(${softmaxScale} * a - ${queries === 'own' ? 'logSum' : 'logSumsMet[2u * at]'});
      var back = exp(${softmaxScale} * b - ${queries === 'own' ? 'logSum' : 'logSumsMet[2u * at + 1u]'});
      ${queries === 'own' ? onlyNew('front', 'back') : ''}
      weights[row * ${weightRow}u + at] = pack(front, back);`)}
    workgroupBarrier();`;

  /** Replaces weights by gradients of scores: weight·(gradient of the weight − along of the query). */
  const changeScores = (queries: 'own' | 'met'): string => `
    ${overPacks(`
      let pairs = weights[row * ${weightRow}u + at];
      let front = vec4<f32>(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
      let back = vec4<f32>(unpack2x16float(pairs.z), unpack2x16float(pairs.w));
      weights[row * ${weightRow}u + at] = pack(
        front * (a - ${queries === 'own' ? 'grads' : 'alongMet[2u * at]'}),
        back * (b - ${queries === 'own' ? 'grads' : 'alongMet[2u * at + 1u]'}));`)}
    workgroupBarrier();`;

  /**
   * Statistics of all queries as their weights lie in a row: to be met again they have an infinite sum, and so no weight.
   * There is a barrier before they are read.
   */
  const meetQueries = `
    for (var at = thread; at < ${(SIDE * matrices) / 4}u; at += ${threads}u) {
      let isLast = at >= ${(SIDE * (matrices - 1)) / 4}u;
      let places = 4u * at + vec4<u32>(0u, 1u, 2u, 3u);
      let met = vec4<bool>(isLast) & (places < vec4<u32>(${SIDE * (matrices - 1) + overlap}u));
      let queries = statistics + places - select(0u, ${overlap}u, isLast);
      let sums = vec4<f32>(${[0, 1, 2, 3].map((j) => `logSums[queries[${j}]]`).join(', ')});
      logSumsMet[at] = select(sums, vec4<f32>(3e38), met);
      alongMet[at] = vec4<f32>(${[0, 1, 2, 3].map((j) => `along[queries[${j}]]`).join(', ')});
    }`;

  /** Writes what weighAll has left, in float32. */
  const writeGradient = (part: Part, factor: string): string => `
    for (var at = thread; at < ${(rows * size) / 4}u; at += ${threads}u) {
      let row = at / ${size / 4}u;
      let token = start(ownMatrix + row / ${SIDE}u) + row % ${SIDE}u;
      let place = (first + token) * ${(3 * dim) / 4}u + group.y * ${size / 4}u + ${(PARTS[part] * dim) / 4}u + at % ${size / 4}u;
      dqkv[place] = scores[row * ${scoreRow}u + at % ${size / 4}u] * ${factor};
    }
    workgroupBarrier();`;

  function forward(): Code {
    const parts = common(['qkv'], false);
    return shader(
      parts,
      `
        ${multiplyWithAll(parts, ['qkv', 'query'], ['qkv', 'key'])}
        var top = -3e38;
        ${overPacks('let four = max(a, b); top = max(top, max(max(four.x, four.y), max(four.z, four.w)));')}
        ${ofRow('top', (a, b) => `max(${a}, ${b})`)}
        var total = 0.0;
        ${overPacks(`
          var front = exp(${softmaxScale} * (a - top));
          var back = exp(${softmaxScale} * (b - top));
          ${onlyNew('front', 'back')}
          total += dot(front + back, vec4<f32>(1.0));`)}
        ${ofRow('total', (a, b) => `${a} + ${b}`)}
        let logSum = ${softmaxScale} * top + log(total);
        if (share == 0u) { logSums[statistics + ownToken] = logSum; }
        ${weigh('own')}
        ${weighAll(parts, ['qkv', 'value'])}
        for (var at = thread; at < ${(rows * size) / PACK}u; at += ${threads}u) {
          let row = at / ${size / PACK}u;
          let column = at % ${size / PACK}u;
          let token = start(ownMatrix + row / ${SIDE}u) + row % ${SIDE}u;
          let source = row * ${scoreRow}u + 2u * column;
          y[(first + token) * ${dim / PACK}u + head + column] = pack(scores[source], scores[source + 1u]);
        }`,
    );
  }

  function gradientOfQueries(): Code {
    const parts = common(['qkv', 'dy'], true);
    return shader(
      parts,
      `
        var grads = 0.0;
        for (var at = share; at < ${size / PACK}u; at += ${sharers}u) {
          let place = (first + ownToken) * ${dim / PACK}u + head + at;
          let a = dy[place];
          let b = y[place];
          grads += dotOfPairs(a.x, b.x) + dotOfPairs(a.y, b.y) + dotOfPairs(a.z, b.z) + dotOfPairs(a.w, b.w);
        }
        ${ofRow('grads', (a, b) => `${a} + ${b}`)}
        if (share == 0u) { along[statistics + ownToken] = grads; }
        let logSum = logSums[statistics + ownToken];
        ${multiplyWithAll(parts, ['qkv', 'query'], ['qkv', 'key'])}
        ${weigh('own')}
        ${multiplyWithAll(parts, ['dy', 'query'], ['qkv', 'value'])}
        ${changeScores('own')}
        ${weighAll(parts, ['qkv', 'key'])}
        ${writeGradient('query', `(${softmaxScale} * unscale)`)}`,
      'fn dotOfPairs(a: u32, b: u32) -> f32 { return dot(unpack2x16float(a), unpack2x16float(b)); }',
    );
  }

  function gradientOfKeysAndValues(): Code {
    const parts = common(['qkv', 'dy'], true);
    return shader(
      parts,
      `
        ${meetQueries}
        ${multiplyWithAll(parts, ['qkv', 'key'], ['qkv', 'query'])}
        ${weigh('met')}
        ${weighAll(parts, ['dy', 'query'])}
        ${writeGradient('value', 'unscale')}
        ${multiplyWithAll(parts, ['qkv', 'value'], ['dy', 'query'])}
        ${changeScores('met')}
        ${weighAll(parts, ['qkv', 'query'])}
        ${writeGradient('key', `(${softmaxScale} * unscale)`)}`,
      `var<workgroup> logSumsMet: array<vec4<f32>, ${(SIDE * matrices) / 4}>;
       var<workgroup> alongMet: array<vec4<f32>, ${(SIDE * matrices) / 4}>;`,
    );
  }

  return { forward, gradientOfQueries, gradientOfKeysAndValues };
}
