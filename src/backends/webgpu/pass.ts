/**
 * A pass: one run of a compute shader, as data. Its WGSL is text with all sizes written in, made of small pieces.
 */
import type * as tf from '@tensorflow/tfjs';

/** A tensor as a pass sees it: in single values, or in vectors of four. */
export interface Operand {
  readonly tensor: tf.TensorInfo;
  readonly lanes: 1 | 4;
  /** `half`: in float16; `packed`: eight of those in a vec4<u32>, as they are moved and not computed with. */
  readonly stored?: 'half' | 'packed';
}

/** One run of a compute shader. */
export interface Pass {
  /** For people who measure, and part of the code's identity. */
  readonly name: string;
  /** All that the code depends on, besides the names and lanes of the operands. */
  readonly sizes: Readonly<Record<string, unknown>>;
  /** Buffers that are read only, by the name the code gives them. */
  readonly reads: Readonly<Record<string, Operand>>;
  /** Buffers that are written, and may be read. */
  readonly writes: Readonly<Record<string, Operand>>;
  /** Numbers that change from run to run, as `uniforms: array<vec4<f32>, n>`; a multiple of four. */
  readonly uniforms?: readonly number[];
  /** Invocations of a workgroup. */
  readonly threads: number;
  /** Number of workgroups along each axis. */
  readonly groups: readonly [number, number, number];
  readonly code: () => Code;
}

/** WGSL. The body sees `group` (workgroup_id) and `thread` (its index in the workgroup). */
export interface Code {
  readonly extensions?: readonly string[];
  /** Further parameters of the entry point. */
  readonly parameters?: readonly string[];
  readonly declarations?: string;
  readonly body: string;
}

/** The whole shader of a pass. */
export function wgsl({ reads, writes, uniforms, threads, code }: Omit<Pass, 'groups' | 'name' | 'sizes'>): string {
  const { extensions = [], parameters = [], declarations = '', body } = code();
  const operands = [...Object.values(reads), ...Object.values(writes)];
  const half = operands.some(({ stored }) => stored === 'half') ? ['f16'] : [];
  const buffers = [
    ...Object.entries(reads).map(([name, operand]) => ({ name, access: 'read', operand })),
    ...Object.entries(writes).map(([name, operand]) => ({ name, access: 'read_write', operand })),
  ].map(
    ({ name, access, operand }, binding) =>
      `@group(0) @binding(${binding}) var<storage, ${access}> ${name}: array<${typeOf(operand)}>;`,
  );
  const uniform = uniforms
    ? [`@group(0) @binding(${buffers.length}) var<uniform> uniforms: array<vec4<f32>, ${uniforms.length / 4}>;`]
    : [];
  return [
    ...[...new Set([...half, ...extensions])].map((extension) => `enable ${extension};`),
    ...buffers,
    ...uniform,
    declarations,
    `@compute @workgroup_size(${threads})`,
    `fn main(${['@builtin(workgroup_id) group: vec3<u32>', '@builtin(local_invocation_index) thread: u32', ...parameters].join(', ')}) {`,
    body,
    '}',
  ].join('\n');
}

/** WGSL: type of the elements of a buffer. */
export function typeOf({ tensor, lanes, stored }: Operand): string {
  if (stored === 'packed') return 'vec4<u32>';
  const scalar = stored === 'half' ? 'f16' : tensor.dtype === 'float32' ? 'f32' : 'i32';
  return lanes === 4 ? `vec4<${scalar}>` : scalar;
}

/** WGSL: type in which a float operand's elements are computed with. */
export const computedType = ({ lanes }: Pick<Operand, 'lanes'>): string => (lanes === 4 ? 'vec4<f32>' : 'f32');

export const scalars = (tensor: tf.TensorInfo): Operand => ({ tensor, lanes: 1 });

/** Of a tensor that is kept as float16. */
export const packed = (tensor: tf.TensorInfo): Operand => ({ tensor, lanes: 4, stored: 'packed' });

/** In fours where the rows have whole numbers of them, in single values elsewhere. */
export const lanesFor = (tensor: tf.TensorInfo, columns: number): Operand => ({
  tensor,
  lanes: columns % 4 === 0 ? 4 : 1,
});

/** Passes asked for before they are handed to the device: fewer would let it wait, more would hold buffers longer. */
export const PASSES_PER_SUBMISSION = 64;

/** Workgroups that a large card runs at once: two on each of 132 processors. */
export const AT_ONCE = 264;

/** Most workgroups along an axis that every device allows. */
const GROUPS_ALONG_AXIS = 65535;

/** Workgroups for a list of any length, laid out in a plane: the code has {@link linearGroup} to tell them apart. */
export function linearGroups(count: number): [number, number, number] {
  const x = Math.min(count, GROUPS_ALONG_AXIS);
  return [x, Math.ceil(count / x), 1];
}

/** WGSL: number of this workgroup among `count`, which may be exceeded in the last row. */
export const linearGroup = (count: number): string => `(group.y * ${linearGroups(count)[0]}u + group.x)`;

/**
 * The layout of a pass with an invocation for each of `count` results, and how its code begins: with `i`, the result's
 * number, and an end for those beyond the last.
 */
export function invocations(count: number, threads = 256): Pick<Pass, 'threads' | 'groups'> & { begin: string } {
  const groups = Math.ceil(count / threads);
  const begin = `
    let i = ${linearGroup(groups)} * ${threads}u + thread;
    if (i >= ${count}u) { return; }`;
  return { threads, groups: linearGroups(groups), begin };
}

/** Most workgroups that go through a list together: all of a large card's, and some to follow. */
export const STRIDERS = 1024;

/**
 * The layout of a pass whose workgroups go through `count` results together, for where each has something to do before
 * them or behind them, and the loop of it over `i`.
 */
export function striding(
  count: number,
  threads = 256,
): { threads: number; groups: [number, number, number]; loop: (body: string) => string } {
  const groups = Math.min(STRIDERS, Math.ceil(count / threads));
  const loop = (body: string): string => `
    for (var i = group.x * ${threads}u + thread; i < ${count}u; i += ${groups * threads}u) { ${body} }`;
  return { threads, groups: [groups, 1, 1], loop };
}
