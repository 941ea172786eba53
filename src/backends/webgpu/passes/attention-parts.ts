/**
 * The parts of the attention shaders. An invocation computes one token, its _own_; it reads the other tokens in blocks,
 * which are copied to workgroup memory.
 */
import type { BufferElements } from '../pass.js';

export interface AttentionSizes {
  readonly batch: number;
  readonly tokens: number;
  readonly heads: number;
  /** Width of a head. */
  readonly size: number;
}

/** Bytes of workgroup memory that every device has. */
const WORKGROUP_BYTES = 16384;

/** Parts of qkv. */
export const QUERY = 0;
export const KEY = 1;
export const VALUE = 2;

/** A workgroup for each image, head and block of own tokens. */
export function gridOf({ batch, tokens, heads }: AttentionSizes) {
  const threads = tokens <= 32 ? 32 : 64;
  return { threads, groups: [Math.ceil(tokens / threads), heads, batch] as const };
}

export type AttentionParts = ReturnType<typeof attentionParts>;

/**
 * Pieces of WGSL. In the scope of most are the variables of `begin`: `own` and `token`, the invocation's token; `first`
 * and `head`, the offsets of the image and of the head; and `statistics`, the offset of the numbers of the head's
 * tokens.
 */
export function attentionParts(sizes: AttentionSizes) {
  const { tokens, heads, size } = sizes;
  const dim = heads * size;
  const vectors = Math.ceil(size / 4);
  const four = size % 4 === 0;
  // For each token two vectors and, in the gradient, two numbers; a multiple of four tokens.
  const block = Math.max(4, Math.min(64, 4 * Math.floor(WORKGROUP_BYTES / 4 / (32 * vectors + 8))));
  const offset = (part: number): string => `head + ${(part * dim) / (four ? 4 : 1)}u`;
  const overVectors = (body: string): string => `for (var v = 0u; v < ${vectors}u; v++) { ${body} }`;
  return {
    dim,
    vectors,
    block,
    offset,
    overVectors,
    access: (buffer: string, type: BufferElements, width: number) => read(buffer, type, width, size),
    writable: (buffer: string, type: BufferElements, width: number) => write(buffer, type, width, size),
    blocks: (names: readonly string[]): string =>
      names.map((name) => `var<workgroup> ${name}: array<vec4<f32>, ${block * vectors}>;`).join('\n'),
    /** An invocation beyond the last token repeats that one. */
    begin: `
      let own = group.x * ${gridOf(sizes).threads}u + thread;
      let token = min(own, ${tokens - 1}u);
      let first = group.z * ${tokens}u;
      let head = group.y * ${four ? vectors : size}u;
      let statistics = (group.z * ${heads}u + group.y) * ${tokens}u;`,
    declare: (names: readonly string[]): string =>
      names.map((name) => `var ${name}: array<vec4<f32>, ${vectors}>;`).join('\n'),
    /** Fills the block with the next tokens, and the blocks of `numbers`. Values beyond the last token are 0. */
    fill: (sources: Readonly<Record<string, string>>, numbers: readonly string[] = []): string => `
      for (var i = thread; i < ${block * vectors}u; i += ${gridOf(sizes).threads}u) {
        let other = start + i / ${vectors}u;
        let v = i % ${vectors}u;
        let inside = other < ${tokens}u;
        let source = first + min(other, ${tokens - 1}u);
        ${Object.entries(sources)
          .map(([name, source]) => `${name}[i] = select(vec4<f32>(0.0), ${source}, inside);`)
          .join('\n')}
      }
      ${numbers.length === 0 ? '' : fillNumbers(numbers, block, sizes)}
      workgroupBarrier();`,
    overBlocks: (filling: string, body: string): string => `
      for (var start = 0u; start < ${tokens}u; start += ${block}u) {
        ${filling}
        ${body}
        workgroupBarrier();
      }`,
    /** Of the own token, vector v. */
    ownQkv: (part: number): string => `qkvGet(first + token, ${offset(part)}, v)`,
    isOwn: `if (own < ${tokens}u)`,
    store: (part: number, value: string): string =>
      overVectors(`dqkvSet(first + token, ${offset(part)}, v, ${value});`),
  };
}

const fillNumbers = (numbers: readonly string[], block: number, sizes: AttentionSizes): string => `
  for (var i = thread; i < ${block}u; i += ${gridOf(sizes).threads}u) {
    let at = statistics + min(start + i, ${sizes.tokens - 1}u);
    ${numbers.map((name) => `${name}Block[i] = ${name}[at];`).join('\n')}
  }`;

/** Indices of the four components of vector v in a head of single values. */
const COMPONENTS = [0, 1, 2, 3].map((j) => `4u * v + ${j}u`);

/** WGSL: `Get`, which reads vector v of a head's part of a token. `width` is the width of a token in the buffer. */
function read(buffer: string, { lanes }: BufferElements, width: number, size: number): string {
  const at = placeOf(lanes, width);
  const single = (c: string): string =>
    `select(0.0, f32(${buffer}[${at(`min(${c}, ${size - 1}u)`)}]), ${c} < ${size}u)`;
  const vector = lanes === 4 ? `${buffer}[${at('v')}]` : COMPONENTS.map(single).join(', ');
  return `
    fn ${buffer}Get(token: u32, offset: u32, v: u32) -> vec4<f32> { return vec4<f32>(${vector}); }`;
}

/** WGSL: `Set`, which writes it. */
function write(buffer: string, { lanes, stored }: BufferElements, width: number, size: number): string {
  const at = placeOf(lanes, width);
  const scalar = stored === 'half' ? 'f16' : 'f32';
  const statements =
    lanes === 4
      ? `${buffer}[${at('v')}] = vec4<${scalar}>(value);`
      : COMPONENTS.map((c, j) => `if (${c} < ${size}u) { ${buffer}[${at(c)}] = ${scalar}(value[${j}]); }`).join('\n');
  return `
    fn ${buffer}Set(token: u32, offset: u32, v: u32, value: vec4<f32>) { ${statements} }`;
}

const placeOf =
  (lanes: 1 | 4, width: number) =>
  (v: string): string =>
    `token * ${width / lanes}u + offset + ${v}`;
