/**
 * Loss scaling, for each gradient by itself. Gradients of a mean are small: float16 has nothing below 6e-8, and float32
 * goes on to 1e-38. Each is brought near 2^10 by a power of two before it is rounded, and its products are brought back,
 * which loses no bit. No scale has to be found by trial, no step is dropped, and what resumes has nothing to remember.
 */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { computedType, scalars } from '../pass.js';
import { LARGEST_OF_GROUP, partsOf, THREADS } from './largest.js';

/** The largest value is brought to 2^10 … 2^11, of the 2^16 that float16 has; what is 2^34 times smaller is still told from 0. */
const TARGET = 10;

export interface Scaling {
  /** What x is multiplied by before, value by value, and how large that is at most. */
  readonly times?: { readonly tensor: tf.TensorInfo; readonly atMost: number } | undefined;
  /** The largest value of x·times times the factor is below 2^(target + 1). */
  readonly target?: number;
}

/**
 * Looks for the largest value, where it is not known of x already.
 *
 * @returns [factor, 1 / factor], a new tensor on the device.
 */
export function scaleForHalf(
  backend: VitBackend,
  x: tf.TensorInfo,
  { times, target = TARGET }: Scaling = {},
): tf.TensorInfo {
  const known = backend.largestOf(x);
  if (known) return scaleFor(backend, known, { atMost: times?.atMost ?? 1, target });
  const parts = largestOf(backend, x, times?.tensor);
  const scale = scaleFor(backend, parts, { atMost: 1, target });
  backend.release(parts);
  return scale;
}

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

/** @param atMost What all parts may still be multiplied by. */
function scaleFor(
  backend: VitBackend,
  parts: tf.TensorInfo,
  { atMost, target }: { atMost: number; target: number },
): tf.TensorInfo {
  const scale = backend.output([2]);
  const count = sizeOf(parts.shape);
  backend.run({
    name: 'scaleForHalf',
    sizes: { count, atMost, target },
    reads: { parts: scalars(parts) },
    writes: { scale: scalars(scale) },
    threads: THREADS,
    groups: [1, 1, 1],
    code: () => ({
      declarations: LARGEST_OF_GROUP,
      body: `
        var most = 0.0;
        for (var i = thread; i < ${count}u; i += ${THREADS}u) { most = max(most, parts[i]); }
        let largest = ${atMost} * largestOfGroup(thread, most);
        if (thread == 0u) {
          // Of 0, and of what is not finite, nothing is to be made.
          let usable = largest > 1e-30 && largest < 1e30;
          let exponent = select(0, ${target} - i32(floor(log2(largest))), usable);
          scale[0] = ldexp(1.0, exponent);
          scale[1] = ldexp(1.0, -exponent);
        }`,
    }),
  });
  return scale;
}
