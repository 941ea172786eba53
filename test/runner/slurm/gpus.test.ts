import type { DeviceChoice } from '../../../src/backends/index.js';
import { idleGpus } from '../../../src/runner/slurm/gpus.js';
import { NO_OPTIONS } from './support.js';

const asking = (gpus: string | null, ...sbatch: [string, string][]) => ({
  ...NO_OPTIONS,
  gpus,
  sbatch: sbatch.map(([key, value]) => ({ key, value })),
});

it.each([
  ['8', [], 'webgpu', /7 of 8 would be idle/],
  ['a100:2', [], 'auto', /1 of 2 would be idle/],
  [null, [['gres', 'gpu:a100:4,ssd:2']], 'auto', /3 of 4 would be idle/],
  [null, [['gpus', '2']], 'tensorflow', /1 of 2 would be idle/],
  ['1', [], 'simd', /the GPU of each stage would be idle/],
  ['3', [], 'cpu', /all 3 GPUs of each stage would be idle/],
] as [string | null, [string, string][], DeviceChoice, RegExp][])(
  'GPUs %s with %j on %s: %s',
  (gpus, sbatch, device, text) => {
    expect(idleGpus(asking(gpus, ...sbatch), device)).toMatch(text);
  },
);

it.each([
  ['1', [], 'auto'],
  ['a100:1', [], 'webgpu'],
  [null, [], 'simd'],
  [null, [['comment', '8']], 'webgpu'],
  [null, [['gres', 'ssd:2']], 'webgpu'],
] as [string | null, [string, string][], DeviceChoice][])(
  'GPUs %s with %j on %s are all used',
  (gpus, sbatch, device) => {
    expect(idleGpus(asking(gpus, ...sbatch), device)).toBeNull();
  },
);
