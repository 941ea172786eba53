/** VitAdamW: src/ops/adamw.ts says what it is. One job over all parameters. */
import type { AdamWStep } from '../../../ops/adamw.js';
import { ADAMW_ROW, type AdamWRow } from '../tasks/adamw.js';
import { FLOAT } from '../tasks/chunks.js';
import { defineKernel } from './kernel.js';

interface AdamWAttributes extends AdamWStep {
  rateScales: readonly number[];
  weightDecays: readonly number[];
}

/** Floats of a chunk: four arrays of it pass through the second-level cache. */
const CHUNK = 32_768;

export const adamW = defineKernel<AdamWAttributes>(
  'VitAdamW',
  (backend, inputs, { rateScales, weightDecays, ...step }) => {
    const { learningRate, beta1, beta2, epsilon, gradientScale } = step;
    const table = rateScales.flatMap((rateScale, slot): AdamWRow[] => {
      const tensors = [0, 1, 2, 3].map((part) => inputs[String(4 * slot + part)]!);
      const [value, first, second, gradient] = tensors.map((tensor) => backend.address(tensor)) as [
        number,
        number,
        number,
        number,
      ];
      const count = backend.values(tensors[0]!).length;
      const rate = learningRate * rateScale;
      const factors = [1 - rate * weightDecays[slot]!, rate / (1 - beta1 ** step.step)] as const;
      return Array.from({ length: Math.ceil(count / CHUNK) }, (_, i): AdamWRow => {
        const at = FLOAT * i * CHUNK;
        const length = Math.min(CHUNK, count - i * CHUNK);
        return [value + at, first + at, second + at, gradient + at, length, ...factors];
      });
    });
    backend.withScratch(8 * ADAMW_ROW * table.length, (address) => {
      new Float64Array(backend.heap.memory.buffer, address, ADAMW_ROW * table.length).set(table.flat());
      const inverseBias = 1 / Math.sqrt(1 - beta2 ** step.step);
      backend.run('adamW', table.length, address, beta1, beta2, epsilon, inverseBias, gradientScale);
    });
    return [];
  },
);
