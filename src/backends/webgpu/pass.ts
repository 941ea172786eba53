/**
 * A pass: one run of a compute shader, as data. Its WGSL is text with all sizes as constants, composed of small pieces.
 *
 * A shader is compiled once for all that its code depends on: the sizes, and the types of its buffers. Its builder is a
 * function of these two, defined at the top level of a file by {@link definePass}. So the code cannot depend on
 * anything that is missing from the key of its pipeline.
 */
import type * as tf from '@tensorflow/tfjs';

/** The type of a buffer's elements: single values, or vectors of four. */
export interface BufferElements {
  readonly dtype: tf.DataType;
  readonly lanes: 1 | 4;
  /** `half`: float16; `packed`: eight float16 in a vec4<u32>, for passes that only copy them. */
  readonly stored?: 'half' | 'packed';
}

/** A tensor as a pass reads or writes it. */
export interface Operand extends BufferElements {
  readonly tensor: tf.TensorInfo;
}

export type Operands = Readonly<Record<string, Operand>>;

/** One run of a compute shader. */
export interface Pass {
  /** The definition. Passes of one definition that agree in sizes and types run the same pipeline. */
  readonly definition: object;
  /** For measurements and error messages. */
  readonly name: string;
  readonly sizes: Readonly<Record<string, unknown>>;
  /** Buffers that are only read, by their names in the code. */
  readonly reads: Operands;
  /** Buffers that are written and may be read. */
  readonly writes: Operands;
  /** Numbers that change from run to run, as `uniforms: array<vec4<f32>, n>`; their count is a multiple of four. */
  readonly uniforms?: readonly number[] | undefined;
  readonly build: () => Shader;
}

/** WGSL. The body can use `group` (workgroup_id) and `thread` (its index in the workgroup). */
export interface Code {
  readonly extensions?: readonly string[];
  /** Further parameters of the entry point. */
  readonly parameters?: readonly string[];
  readonly declarations?: string;
  readonly body: string;
}

export interface Shader extends Code {
  /** Invocations of a workgroup. */
  readonly threads: number;
  /** Number of workgroups along each axis. */
  readonly groups: readonly [number, number, number];
}

/** By buffer name. A name that ends in `?` is for a buffer that may be absent. */
export type ByBuffer<Names extends string, Value> = {
  readonly [Name in Names as Name extends `${string}?` ? never : Name]: Value;
} & {
  readonly [Name in Names as Name extends `${infer Base}?` ? Base : never]?: Value | undefined;
};

/** Data that JSON represents completely: a function among the sizes would be missing from the pipeline's key. */
type Plain<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends (...values: never) => unknown
    ? never
    : { readonly [Key in keyof T]: Plain<T[Key]> };

/**
 * Defines a shader. To be called at the top level of a file, so that `build` has no access to other variables.
 *
 * @param name For measurements and error messages.
 * @param build Creates the shader from sizes and from the types of the buffers.
 * @returns A function that creates a pass from sizes, buffers and uniforms.
 */
export function definePass<Sizes extends object, Reads extends string, Writes extends string>(
  name: string | ((sizes: Sizes) => string),
  build: (sizes: Sizes, types: ByBuffer<Reads | Writes, BufferElements>) => Shader,
) {
  const definition = {};
  return (
    sizes: Sizes & Plain<Sizes>,
    reads: ByBuffer<Reads, Operand>,
    writes: ByBuffer<Writes, Operand>,
    uniforms?: readonly number[],
  ): Pass => {
    const [read, written] = [presentOf(reads), presentOf(writes)];
    return {
      definition,
      name: typeof name === 'string' ? name : name(sizes),
      sizes,
      reads: read,
      writes: written,
      uniforms,
      build: () => build(sizes, typesOf({ ...read, ...written }) as ByBuffer<Reads | Writes, BufferElements>),
    };
  };
}

function presentOf(operands: Readonly<Record<string, Operand | undefined>>): Operands {
  const present: Record<string, Operand> = {};
  for (const name in operands) {
    const operand = operands[name];
    if (operand) present[name] = operand;
  }
  return present;
}

/** Without the tensors: code depends only on types. */
function typesOf(operands: Operands): Record<string, BufferElements> {
  const entries = Object.entries(operands);
  return Object.fromEntries(
    entries.map(([name, { dtype, lanes, stored }]) => [name, { dtype, lanes, ...(stored && { stored }) }]),
  );
}

/** Everything that the code of a pass depends on, besides its definition. */
export function keyOf({ sizes, reads, writes, uniforms }: Pass): string {
  return `${keyOfTypes(reads)};${keyOfTypes(writes)};${uniforms?.length ?? 0};${JSON.stringify(sizes)}`;
}

function keyOfTypes(operands: Operands): string {
  let key = '';
  for (const name in operands) {
    const { dtype, lanes, stored = '' } = operands[name]!;
    key += `${name} ${dtype} ${lanes} ${stored},`;
  }
  return key;
}

/** The whole shader of a pass. */
export function wgsl({ reads, writes, uniforms, build }: Pass, shader = build()): string {
  const { extensions = [], parameters = [], declarations = '', body, threads } = shader;
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
export function typeOf({ dtype, lanes, stored }: BufferElements): string {
  if (stored === 'packed') return 'vec4<u32>';
  const scalar = stored === 'half' ? 'f16' : dtype === 'float32' ? 'f32' : 'i32';
  return lanes === 4 ? `vec4<${scalar}>` : scalar;
}

/** WGSL: the type in which the elements of a float buffer are computed. */
export const computedType = ({ lanes }: Pick<BufferElements, 'lanes'>): string => (lanes === 4 ? 'vec4<f32>' : 'f32');

export const scalars = (tensor: tf.TensorInfo): Operand => ({ tensor, dtype: tensor.dtype, lanes: 1 });

/** For a tensor that is stored as float16. */
export const packed = (tensor: tf.TensorInfo): Operand => ({ ...scalars(tensor), lanes: 4, stored: 'packed' });

/** Vectors of four if the number of columns is a multiple of four, else single values. */
export const lanesFor = (tensor: tf.TensorInfo, columns: number): Operand => ({
  tensor,
  dtype: tensor.dtype,
  lanes: columns % 4 === 0 ? 4 : 1,
});

/** Passes per submission. With fewer the device would wait for the host; with more, buffers would be in use longer. */
export const PASSES_PER_SUBMISSION = 64;

/** Workgroups that a large GPU runs at once: two on each of 132 processors. */
export const AT_ONCE = 264;

/** The number of workgroups along an axis that every device allows. */
const GROUPS_ALONG_AXIS = 65535;

/**
 * Workgroups for a list of any length, arranged in a plane. {@link linearGroup} gives the code a workgroup's number.
 */
export function linearGroups(count: number): [number, number, number] {
  const x = Math.min(count, GROUPS_ALONG_AXIS);
  return [x, Math.ceil(count / x), 1];
}

/** WGSL: number of this workgroup among `count`. In the last row of the plane it may exceed `count`. */
export const linearGroup = (count: number): string => `(group.y * ${linearGroups(count)[0]}u + group.x)`;

/**
 * The layout of a shader with an invocation for each of `count` results. Its code begins with `begin`, which declares
 * `i`, the result's index, and returns if that is beyond the last result.
 */
export function invocations(count: number, threads = 256): Pick<Shader, 'threads' | 'groups'> & { begin: string } {
  const groups = Math.ceil(count / threads);
  const begin = `
    let i = ${linearGroup(groups)} * ${threads}u + thread;
    if (i >= ${count}u) { return; }`;
  return { threads, groups: linearGroups(groups), begin };
}

/** Most workgroups that process a list together: all that a large GPU runs at once, and more to follow them. */
export const STRIDERS = 1024;

/**
 * The layout of a shader whose workgroups process `count` results together, with its loop over `i`. For shaders whose
 * workgroups have other work before or after the loop.
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
