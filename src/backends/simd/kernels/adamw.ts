/**
 * VitAdamW: src/ops/adamw.ts describes it. One job over all parameters. It also updates the parameters that are kept in
 * bfloat16. The rates are read from their tensor: they differ in each repetition of a recorded step.
 */
import type { AdamWStep } from '../../../ops/adamw.js';
import { NONE, offset, offsetRounded } from '../address.js';
import { ADAMW_ROW } from '../tasks/adamw.js';
import { defineKernel } from './kernel.js';

interface AdamWAttributes extends AdamWStep {
  rateScales: readonly number[];
  weightDecays: readonly number[];
}

/** Floats of a chunk. Four arrays of this size fit the second-level cache. */
const CHUNK = 32_768;

export const adamW = defineKernel<AdamWAttributes>(
  'VitAdamW',
  (backend, inputs, { rateScales, weightDecays, beta1, beta2, epsilon }) => {
    const runs = rateScales.flatMap((rateScale, slot) => {
      const [value, first, second, gradient] = [0, 1, 2, 3].map((part) => inputs[String(4 * slot + part)]!);
      const total = backend.values(value!).length;
      const rounded = backend.bfloat16Address(value!);
      const weightDecay = weightDecays[slot]!;
      return Array.from({ length: Math.ceil(total / CHUNK) }, (_, i) => ({
        value: offset(backend.address(value!), i * CHUNK),
        rounded: rounded === undefined ? NONE : offsetRounded(rounded, i * CHUNK),
        first: offset(backend.address(first!), i * CHUNK),
        second: offset(backend.address(second!), i * CHUNK),
        gradient: offset(backend.address(gradient!), i * CHUNK),
        count: Math.min(CHUNK, total - i * CHUNK),
        rateScale,
        weightDecay,
      }));
    });
    const given = backend.values(inputs.rates!);
    const { words } = ADAMW_ROW;
    backend.withScratch(8 * words * runs.length, (table) => {
      const rows = new Float64Array(backend.heap.memory.buffer, table, words * runs.length);
      backend.perform((threads) => {
        for (const [i, run] of runs.entries()) ADAMW_ROW.write(rows.subarray(i * words, (i + 1) * words), run);
        const rates = {
          learningRate: given[0]!,
          firstBias: given[1]!,
          inverseBias: given[2]!,
          gradientScale: given[3]!,
        };
        threads.run('adamW', runs.length, { table, beta1, beta2, epsilon, ...rates });
      });
    });
    return [];
  },
);
