/** To float16: what is multiplied in it is brought there once, and every product then reads half the bytes. */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { computedType, striding, typeOf } from '../pass.js';
import type { Scale } from './scale-for-half.js';

export interface Rounding {
  /** What x is multiplied by first, value by value. */
  readonly times?: tf.TensorInfo | undefined;
  /** The last that x is multiplied by. */
  readonly scale?: Scale | undefined;
}

/** @returns x·times·factor rounded to float16, a new tensor of the shape of x. */
export function roundToHalf(backend: VitBackend, x: tf.TensorInfo, { times, scale }: Rounding = {}): tf.TensorInfo {
  const y = backend.outputHalf(x.shape);
  const size = sizeOf(x.shape);
  const operand = backend.asStored(x, size);
  const target = backend.asStored(y, size);
  const computed = computedType(operand);
  const { loop, ...layout } = striding(size / operand.lanes);
  backend.run({
    name: 'roundToHalf',
    sizes: { size, times: times !== undefined, ...scale?.sizes },
    reads: { x: operand, ...(times && { times: backend.asStored(times, size) }), ...scale?.reads },
    writes: { y: target, ...scale?.writes },
    ...layout,
    code: () => ({
      declarations: scale?.declarations ?? '',
      body: `
        ${scale?.begin ?? ''}
        ${loop(`
          let value = ${computed}(x[i])${times ? ` * ${computed}(times[i])` : ''}${scale ? ' * factor' : ''};
          y[i] = ${typeOf(target)}(value);`)}`,
    }),
  });
  return y;
}
