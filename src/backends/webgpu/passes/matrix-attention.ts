/**
 * Attention on matrix units, of qkv that is kept as float16. Each subgroup of a workgroup owns 16 tokens of a head and
 * keeps their results in its matrices; all others pass by in chunks through workgroup memory, which the workgroup shares.
 *
 * Scores leave their matrices as float32, and come back as weights in float16 for the next product. Between two barriers
 * there are either products alone, of one chunk's scores and the sums of the chunk before, or all the rest.
 */
import type { Code } from '../pass.js';
import type { AttentionSizes } from './attention.js';
import { attentionParts, PART, type Parts } from './matrix-attention-parts.js';
import { PACK, SIDE, type MatrixUnits } from './matrix-units.js';
import type { AttentionPass, MatrixAttentionPlan, Rows } from './plan-matrix-attention.js';

/**
 * What the gradient of qkv is multiplied by besides the scale of dy, to have room in float16. With dy below 2^6, gradients
 * of v are sums of dy with weights, below 2^6 times the number of queries; those of q and k are sums of changes of scores,
 * which are in float16 themselves, times k and q over √size.
 */
const ROOM = 2 ** -4;

const larger = (a: string, b: string): string => `max(${a}, ${b})`;
const sum = (a: string, b: string): string => `${a} + ${b}`;

export function matrixAttentionShaders(
  units: MatrixUnits,
  sizes: AttentionSizes,
  plans: Readonly<Record<AttentionPass, MatrixAttentionPlan>>,
) {
  const { tokens, heads, size } = sizes;
  const dim = heads * size;
  const softmaxScale = 1 / Math.sqrt(size);
  /** exp(x) = exp2(x · log2(e)), with one multiplication for that and for the scale. */
  const binaryScale = softmaxScale * Math.LOG2E;

  /** Writes a part of the gradient. */
  const writeGradient = (part: keyof typeof PART, factor: number): string => `
    let place = (first + token) * ${(3 * dim) / PACK}u + head + ${(PART[part] * dim) / PACK}u + column;
    dqkv[place] = pack(scores[source] * ${factor}, scores[source + 1u] * ${factor});`;

  /**
   * Rows cannot be scaled in matrices, so the largest score of each is found first, in a round of its own, and all scores
   * are computed again for the sums: unless all tokens are one chunk.
   */
  function forward(): Code {
    const { threads } = plans.forward;
    const parts = attentionParts(units, sizes, 'forward', plans.forward);
    const { chunks, fetch, put, multiply, eachPack, score, setWeights, cut, ofRow, drain, shader } = parts;
    const last = chunks - 1;
    const seekTop = eachPack(`
      let four = max(${score(0, 0)}, ${score(0, 1)});
      top = max(top, max(max(four.x, four.y), max(four.z, four.w)));`);
    const weigh = (isLast: boolean): string =>
      eachPack(`
        var front = exp2(${binaryScale} * (${score(0, 0)} - top));
        var back = exp2(${binaryScale} * (${score(0, 1)} - top));
        ${isLast ? cut('front', 'back') : ''}
        total += dot(front + back, vec4<f32>(1.0));
        ${setWeights(0, 'front', 'back')}`);
    const firstRound = `
      for (var i = 0u; i < ${last}u; i++) {
        ${put('key', 'i + 1u')}
        ${fetch('key', `select(i + 2u, 0u, i == ${last - 1}u)`)}
        ${seekTop}
        workgroupBarrier();
        ${multiply({ scoresOf: 'i + 1u' })}
        workgroupBarrier();
      }
      ${put('key', '0u')}
      ${fetch('key', '1u')}`;
    // Scores are a chunk ahead of sums, and so are keys of values: of neither are two chunks held.
    const secondRound = `
      for (var i = 0u; i < ${last}u; i++) {
        ${put('key', 'i + 1u')}
        ${put('value', 'i')}
        ${fetch('key', 'i + 2u')}
        ${fetch('value', 'i + 1u')}
        ${weigh(false)}
        workgroupBarrier();
        ${multiply({ sumsOf: 'i', scoresOf: 'i + 1u' })}
        workgroupBarrier();
      }`;
    return shader(
      `var<workgroup> tops: array<f32, ${threads}>;
       var<workgroup> totals: array<f32, ${threads}>;`,
      `
      ${fetch('key', '0u')}
      ${put('key', '0u')}
      ${chunks > 1 ? fetch('key', '1u') : fetch('value', '0u')}
      workgroupBarrier();
      ${multiply({ scoresOf: '0u' })}
      workgroupBarrier();
      var top = -3e38;
      ${chunks > 1 ? `${firstRound}\n${fetch('value', '0u')}` : ''}
      ${seekTop}
      tops[thread] = top;
      workgroupBarrier();
      top = ${ofRow('tops', 'row', larger)};
      ${chunks > 1 ? `${multiply({ scoresOf: '0u' })}\nworkgroupBarrier();` : ''}
      var total = 0.0;
      ${chunks > 1 ? secondRound : ''}
      ${put('value', `${last}u`)}
      ${weigh(true)}
      totals[thread] = total;
      workgroupBarrier();
      ${multiply({ sumsOf: `${last}u` })}
      if (share == 0u) {
        logSums[statistics + ownToken] = ${softmaxScale} * top + log(${ofRow('totals', 'row', sum)});
      }
      ${drain(
        'value',
        `let part = 1.0 / (${ofRow('totals', 'row', sum)});
         y[(first + token) * ${dim / PACK}u + head + column] = pack(scores[source] * part, scores[source + 1u] * part);`,
      )}`,
    );
  }

  /** dq = Σ change·k, where change = weight·(dy·v − along), the gradient of a score. */
  function gradientOfQueries(): Code {
    const parts = attentionParts(units, sizes, 'queries', plans.queries);
    const { eachPack, score, setWeights, cut, ofRow, drain, shader } = parts;
    const change = (half: 0 | 1): string =>
      `exp2(${binaryScale} * ${score(0, half)} - logSum) * (${score(1, half)} - ownAlong)`;
    const weigh = (isLast: boolean): string =>
      eachPack(`
        var front = ${change(0)};
        var back = ${change(1)};
        ${isLast ? cut('front', 'back') : ''}
        ${setWeights(0, 'front', 'back')}`);
    return shader(
      `var<workgroup> shares: array<f32, ${plans.queries.threads}>;
       fn dotOfPairs(a: u32, b: u32) -> f32 { return dot(unpack2x16float(a), unpack2x16float(b)); }`,
      `
      if (thread == 0u && all(group == vec3<u32>(0u))) {
        dqkvScale[0] = ${ROOM} * scale[0];
        dqkvScale[1] = ${1 / ROOM} * scale[1];
      }
      let logSum = ${Math.LOG2E} * logSums[statistics + ownToken];
      var grads = 0.0;
      for (var at = share; at < ${size / PACK}u; at += ${units.lanes / SIDE}u) {
        let place = (first + ownToken) * ${dim / PACK}u + head + at;
        let a = dy[place];
        let b = y[place];
        grads += dotOfPairs(a.x, b.x) + dotOfPairs(a.y, b.y) + dotOfPairs(a.z, b.z) + dotOfPairs(a.w, b.w);
      }
      shares[thread] = grads;
      ${overChunks(parts, ['key', 'value'], weigh, {
        afterFirst: `
          let ownAlong = ${ofRow('shares', 'row', sum)};
          if (share == 0u) { along[statistics + ownToken] = ownAlong; }`,
      })}
      ${drain('key', writeGradient('query', ROOM * softmaxScale))}`,
    );
  }

  /** dv = Σ weight·dy and dk = Σ change·q, over the queries that met the key. */
  function gradientOfKeysAndValues(): Code {
    const { chunk } = plans.keysAndValues;
    const parts = attentionParts(units, sizes, 'keysAndValues', plans.keysAndValues);
    const { eachPack, score, setWeights, drain, shader } = parts;
    const fours = chunk / 4;
    const weight = (half: 0 | 1): string => `exp2(${binaryScale} * ${score(0, half)} - ofMet[2u * at + ${half}u])`;
    const change = (half: 0 | 1, weight: string): string =>
      `${weight} * (${score(1, half)} - ofMet[2u * at + ${fours + half}u])`;
    const weigh = (): string =>
      eachPack(`
        let front = ${weight(0)};
        let back = ${weight(1)};
        ${setWeights(0, 'front', 'back')}
        ${setWeights(1, change(0, 'front'), change(1, 'back'))}`);
    // Beyond the last query the sum is infinite, for a weight of 0.
    const fetchStatistics = (at: string): string => `
      var statistic = vec4<f32>(0.0);
      {
        let token = (${at}) * ${chunk}u + thread % ${fours}u * 4u + vec4<u32>(0u, 1u, 2u, 3u);
        let met = statistics + min(token, vec4<u32>(${tokens - 1}u));
        if (thread < ${fours}u) {
          let sums = ${Math.LOG2E} * vec4<f32>(logSums[met.x], logSums[met.y], logSums[met.z], logSums[met.w]);
          statistic = select(vec4<f32>(3e38), sums, token < vec4<u32>(${tokens}u));
        } else if (thread < ${2 * fours}u) {
          statistic = vec4<f32>(along[met.x], along[met.y], along[met.z], along[met.w]);
        }
      }`;
    const putStatistics = `if (thread < ${2 * fours}u) { ofMet[thread] = statistic; }`;
    return shader(
      `var<workgroup> ofMet: array<vec4<f32>, ${2 * fours}>;`,
      `
      ${overChunks(parts, ['query', 'dy'], weigh, {
        around: (at, products) => `{ ${fetchStatistics(at)} ${products} ${putStatistics} }`,
      })}
      ${drain('dy', writeGradient('value', ROOM))}
      ${drain('query', writeGradient('key', ROOM * softmaxScale))}`,
    );
  }

  return { forward, gradientOfQueries, gradientOfKeysAndValues };
}

interface Hooks {
  /** Between the first scores and what is made of them. */
  readonly afterFirst?: string;
  /** Around products of which the scores are those of chunk `at`. */
  readonly around?: (at: string, products: string) => string;
}

/** Scores of all chunks, what `weigh` makes of them, and the sums of that: of each pair of chunks, together. */
function overChunks(
  { chunks, fetch, put, multiply }: Parts,
  rows: readonly Rows[],
  weigh: (isLast: boolean) => string,
  { afterFirst = '', around = (_, products) => products }: Hooks,
): string {
  const last = chunks - 1;
  const each = (code: (rows: Rows) => string): string => rows.map(code).join('\n');
  const loop = `
    for (var i = 0u; i < ${last}u; i++) {
      ${each((rows) => put(rows, 'i + 1u'))}
      ${each((rows) => fetch(rows, 'i + 2u'))}
      ${weigh(false)}
      workgroupBarrier();
      ${around('i + 1u', multiply({ sumsOf: 'i', scoresOf: 'i + 1u' }))}
      workgroupBarrier();
    }`;
  return `
    ${each((rows) => fetch(rows, '0u'))}
    ${each((rows) => put(rows, '0u'))}
    ${chunks > 1 ? each((rows) => fetch(rows, '1u')) : ''}
    workgroupBarrier();
    ${around('0u', multiply({ scoresOf: '0u' }))}
    workgroupBarrier();
    ${afterFirst}
    ${chunks > 1 ? loop : ''}
    ${weigh(true)}
    workgroupBarrier();
    ${multiply({ sumsOf: `${last}u` })}`;
}
