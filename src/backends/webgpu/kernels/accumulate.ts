/** VitAccumulate: src/ops/accumulate.ts says what it is. */
import { sizeOf } from '../../kernels.js';
import { invocations, lanesFor } from '../pass.js';
import { ACCUMULATE_KERNEL } from '../../../ops/accumulate.js';
import { defineKernel } from './kernel.js';

export const accumulate = defineKernel(ACCUMULATE_KERNEL, (backend, inputs) => {
  const [sum, term] = [inputs.sum!, inputs.term!];
  const size = sizeOf(sum.shape);
  const [to, from] = [lanesFor(sum, size), lanesFor(term, size)];
  const { begin, ...layout } = invocations(size / to.lanes);
  backend.run({
    name: 'accumulate',
    sizes: { size },
    reads: { term: from },
    writes: { sum: to },
    ...layout,
    code: () => ({ body: `${begin} sum[i] = sum[i] + term[i];` }),
  });
  return [];
});
