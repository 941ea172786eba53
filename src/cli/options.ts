/** Options that mean the same in every command that has them. */
import { InvalidArgumentError, Option } from 'commander';
import { DEVICE_NAMES, type DeviceName } from '../backends/device.js';

export const deviceOption = (): Option =>
  new Option('--device <name>', 'where tensors live').choices(['auto', ...DEVICE_NAMES]).default('auto');

export const jsonOption = (): Option => new Option('--json', 'machine-readable output on standard output');

export const outOption = (): Option =>
  new Option('-o, --out <folder>', 'results folder (default: results/<name of the sweep>)');

export const setOption = (): Option =>
  new Option('--set <key=value>', 'override a key of the spec, as in job.pretrain.epochs=5; repeatable')
    .argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value])
    .default([], 'none');

export const jobsOption = (): Option =>
  new Option('-j, --jobs <n>', 'stages that run at once (default: the cores; 1 on a GPU)').argParser(positiveInteger);

export const threadsOption = (): Option =>
  new Option('--threads <n>', 'threads of a stage on device simd (default: the cores divided by --jobs)').argParser(
    positiveInteger,
  );

export function positiveInteger(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('expected a positive integer');
  return number;
}

export type DeviceChoice = DeviceName | 'auto';
