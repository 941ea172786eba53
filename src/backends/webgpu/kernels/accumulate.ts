/** VitAccumulate: src/ops/accumulate.ts describes it. */
import { ACCUMULATE_KERNEL } from '../../../ops/accumulate.js';
import { sizeOf } from '../../kernels.js';
import { definePass, invocations, lanesFor } from '../pass.js';
import { defineKernel } from './kernel.js';

const accumulatePass = definePass<{ size: number }, 'term', 'sum'>('accumulate', ({ size }, { sum }) => {
  const { begin, ...layout } = invocations(size / sum.lanes);
  return { ...layout, body: `${begin} sum[i] = sum[i] + term[i];` };
});

export const accumulate = defineKernel(ACCUMULATE_KERNEL, (backend, inputs) => {
  const [sum, term] = [inputs.sum!, inputs.term!];
  const size = sizeOf(sum.shape);
  backend.run(accumulatePass({ size }, { term: lanesFor(term, size) }, { sum: lanesFor(sum, size) }));
  return [];
});
