/** From float16 to float32, for kernels that know nothing of the other. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { invocations, scalars, typeOf, type Operand, type Pass } from './pass.js';

/**
 * The pass that does it.
 *
 * @param size Number of values.
 * @param scale [factor, 1 / factor]: what they have been multiplied by.
 */
export function widening(half: Operand, wide: Operand, size: number, scale?: TensorInfo): Pass {
  const { begin, ...layout } = invocations(size / wide.lanes);
  return {
    name: 'widen',
    sizes: { size, scaled: scale !== undefined },
    reads: { half, ...(scale && { scale: scalars(scale) }) },
    writes: { wide },
    ...layout,
    code: () => ({
      body: `
        ${begin}
        wide[i] = ${typeOf(wide)}(half[i])${scale ? ' * scale[1]' : ''};`,
    }),
  };
}
