/** To float16: what is multiplied in it is brought there once, and every product then reads half the bytes. */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { computedType, invocations, scalars, typeOf } from '../pass.js';

export interface Rounding {
  /** What x is multiplied by first, value by value. */
  readonly times?: tf.TensorInfo | undefined;
  /** [factor, 1 / factor]: the factor is the last that x is multiplied by. */
  readonly scale?: tf.TensorInfo | undefined;
}

/** @returns x·times·scale[0] rounded to float16, a new tensor of the shape of x. */
export function roundToHalf(backend: VitBackend, x: tf.TensorInfo, { times, scale }: Rounding = {}): tf.TensorInfo {
  const y = backend.outputHalf(x.shape);
  const size = sizeOf(x.shape);
  const operand = backend.asStored(x, size);
  const target = backend.asStored(y, size);
  const computed = computedType(operand);
  const { begin, ...layout } = invocations(size / operand.lanes);
  backend.run({
    name: 'roundToHalf',
    sizes: { size, times: times !== undefined, scaled: scale !== undefined },
    reads: {
      x: operand,
      ...(times && { times: backend.asStored(times, size) }),
      ...(scale && { scale: scalars(scale) }),
    },
    writes: { y: target },
    ...layout,
    code: () => ({
      body: `
        ${begin}
        let value = ${computed}(x[i])${times ? ` * ${computed}(times[i])` : ''}${scale ? ' * scale[0]' : ''};
        y[i] = ${typeOf(target)}(value);`,
    }),
  });
  return y;
}
