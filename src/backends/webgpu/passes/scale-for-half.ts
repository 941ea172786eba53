/**
 * Loss scaling, for each gradient by itself. Gradients of a mean are small: float16 has nothing below 6e-8, and float32
 * goes on to 1e-38. Each is brought near 2^10 by a power of two before it is rounded, and its products are brought back,
 * which loses no bit. No scale has to be found by trial, no step is dropped, and what resumes has nothing to remember.
 */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { computedType, scalars } from '../pass.js';
import { reduction } from './reduction.js';

const THREADS = 256;
const MOST_GROUPS = 1024;

/** The largest value is brought to 2^10 … 2^11, of the 2^16 that float16 has; what is 2^34 times smaller is still told from 0. */
const TARGET = 10;

/**
 * @param times What x is multiplied by before, value by value.
 * @param target The largest value of x·times times the factor is below 2^(target + 1).
 * @returns [factor, 1 / factor], a new tensor on the device.
 */
export function scaleForHalf(
  backend: VitBackend,
  x: tf.TensorInfo,
  { times, target = TARGET }: { times?: tf.TensorInfo | undefined; target?: number } = {},
): tf.TensorInfo {
  const size = sizeOf(x.shape);
  const operand = backend.asStored(x, size);
  const count = size / operand.lanes;
  const groups = Math.min(MOST_GROUPS, Math.ceil(count / THREADS));
  const parts = backend.output([groups]);
  const declarations = reduction('largestOfGroup', 'f32', THREADS, (a, b) => `max(${a}, ${b})`);
  const one =
    operand.lanes === 4 ? 'let pair = max(v.xy, v.zw); most = max(most, max(pair.x, pair.y));' : 'most = max(most, v);';
  const computed = computedType(operand);
  const value = `${computed}(x[i])${times ? ` * ${computed}(times[i])` : ''}`;
  backend.run({
    name: 'largest',
    sizes: { size, groups, times: times !== undefined },
    reads: { x: operand, ...(times && { times: backend.asStored(times, size) }) },
    writes: { parts: scalars(parts) },
    threads: THREADS,
    groups: [groups, 1, 1],
    code: () => ({
      declarations,
      body: `
        var most = 0.0;
        for (var i = group.x * ${THREADS}u + thread; i < ${count}u; i += ${groups * THREADS}u) { let v = abs(${value}); ${one} }
        let largest = largestOfGroup(thread, most);
        if (thread == 0u) { parts[group.x] = largest; }`,
    }),
  });
  const scale = backend.output([2]);
  backend.run({
    name: 'scaleForHalf',
    sizes: { groups, target },
    reads: { parts: scalars(parts) },
    writes: { scale: scalars(scale) },
    threads: THREADS,
    groups: [1, 1, 1],
    code: () => ({
      declarations,
      body: `
        var most = 0.0;
        for (var i = thread; i < ${groups}u; i += ${THREADS}u) { most = max(most, parts[i]); }
        let largest = largestOfGroup(thread, most);
        if (thread == 0u) {
          // Of 0, and of what is not finite, nothing is to be made.
          let usable = largest > 1e-30 && largest < 1e30;
          let exponent = select(0, ${target} - i32(floor(log2(largest))), usable);
          scale[0] = ldexp(1.0, exponent);
          scale[1] = ldexp(1.0, -exponent);
        }`,
    }),
  });
  backend.release(parts);
  return scale;
}
