/** From float16 to float32, for kernels that do not read float16. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { definePass, invocations, scalars, typeOf, type Operand, type Pass } from './pass.js';

const widen = definePass<{ size: number }, 'half' | 'scale?', 'wide'>('widen', ({ size }, { wide, scale }) => {
  const { begin, ...layout } = invocations(size / wide.lanes);
  const body = `
    ${begin}
    wide[i] = ${typeOf(wide)}(half[i])${scale ? ' * scale[1]' : ''};`;
  return { ...layout, body };
});

/**
 * The pass that converts a tensor.
 *
 * @param size Number of values.
 * @param scale [factor, 1 / factor] by which the values have been multiplied.
 */
export function widening(half: Operand, wide: Operand, size: number, scale?: TensorInfo): Pass {
  return widen({ size }, { half, scale: scale && scalars(scale) }, { wide });
}
