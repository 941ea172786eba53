/**
 * Attention on ordinary units. The scores are never written to memory (Dao et al. 2022): the softmax is computed block
 * by block over the keys, and its logarithmic sum is saved. From this sum the gradient computes the weights again.
 */
import { definePass, type BufferElements, type Shader } from '../pass.js';
import {
  attentionParts,
  gridOf,
  KEY,
  QUERY,
  VALUE,
  type AttentionParts,
  type AttentionSizes,
} from './attention-parts.js';

export const attentionPass = definePass<AttentionSizes, 'qkv', 'y' | 'logSums'>('attention', (sizes, { qkv, y }) => {
  const parts = attentionParts(sizes);
  const { dim, offset, overVectors } = parts;
  const declarations = [
    parts.access('qkv', qkv, 3 * dim),
    parts.access('y', y, dim),
    parts.writable('y', y, dim),
    parts.blocks(['keys', 'values']),
  ].join('\n');
  const keysAndValues = {
    keys: `qkvGet(source, ${offset(KEY)}, v)`,
    values: `qkvGet(source, ${offset(VALUE)}, v)`,
  };
  const body = `
    ${parts.begin}
    ${parts.declare(['query', 'sum'])}
    ${overVectors(`query[v] = ${scaleOf(sizes)} * ${parts.ownQkv(QUERY)};`)}
    var top = -3e38;
    var total = 0.0;
    ${parts.overBlocks(parts.fill(keysAndValues), attendToBlock(sizes, parts))}
    ${parts.isOwn} {
      ${overVectors('ySet(first + token, head, v, sum[v] / total);')}
      logSums[statistics + token] = top + log(total);
    }`;
  return { ...gridOf(sizes), declarations, body };
});

const scaleOf = ({ size }: AttentionSizes): number => 1 / Math.sqrt(size);

/** Processes four keys at a time: the sums are adjusted to a new maximum once for all of them. */
const attendToBlock = ({ tokens }: AttentionSizes, { block, vectors, overVectors }: AttentionParts): string => `
  for (var j = 0u; j < min(${block}u, ${tokens}u - start); j += 4u) {
    var scores = vec4<f32>(0.0);
    ${overVectors(`scores += vec4<f32>(${fours((s) => `dot(query[v], keys[(j + ${s}u) * ${vectors}u + v])`)});`)}
    scores = select(vec4<f32>(-3e38), scores, vec4<u32>(start + j) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(${tokens}u));
    let highest = max(max(scores.x, scores.y), max(scores.z, scores.w));
    if (highest > top) {
      let shrink = exp(top - highest);
      total *= shrink;
      ${overVectors('sum[v] *= shrink;')}
      top = highest;
    }
    let weights = exp(scores - top);
    total += dot(weights, vec4<f32>(1.0));
    ${overVectors(
      `let at = j * ${vectors}u + v;
       sum[v] += ${fours((s) => `weights[${s}] * values[at + ${s * vectors}u]`, ' + ')};`,
    )}
  }`;

/** A list for the four tokens that are processed together. */
const fours = (one: (s: number) => string, separator = ', '): string => [0, 1, 2, 3].map(one).join(separator);

/** dq = Σ change·k, where change = weight·(dy·v − dy·y) is the gradient of a score and weight = exp(q·k − logSum). */
export const queryGradientPass = definePass<AttentionSizes, 'qkv' | 'dy' | 'y' | 'logSums', 'dqkv' | 'along'>(
  'attention, gradient of queries',
  (sizes, { qkv, dy, y, dqkv }) => {
    const parts = attentionParts(sizes);
    const { dim, block, vectors, offset, overVectors } = parts;
    const declarations = [
      parts.access('qkv', qkv, 3 * dim),
      parts.access('dy', dy, dim),
      parts.access('y', y, dim),
      parts.access('dqkv', dqkv, 3 * dim),
      parts.writable('dqkv', dqkv, 3 * dim),
      parts.blocks(['keys', 'values']),
    ].join('\n');
    const keysAndValues = {
      keys: `qkvGet(source, ${offset(KEY)}, v)`,
      values: `qkvGet(source, ${offset(VALUE)}, v)`,
    };
    const scale = scaleOf(sizes);
    const body = `
      ${parts.begin}
      ${parts.declare(['query', 'grad', 'sum'])}
      let logSum = logSums[statistics + token];
      var grads = 0.0;
      ${overVectors(
        `query[v] = ${scale} * ${parts.ownQkv(QUERY)};
         grad[v] = dyGet(first + token, head, v);
         grads += dot(grad[v], yGet(first + token, head, v));`,
      )}
      ${parts.overBlocks(
        parts.fill(keysAndValues),
        `for (var j = 0u; j < min(${block}u, ${sizes.tokens}u - start); j++) {
          let at = j * ${vectors}u;
          var score = -logSum;
          var change = -grads;
          ${overVectors('score += dot(query[v], keys[at + v]); change += dot(grad[v], values[at + v]);')}
          change *= exp(score);
          ${overVectors('sum[v] += change * keys[at + v];')}
        }`,
      )}
      ${parts.isOwn} {
        ${parts.store(QUERY, `${scale} * sum[v]`)}
        along[statistics + token] = grads;
      }`;
    return { ...gridOf(sizes), declarations, body };
  },
);

export type GradientPart = 'keys' | 'values' | 'keys and values';

/** dk = Σ change·q, dv = Σ weight·dy, or both, over all queries. */
export const keyGradientPass = definePass<
  AttentionSizes & { part: GradientPart },
  'qkv' | 'dy' | 'logSums' | 'along',
  'dqkv'
>(
  ({ part }) => `attention, gradient of ${part}`,
  ({ part, ...sizes }, { qkv, dy, dqkv }) => keyGradient(sizes, part, { qkv, dy, dqkv }),
);

function keyGradient(
  sizes: AttentionSizes,
  part: GradientPart,
  { qkv, dy, dqkv }: Readonly<Record<'qkv' | 'dy' | 'dqkv', BufferElements>>,
): Shader {
  const [ofKeys, ofValues] = [part !== 'values', part !== 'keys'];
  const parts = attentionParts(sizes);
  const { dim, block, vectors, offset, overVectors } = parts;
  const declarations = [
    parts.access('qkv', qkv, 3 * dim),
    parts.access('dy', dy, dim),
    parts.access('dqkv', dqkv, 3 * dim),
    parts.writable('dqkv', dqkv, 3 * dim),
    parts.blocks(['queries', 'grads']),
    `var<workgroup> logSumsBlock: array<f32, ${block}>;`,
    `var<workgroup> alongBlock: array<f32, ${block}>;`,
  ].join('\n');
  const queriesAndGradients = {
    queries: `${scaleOf(sizes)} * qkvGet(source, ${offset(QUERY)}, v)`,
    grads: `dyGet(source, head, v)`,
  };
  const body = `
    ${parts.begin}
    ${parts.declare(['key', ...(ofKeys ? ['value', 'dk'] : []), ...(ofValues ? ['dv'] : [])])}
    ${overVectors(`key[v] = ${parts.ownQkv(KEY)}; ${ofKeys ? `value[v] = ${parts.ownQkv(VALUE)};` : ''}`)}
    ${parts.overBlocks(
      parts.fill(queriesAndGradients, ofKeys ? ['logSums', 'along'] : ['logSums']),
      `for (var j = 0u; j < min(${block}u, ${sizes.tokens}u - start); j++) {
        let at = j * ${vectors}u;
        var score = -logSumsBlock[j];
        ${ofKeys ? 'var change = -alongBlock[j];' : ''}
        ${overVectors(
          `score += dot(key[v], queries[at + v]); ${ofKeys ? 'change += dot(value[v], grads[at + v]);' : ''}`,
        )}
        let weight = exp(score);
        ${ofKeys ? 'change *= weight;' : ''}
        ${overVectors(
          `${ofValues ? 'dv[v] += weight * grads[at + v];' : ''} ${ofKeys ? 'dk[v] += change * queries[at + v];' : ''}`,
        )}
      }`,
    )}
    ${parts.isOwn} {
      ${ofKeys ? parts.store(KEY, 'dk[v]') : ''}
      ${ofValues ? parts.store(VALUE, 'dv[v]') : ''}
    }`;
  return { ...gridOf(sizes), declarations, body };
}
