/** Rounding to float16. A factor is rounded once, and every product then reads half the bytes. */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { computedType, definePass, striding, typeOf } from '../pass.js';
import { scaleCode, type ScaleSearch, type HalfScale } from './scale-for-half.js';

export interface Rounding {
  /** An optional factor for each element, applied first. */
  readonly times?: tf.TensorInfo | undefined;
  /** An optional factor for all elements, applied last. */
  readonly scale?: HalfScale | undefined;
}

const roundPass = definePass<
  { size: number; finding: ScaleSearch | null },
  'x' | 'times?' | 'parts?' | 'scale?',
  'y' | 'scale?'
>('roundToHalf', ({ size, finding }, { x, y, times, scale }) => {
  const computed = computedType(x);
  const { loop, ...layout } = striding(size / x.lanes);
  const { declarations, begin } = scale ? scaleCode(finding) : { declarations: '', begin: '' };
  const body = `
    ${begin}
    ${loop(`
      let value = ${computed}(x[i])${times ? ` * ${computed}(times[i])` : ''}${scale ? ' * factor' : ''};
      y[i] = ${typeOf(y)}(value);`)}`;
  return { ...layout, declarations, body };
});

/** @returns x·times·factor rounded to float16, a new tensor of the shape of x. */
export function roundToHalf(backend: VitBackend, x: tf.TensorInfo, { times, scale }: Rounding = {}): tf.TensorInfo {
  const y = backend.outputHalf(x.shape);
  const size = sizeOf(x.shape);
  const operand = (tensor: tf.TensorInfo) => backend.asStored(tensor, size);
  const reads = { x: operand(x), times: times && operand(times), ...scale?.reads };
  backend.run(roundPass({ size, finding: scale?.finding ?? null }, reads, { y: operand(y), ...scale?.writes }));
  return y;
}
