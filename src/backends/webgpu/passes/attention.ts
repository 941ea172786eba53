/** WGSL of attention: see `kernels/attention.ts` for how the work is laid out. */
import type { Code } from '../pass.js';

export interface AttentionSizes {
  readonly batch: number;
  readonly tokens: number;
  readonly heads: number;
  /** Of a head. */
  readonly size: number;
}

/** Bytes of workgroup memory that every device has. */
const WORKGROUP_BYTES = 16384;
const QUERY = 0;
const KEY = 1;
const VALUE = 2;

export type GradientPart = 'keys' | 'values' | 'keys and values';

/** @param half Whether qkv and y are kept as float16; gradients are not. */
export function attentionShaders(sizes: AttentionSizes, threads: number, half: boolean) {
  const { tokens, heads, size } = sizes;
  const dim = heads * size;
  const vectors = Math.ceil(size / 4);
  const four = size % 4 === 0;
  const scale = 1 / Math.sqrt(size);
  // Two vectors and, in the gradient, two numbers of each token, in fours.
  const block = Math.max(4, Math.min(64, 4 * Math.floor(WORKGROUP_BYTES / 4 / (32 * vectors + 8))));

  /** WGSL: reads and writes vector v of a head's part of a token. `width` is that of a token in the buffer. */
  const access = (buffer: string, width: number, writable: boolean): string => {
    const scalar = half && buffer === 'y' ? 'f16' : 'f32';
    const at = (v: string): string => `token * ${width / (four ? 4 : 1)}u + offset + ${v}`;
    const components = [0, 1, 2, 3].map((j) => `4u * v + ${j}u`);
    const read = four
      ? `return vec4<f32>(${buffer}[${at('v')}]);`
      : `return vec4<f32>(${components.map((c) => `select(0.0, f32(${buffer}[${at(`min(${c}, ${size - 1}u)`)}]), ${c} < ${size}u)`).join(', ')});`;
    const write = four
      ? `${buffer}[${at('v')}] = vec4<${scalar}>(value);`
      : components.map((c, j) => `if (${c} < ${size}u) { ${buffer}[${at(c)}] = ${scalar}(value[${j}]); }`).join('\n');
    return `
      fn ${buffer}Get(token: u32, offset: u32, v: u32) -> vec4<f32> { ${read} }
      ${writable ? `fn ${buffer}Set(token: u32, offset: u32, v: u32, value: vec4<f32>) { ${write} }` : ''}`;
  };

  const blocks = (names: readonly string[]): string =>
    names.map((name) => `var<workgroup> ${name}: array<vec4<f32>, ${block * vectors}>;`).join('\n');

  /** Where an invocation stands, with the offsets of its head in a token. Beyond the last token it repeats that one. */
  const begin = `
    let own = group.x * ${threads}u + thread;
    let token = min(own, ${tokens - 1}u);
    let first = group.z * ${tokens}u;
    let head = group.y * ${four ? vectors : size}u;
    let statistics = (group.z * ${heads}u + group.y) * ${tokens}u;`;
  const offset = (part: number): string => `head + ${(part * dim) / (four ? 4 : 1)}u`;

  /** Brings the next block of tokens; what lies beyond the last is 0. */
  const fill = (sources: Readonly<Record<string, string>>, numbers: readonly string[] = []): string => `
    for (var i = thread; i < ${block * vectors}u; i += ${threads}u) {
      let other = start + i / ${vectors}u;
      let v = i % ${vectors}u;
      let inside = other < ${tokens}u;
      let source = first + min(other, ${tokens - 1}u);
      ${Object.entries(sources)
        .map(([name, source]) => `${name}[i] = select(vec4<f32>(0.0), ${source}, inside);`)
        .join('\n')}
    }
    ${
      numbers.length === 0
        ? ''
        : `for (var i = thread; i < ${block}u; i += ${threads}u) {
            let at = statistics + min(start + i, ${tokens - 1}u);
            ${numbers.map((name) => `${name}Block[i] = ${name}[at];`).join('\n')}
          }`
    }
    workgroupBarrier();`;

  const overBlocks = (filling: string, body: string): string => `
    for (var start = 0u; start < ${tokens}u; start += ${block}u) {
      ${filling}
      ${body}
      workgroupBarrier();
    }`;

  const overVectors = (body: string): string => `for (var v = 0u; v < ${vectors}u; v++) { ${body} }`;
  const declare = (names: readonly string[]): string =>
    names.map((name) => `var ${name}: array<vec4<f32>, ${vectors}>;`).join('\n');
  const token4 = (buffer: string, part: number): string => `${buffer}Get(first + token, ${offset(part)}, v)`;
  const ownGradient = 'dyGet(first + token, head, v)';
  const isOwn = `if (own < ${tokens}u)`;
  const store = (part: number, value: string): string =>
    overVectors(`dqkvSet(first + token, ${offset(part)}, v, ${value});`);

  const forward: Code = {
    declarations: [access('qkv', 3 * dim, false), access('y', dim, true), blocks(['keys', 'values'])].join('\n'),
    body: `
      ${begin}
      ${declare(['query', 'sum'])}
      ${overVectors(`query[v] = ${scale} * ${token4('qkv', QUERY)};`)}
      var top = -3e38;
      var total = 0.0;
      ${overBlocks(
        fill({
          keys: `qkvGet(source, ${offset(KEY)}, v)`,
          values: `qkvGet(source, ${offset(VALUE)}, v)`,
        }),
        // Four keys at a time: the sums are brought to a new maximum once for all of them.
        `for (var j = 0u; j < min(${block}u, ${tokens}u - start); j += 4u) {
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
        }`,
      )}
      ${isOwn} {
        ${overVectors('ySet(first + token, head, v, sum[v] / total);')}
        logSums[statistics + token] = top + log(total);
      }`,
  };

  // weight = exp(q·k − logSum); d score = weight·(dy·v − dy·y)
  const gradientOfQueries: Code = {
    declarations: [
      access('qkv', 3 * dim, false),
      access('dy', dim, false),
      access('y', dim, false),
      access('dqkv', 3 * dim, true),
      blocks(['keys', 'values']),
    ].join('\n'),
    body: `
      ${begin}
      ${declare(['query', 'grad', 'sum'])}
      let logSum = logSums[statistics + token];
      var grads = 0.0;
      ${overVectors(
        `query[v] = ${scale} * ${token4('qkv', QUERY)};
         grad[v] = ${ownGradient};
         grads += dot(grad[v], yGet(first + token, head, v));`,
      )}
      ${overBlocks(
        fill({
          keys: `qkvGet(source, ${offset(KEY)}, v)`,
          values: `qkvGet(source, ${offset(VALUE)}, v)`,
        }),
        `for (var j = 0u; j < min(${block}u, ${tokens}u - start); j++) {
          let at = j * ${vectors}u;
          var score = -logSum;
          var change = -grads;
          ${overVectors('score += dot(query[v], keys[at + v]); change += dot(grad[v], values[at + v]);')}
          change *= exp(score);
          ${overVectors('sum[v] += change * keys[at + v];')}
        }`,
      )}
      ${isOwn} {
        ${store(QUERY, `${scale} * sum[v]`)}
        along[statistics + token] = grads;
      }`,
  };

  const gradientOf = (part: GradientPart): Code => {
    const [ofKeys, ofValues] = [part !== 'values', part !== 'keys'];
    return {
      declarations: [
        access('qkv', 3 * dim, false),
        access('dy', dim, false),
        access('dqkv', 3 * dim, true),
        blocks(['queries', 'grads']),
        `var<workgroup> logSumsBlock: array<f32, ${block}>;`,
        `var<workgroup> alongBlock: array<f32, ${block}>;`,
      ].join('\n'),
      body: `
        ${begin}
        ${declare(['key', ...(ofKeys ? ['value', 'dk'] : []), ...(ofValues ? ['dv'] : [])])}
        ${overVectors(`key[v] = ${token4('qkv', KEY)}; ${ofKeys ? `value[v] = ${token4('qkv', VALUE)};` : ''}`)}
        ${overBlocks(
          fill(
            {
              queries: `${scale} * qkvGet(source, ${offset(QUERY)}, v)`,
              grads: `dyGet(source, head, v)`,
            },
            ofKeys ? ['logSums', 'along'] : ['logSums'],
          ),
          `for (var j = 0u; j < min(${block}u, ${tokens}u - start); j++) {
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
        ${isOwn} {
          ${ofKeys ? store(KEY, 'dk[v]') : ''}
          ${ofValues ? store(VALUE, 'dv[v]') : ''}
        }`,
    };
  };

  return { forward, gradientOfQueries, gradientOf };
}

/** A list of four, for the four tokens that are met at a time. */
const fours = (one: (s: number) => string, separator = ', '): string => [0, 1, 2, 3].map(one).join(separator);
