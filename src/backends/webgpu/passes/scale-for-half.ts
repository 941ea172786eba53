/**
 * Loss scaling, for each gradient by itself. Gradients of a mean are small: float16 has nothing below 6e-8, and float32
 * goes on to 1e-38. Each is brought near 2^10 by a power of two before it is rounded, and its products are brought back,
 * which loses no bit. No scale has to be found by trial, no step is dropped, and what resumes has nothing to remember.
 */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { computedType, scalars, STRIDERS, type Pass } from '../pass.js';
import { largestOfGroup, partsOf, THREADS } from './largest.js';

/** The largest value is brought to 2^10 … 2^11, of the 2^16 that float16 has; what is 2^34 times smaller is still told from 0. */
const TARGET = 10;

export interface Scaling {
  /** What x is multiplied by before, value by value, and how large that is at most. */
  readonly times?: { readonly tensor: tf.TensorInfo; readonly atMost: number } | undefined;
  /** The largest value of x·times times the factor is below 2^(target + 1). */
  readonly target?: number;
}

/** [factor, 1 / factor], and what a pass of 256 invocations a workgroup needs to multiply by the factor. */
export interface Scale {
  readonly scale: tf.TensorInfo;
  /** A part of the code's identity. */
  readonly sizes: Pass['sizes'];
  readonly reads: Pass['reads'];
  readonly writes: Pass['writes'];
  readonly declarations: string;
  /** WGSL: declares `factor`, for which all invocations of a workgroup are there. */
  readonly begin: string;
}

/** Parts that every workgroup looks through: for more of them there is a pass before. */
const FEW = STRIDERS;

/**
 * The scale of a tensor for the pass that rounds it. Where few parts tell how large its values are, that pass finds the scale,
 * and leaves it for others; otherwise they are looked through before, or all values are where nothing is known of them.
 */
export function scaleForHalf(backend: VitBackend, x: tf.TensorInfo, { times, target = TARGET }: Scaling = {}): Scale {
  const scale = backend.output([2]);
  const known = backend.notes.largestOf(x);
  if (!known) {
    const parts = largestOf(backend, x, times?.tensor);
    findScale(backend, parts, scale, { atMost: 1, target });
    backend.release(parts);
    return found(scale);
  }
  const bounds = { atMost: times?.atMost ?? 1, target };
  const count = sizeOf(known.shape);
  if (count > FEW) {
    findScale(backend, known, scale, bounds);
    return found(scale);
  }
  return {
    scale,
    sizes: { count, ...bounds },
    reads: { parts: scalars(known) },
    writes: { scale: scalars(scale) },
    declarations: exponentOf(count, bounds),
    begin: `
      let exponent = exponentOf(thread);
      let factor = ldexp(1.0, exponent);
      if (thread == 0u && all(group == vec3<u32>(0u))) { ${WRITE} }`,
  };
}

const found = (scale: tf.TensorInfo): Scale => ({
  scale,
  sizes: {},
  reads: { scale: scalars(scale) },
  writes: {},
  declarations: '',
  begin: 'let factor = scale[0];',
});

/** WGSL: leaves what an `exponent` stands for. */
const WRITE = 'scale[0] = ldexp(1.0, exponent); scale[1] = ldexp(1.0, -exponent);';

/**
 * WGSL: a function that finds the factor's exponent.
 *
 * @param atMost What all parts may still be multiplied by.
 */
const exponentOf = (count: number, { atMost, target }: { atMost: number; target: number }): string => `
  ${largestOfGroup()}
  fn exponentOf(thread: u32) -> i32 {
    var most = 0.0;
    for (var i = thread; i < ${count}u; i += ${THREADS}u) { most = max(most, parts[i]); }
    let largest = ${atMost} * largestOfGroup(thread, most);
    // Of 0, and of what is not finite, nothing is to be made.
    let usable = largest > 1e-30 && largest < 1e30;
    return select(0, ${target} - i32(floor(log2(largest))), usable);
  }`;

/** @returns The largest absolute values of parts of x·times, a new tensor. */
function largestOf(backend: VitBackend, x: tf.TensorInfo, times: tf.TensorInfo | undefined): tf.TensorInfo {
  const size = sizeOf(x.shape);
  const operand = backend.asStored(x, size);
  const computed = computedType(operand);
  const value = `${computed}(x[i])${times ? ` * ${computed}(times[i])` : ''}`;
  const { parts, ...pass } = partsOf(backend, size / operand.lanes, operand.lanes, { value });
  backend.run({
    name: 'largest',
    sizes: { size, times: times !== undefined },
    reads: { x: operand, ...(times && { times: backend.asStored(times, size) }) },
    writes: { parts: scalars(parts) },
    ...pass,
  });
  return parts;
}

function findScale(
  backend: VitBackend,
  parts: tf.TensorInfo,
  scale: tf.TensorInfo,
  bounds: { atMost: number; target: number },
): void {
  const count = sizeOf(parts.shape);
  backend.run({
    name: 'scaleForHalf',
    sizes: { count, ...bounds },
    reads: { parts: scalars(parts) },
    writes: { scale: scalars(scale) },
    threads: THREADS,
    groups: [1, 1, 1],
    code: () => ({
      declarations: exponentOf(count, bounds),
      body: `
        let exponent = exponentOf(thread);
        if (thread == 0u) { ${WRITE} }`,
    }),
  });
}
