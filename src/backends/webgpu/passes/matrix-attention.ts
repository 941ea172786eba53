/**
 * Attention on matrix units, of qkv that is stored as float16. Each subgroup of a workgroup computes 16 tokens of a
 * head and keeps their results in its matrices. All tokens are copied in chunks to workgroup memory, which the
 * workgroup shares.
 *
 * Scores are stored as float32, and loaded as float16 weights for the next product. Between two barriers there are
 * either only products, of one chunk's scores and the sums of the chunk before, or all other work.
 */
import { definePass } from '../pass.js';
import type { AttentionSizes } from './attention-parts.js';
import { matrixAttentionParts, PART, type MatrixAttentionSizes, type Parts } from './matrix-attention-parts.js';
import { PACK, SIDE } from './matrix-units.js';
import type { Rows } from './plan-matrix-attention.js';

/**
 * Factor of the gradient of qkv in addition to the scale of dy, so that it stays in the range of float16. With dy below
 * 2^6, the gradients of v are sums of dy with weights, below 2^6 times the number of queries. Those of q and k are sums
 * of gradients of scores, which are in float16 too, times k and q over √size.
 */
const ROOM = 2 ** -4;

const larger = (a: string, b: string): string => `max(${a}, ${b})`;
const sum = (a: string, b: string): string => `${a} + ${b}`;

const softmaxScale = ({ size }: AttentionSizes): number => 1 / Math.sqrt(size);
/** exp(x) = exp2(x · log2(e)): one multiplication for that and for the scale. */
const binaryScale = (sizes: AttentionSizes): number => softmaxScale(sizes) * Math.LOG2E;

/** Writes a part of the gradient. */
function writeGradient({ heads, size }: AttentionSizes, part: keyof typeof PART, factor: number): string {
  const dim = heads * size;
  return `
    let place = (first + token) * ${(3 * dim) / PACK}u + head + ${(PART[part] * dim) / PACK}u + column;
    dqkv[place] = pack(scores[source] * ${factor}, scores[source + 1u] * ${factor});`;
}

/**
 * Rows of a matrix cannot be scaled. Therefore a first round finds the largest score of each row, and a second one
 * computes all scores again for the sums. If all tokens are in one chunk, one round does both.
 */
export const matrixAttentionPass = definePass<MatrixAttentionSizes, 'qkv', 'y' | 'logSums'>('attention', (sizes) => {
  const parts = matrixAttentionParts(sizes, 'forward');
  const { chunks, fetch, put, multiply, ofRow, drain } = parts;
  const { threads } = sizes.plan;
  const last = chunks - 1;
  const dim = sizes.heads * sizes.size;
  const seekTop = seekLargest(parts);
  const rounds = forwardRounds(sizes, parts);
  return parts.shader(
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
    ${chunks > 1 ? `${rounds.first}\n${fetch('value', '0u')}` : ''}
    ${seekTop}
    tops[thread] = top;
    workgroupBarrier();
    top = ${ofRow('tops', 'row', larger)};
    ${chunks > 1 ? `${multiply({ scoresOf: '0u' })}\nworkgroupBarrier();` : ''}
    var total = 0.0;
    ${chunks > 1 ? rounds.second : ''}
    ${put('value', `${last}u`)}
    ${weigh(sizes, parts, true)}
    totals[thread] = total;
    workgroupBarrier();
    ${multiply({ sumsOf: `${last}u` })}
    if (share == 0u) {
      logSums[statistics + ownToken] = ${softmaxScale(sizes)} * top + log(${ofRow('totals', 'row', sum)});
    }
    ${drain(
      'value',
      `let part = 1.0 / (${ofRow('totals', 'row', sum)});
       y[(first + token) * ${dim / PACK}u + head + column] = pack(scores[source] * part, scores[source + 1u] * part);`,
    )}`,
  );
});

const seekLargest = ({ eachPack, score }: Parts): string =>
  eachPack(`
    let four = max(${score(0, 0)}, ${score(0, 1)});
    top = max(top, max(max(four.x, four.y), max(four.z, four.w)));`);

/** The weights of a chunk from its scores. */
function weigh(sizes: AttentionSizes, { eachPack, score, cut, setWeights }: Parts, isLast: boolean): string {
  return eachPack(`
    var front = exp2(${binaryScale(sizes)} * (${score(0, 0)} - top));
    var back = exp2(${binaryScale(sizes)} * (${score(0, 1)} - top));
    ${isLast ? cut('front', 'back') : ''}
    total += dot(front + back, vec4<f32>(1.0));
    ${setWeights(0, 'front', 'back')}`);
}

function forwardRounds(sizes: AttentionSizes, parts: Parts): { first: string; second: string } {
  const { chunks, fetch, put, multiply } = parts;
  const last = chunks - 1;
  const first = `
    for (var i = 0u; i < ${last}u; i++) {
      ${put('key', 'i + 1u')}
      ${fetch('key', `select(i + 2u, 0u, i == ${last - 1}u)`)}
      ${seekLargest(parts)}
      workgroupBarrier();
      ${multiply({ scoresOf: 'i + 1u' })}
      workgroupBarrier();
    }
    ${put('key', '0u')}
    ${fetch('key', '1u')}`;
  // Scores are computed a chunk ahead of sums, and therefore keys are read a chunk ahead of values: only one chunk of
  // each is in memory.
  const second = `
    for (var i = 0u; i < ${last}u; i++) {
      ${put('key', 'i + 1u')}
      ${put('value', 'i')}
      ${fetch('key', 'i + 2u')}
      ${fetch('value', 'i + 1u')}
      ${weigh(sizes, parts, false)}
      workgroupBarrier();
      ${multiply({ sumsOf: 'i', scoresOf: 'i + 1u' })}
      workgroupBarrier();
    }`;
  return { first, second };
}

/** dq = Σ change·k, where change = weight·(dy·v − along) is the gradient of a score. */
export const matrixQueryGradientPass = definePass<
  MatrixAttentionSizes,
  'qkv' | 'dy' | 'logSums' | 'y' | 'scale',
  'dqkv' | 'along' | 'dqkvScale'
>('attention, gradient of queries', (sizes) => {
  const parts = matrixAttentionParts(sizes, 'queries');
  const { eachPack, score, setWeights, cut, ofRow, drain, shader } = parts;
  const { heads, size, lanes, plan } = sizes;
  const change = (half: 0 | 1): string =>
    `exp2(${binaryScale(sizes)} * ${score(0, half)} - logSum) * (${score(1, half)} - ownAlong)`;
  const weigh = (isLast: boolean): string =>
    eachPack(`
      var front = ${change(0)};
      var back = ${change(1)};
      ${isLast ? cut('front', 'back') : ''}
      ${setWeights(0, 'front', 'back')}`);
  return shader(
    `var<workgroup> shares: array<f32, ${plan.threads}>;
     fn dotOfPairs(a: u32, b: u32) -> f32 { return dot(unpack2x16float(a), unpack2x16float(b)); }`,
    `
    if (thread == 0u && all(group == vec3<u32>(0u))) {
      dqkvScale[0] = ${ROOM} * scale[0];
      dqkvScale[1] = ${1 / ROOM} * scale[1];
    }
    let logSum = ${Math.LOG2E} * logSums[statistics + ownToken];
    var grads = 0.0;
    for (var at = share; at < ${size / PACK}u; at += ${lanes / SIDE}u) {
      let place = (first + ownToken) * ${(heads * size) / PACK}u + head + at;
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
    ${drain('key', writeGradient(sizes, 'query', ROOM * softmaxScale(sizes)))}`,
  );
});

/** dv = Σ weight·dy and dk = Σ change·q, over all queries. */
export const matrixKeyGradientPass = definePass<MatrixAttentionSizes, 'qkv' | 'dy' | 'logSums' | 'along', 'dqkv'>(
  'attention, gradient of keys and values',
  (sizes) => {
    const parts = matrixAttentionParts(sizes, 'keysAndValues');
    const { eachPack, score, setWeights, drain, shader } = parts;
    const fours = sizes.plan.chunk / 4;
    const weight = (half: 0 | 1): string =>
      `exp2(${binaryScale(sizes)} * ${score(0, half)} - ofMet[2u * at + ${half}u])`;
    const change = (half: 0 | 1, weight: string): string =>
      `${weight} * (${score(1, half)} - ofMet[2u * at + ${fours + half}u])`;
    const weigh = (): string =>
      eachPack(`
        let front = ${weight(0)};
        let back = ${weight(1)};
        ${setWeights(0, 'front', 'back')}
        ${setWeights(1, change(0, 'front'), change(1, 'back'))}`);
    const putStatistics = `if (thread < ${2 * fours}u) { ofMet[thread] = statistic; }`;
    return shader(
      `var<workgroup> ofMet: array<vec4<f32>, ${2 * fours}>;`,
      `
      ${overChunks(parts, ['query', 'dy'], weigh, {
        around: (at, products) => `{ ${fetchStatistics(sizes, at)} ${products} ${putStatistics} }`,
      })}
      ${drain('dy', writeGradient(sizes, 'value', ROOM))}
      ${drain('query', writeGradient(sizes, 'key', ROOM * softmaxScale(sizes)))}`,
    );
  },
);

/** Declares `statistic`: four of a chunk's logarithmic sums, or its four products of gradients with results. */
function fetchStatistics({ tokens, plan: { chunk } }: MatrixAttentionSizes, at: string): string {
  const fours = chunk / 4;
  // Beyond the last query the sum is infinite, which gives a weight of 0.
  return `
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
}

interface Hooks {
  /** Code between the first scores and the first weights. */
  readonly afterFirst?: string;
  /** Wraps products whose scores are those of chunk `at`. */
  readonly around?: (at: string, products: string) => string;
}

/**
 * Scores of all chunks, weights that `weigh` computes from them, and the sums with these weights; for pairs of chunks.
 */
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
