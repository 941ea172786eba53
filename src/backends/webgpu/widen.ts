/** From float16 to float32, for kernels that know nothing of the other. */
import { invocations, typeOf, type Operand, type Pass } from './pass.js';

/**
 * The pass that does it.
 *
 * @param size Number of values.
 */
export function widening(half: Operand, wide: Operand, size: number): Pass {
  const { begin, ...layout } = invocations(size / wide.lanes);
  return {
    name: 'widen',
    sizes: { size },
    reads: { half },
    writes: { wide },
    ...layout,
    code: () => ({
      body: `
        ${begin}
        wide[i] = ${typeOf(wide)}(half[i]);`,
    }),
  };
}
