/**
 * Loss scaling, separately for each gradient. Gradients of a mean are small: the smallest positive float16 is 6e-8, the
 * smallest float32 1e-38. Before it is rounded, each gradient is multiplied by the power of two that scales its largest
 * value to about 2^10. Products of it are divided by the same power, which is exact. Hence no scale is found by trial,
 * no step is skipped, and a checkpoint contains no scale.
 */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { computedType, definePass, scalars, STRIDERS, type Operand } from '../pass.js';
import { largestOfGroup, largestParts, partsFor, THREADS } from './largest.js';

/**
 * The largest value is scaled to 2^10 … 2^11; the range of float16 ends at 2^16. Values 2^34 times smaller are still
 * not 0.
 */
const TARGET = 10;

export interface Scaling {
  /** An optional factor for each element of x, applied first, and its largest possible absolute value. */
  readonly times?: { readonly tensor: tf.TensorInfo; readonly atMost: number } | undefined;
  /** The largest value of x·times·factor is below 2^(target + 1). */
  readonly target?: number;
}

/** How the factor is found from the largest values of parts. */
export interface ScaleSearch {
  /** Number of parts. */
  readonly count: number;
  /** The largest factor that may still be applied to the parts. */
  readonly atMost: number;
  readonly target: number;
}

/**
 * A scale, and the data with which a pass of 256 invocations a workgroup multiplies by its factor: see {@link
 * scaleCode}.
 */
export interface HalfScale {
  /** [factor, 1 / factor] */
  readonly scale: tf.TensorInfo;
  /** null: the scale is known. Otherwise the pass finds it in `parts`, and writes it. */
  readonly finding: ScaleSearch | null;
  readonly reads: { readonly parts?: Operand; readonly scale?: Operand };
  readonly writes: { readonly scale?: Operand };
}

/** Most parts that every workgroup reads. For more parts, an earlier pass finds the scale. */
const FEW = STRIDERS;

/**
 * The scale of a tensor for the pass that rounds it. If the tensor's largest values are noted in few parts, that pass
 * finds the scale itself and writes it. Otherwise an earlier pass finds it: from many parts, or from all values if none
 * are noted.
 */
export function scaleForHalf(
  backend: VitBackend,
  x: tf.TensorInfo,
  { times, target = TARGET }: Scaling = {},
): HalfScale {
  const scale = backend.output([2]);
  const known = backend.notes.largestOf(x);
  if (!known) {
    const parts = largestOf(backend, x, times?.tensor);
    findScale(backend, parts, scale, { atMost: 1, target });
    backend.release(parts);
    return { scale, finding: null, reads: { scale: scalars(scale) }, writes: {} };
  }
  const bounds = { atMost: times?.atMost ?? 1, target };
  const count = sizeOf(known.shape);
  if (count > FEW) {
    findScale(backend, known, scale, bounds);
    return { scale, finding: null, reads: { scale: scalars(scale) }, writes: {} };
  }
  const finding = { count, ...bounds };
  return { scale, finding, reads: { parts: scalars(known) }, writes: { scale: scalars(scale) } };
}

/** WGSL: writes the scale of an `exponent`. */
const WRITE = 'scale[0] = ldexp(1.0, exponent); scale[1] = ldexp(1.0, -exponent);';

/** WGSL for the beginning of a shader: declares `factor`. All invocations of a workgroup run it. */
export function scaleCode(finding: ScaleSearch | null): { declarations: string; begin: string } {
  if (!finding) return { declarations: '', begin: 'let factor = scale[0];' };
  const begin = `
    let exponent = exponentOf(thread);
    let factor = ldexp(1.0, exponent);
    if (thread == 0u && all(group == vec3<u32>(0u))) { ${WRITE} }`;
  return { declarations: exponentOf(finding), begin };
}

/** WGSL: a function that finds the factor's exponent. */
const exponentOf = ({ count, atMost, target }: ScaleSearch): string => `
  ${largestOfGroup()}
  fn exponentOf(thread: u32) -> i32 {
    var most = 0.0;
    for (var i = thread; i < ${count}u; i += ${THREADS}u) { most = max(most, parts[i]); }
    let largest = ${atMost} * largestOfGroup(thread, most);
    // The factor is 1 for 0, and for what is not finite.
    let usable = largest > 1e-30 && largest < 1e30;
    return select(0, ${target} - i32(floor(log2(largest))), usable);
  }`;

const largestPass = definePass<{ size: number }, 'x' | 'times?', 'parts'>('largest', ({ size }, { x, times }) => {
  const computed = computedType(x);
  const value = `${computed}(x[i])${times ? ` * ${computed}(times[i])` : ''}`;
  return largestParts(size / x.lanes, x.lanes, { value });
});

/** @returns The largest absolute values of parts of x·times, a new tensor. */
function largestOf(backend: VitBackend, x: tf.TensorInfo, times: tf.TensorInfo | undefined): tf.TensorInfo {
  const size = sizeOf(x.shape);
  const operand = backend.asStored(x, size);
  const parts = partsFor(backend, size / operand.lanes);
  const reads = { x: operand, times: times && backend.asStored(times, size) };
  backend.run(largestPass({ size }, reads, { parts: scalars(parts) }));
  return parts;
}

const scalePass = definePass<ScaleSearch, 'parts', 'scale'>('scaleForHalf', (finding) => {
  const body = `
    let exponent = exponentOf(thread);
    if (thread == 0u) { ${WRITE} }`;
  return { threads: THREADS, groups: [1, 1, 1], declarations: exponentOf(finding), body };
});

function findScale(
  backend: VitBackend,
  parts: tf.TensorInfo,
  scale: tf.TensorInfo,
  bounds: Omit<ScaleSearch, 'count'>,
): void {
  const finding = { count: sizeOf(parts.shape), ...bounds };
  backend.run(scalePass(finding, { parts: scalars(parts) }, { scale: scalars(scale) }));
}
