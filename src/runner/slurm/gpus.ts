/** GPUs that a submission requests and its stages do not use. Pure. */
import { DEVICES, type DeviceChoice } from '../../backends/index.js';
import type { SlurmOptions } from './options.js';

/** Options of sbatch that request GPUs, beside vitmim's own. */
const GPU_OPTIONS: ReadonlySet<string> = new Set(['gpus', 'gpus-per-node', 'gpus-per-task']);

/** GPUs of a stage; 0 if none is requested. */
function gpusOf({ gpus, sbatch }: SlurmOptions): number {
  const asked = sbatch.map(({ key, value }) => {
    if (value === null) return 0;
    if (key === 'gres') return countOf(value.split(',').filter((item) => item.startsWith('gpu:')));
    return GPU_OPTIONS.has(key) ? countOf(value.split(',')) : 0;
  });
  return Math.max(gpus === null ? 0 : countOf([gpus]), ...asked);
}

/** The sum of `2`, `a100:2`, `gpu:a100:2`. */
const countOf = (items: readonly string[]): number =>
  items.reduce((sum, item) => sum + Number(/(?:^|:)(\d+)$/.exec(item)?.[1] ?? 0), 0);

/** A warning if GPUs of a stage would be idle; null: none would. */
export function idleGpus(options: SlurmOptions, device: DeviceChoice): string | null {
  const count = gpusOf(options);
  if (count === 0) return null;
  if (device !== 'auto' && DEVICES[device].computesOn === 'processor') {
    return `--device ${device} computes on the processor: ${count === 1 ? 'the GPU' : `all ${count} GPUs`} of each stage would be idle`;
  }
  if (count === 1) return null;
  return (
    `a stage uses one GPU: ${count - 1} of ${count} would be idle; request 1: ` +
    'stages that run at the same time have one each (--array-parallelism)'
  );
}
