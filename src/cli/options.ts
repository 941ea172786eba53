/** Options that mean the same in every command that has them. */
import { InvalidArgumentError, Option } from 'commander';
import { DEVICE_NAMES } from '../backends/index.js';
import { STAGE_KINDS, leavesCheckpoint } from '../stages/index.js';
import { PROTOCOL_METRICS } from '../stages/metrics.js';
import { hinted } from './completion/hints.js';
import { parseShard, type Shard } from '../spec/shard.js';
import type { PlanChoice } from '../store/plans.js';

export const deviceOption = (): Option =>
  new Option('--device <name>', 'device that computes').choices(['auto', ...DEVICE_NAMES]).default('auto');

export const jsonOption = (): Option => new Option('--json', 'machine-readable output on standard output');

export const outOption = (): Option =>
  new Option('-o, --out <folder>', 'results folder (default: results/<name of the sweep>)');

export const setOption = (): Option =>
  new Option(
    '--set <key=value>',
    'set a key of the spec, as in job.pretrain.epochs=5 or grid.seed=[0]; null unsets it; repeatable',
  )
    .argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value])
    .default([], 'none');

export const jobsOption = (): Option =>
  new Option('-j, --jobs <n>', 'stages that run at once (default: the cores; 1 on a GPU)').argParser(positiveInteger);

/** @param otherwise The number without the option. */
export const threadsOption = (otherwise: string): Option =>
  new Option(
    '--threads <n>',
    `threads of a stage, for reading images and for device simd (default: ${otherwise})`,
  ).argParser(positiveInteger);

export const shardOption = (): Option =>
  new Option('--shard <i/n>', 'run part i of n of the sweep, for several machines').argParser(shard);

/** @param use What the metric is for. */
export const metricOption = (use: string): Option =>
  hinted(
    new Option('--metric <name>', `${use}: the name of an evaluation, or another metric of it, as in finetune.top5`),
    { words: PROTOCOL_METRICS, files: false },
  );

/** Which stage of a results folder a command is about; see `runner/choose-stage.ts`. */
export const stageOptions = (): Option[] => [
  new Option('--stage <id>', 'the stage, by its identity or the first digits of it'),
  new Option('--cell <key=value,…>', 'the stage by its cell, as in objective=masked,seed=0').conflicts('stage'),
  new Option('--kind <kind>', 'the kind of stage of the cell (default: the last one with a checkpoint)').choices(
    STAGE_KINDS.filter(leavesCheckpoint),
  ),
];

/** Which of the plans of a results folder a command is about, by {@link planOptions}. */
export interface PlanOptions {
  plan?: string;
  all?: true;
}

export const planOptions = (): Option[] => [
  new Option(
    '--plan <id>',
    'a plan of the folder, by its identity or the first digits of it (default: the newest)',
  ).conflicts('all'),
  new Option('--all', 'the union of all plans of the folder'),
];

export function planChoice({ plan, all }: PlanOptions): PlanChoice {
  if (all) return 'all';
  return plan === undefined ? 'newest' : { id: plan };
}

function shard(value: string): Shard {
  const parsed = parseShard(value);
  if (parsed === undefined) throw new InvalidArgumentError('expected i/n with i from 1 to n, such as 2/4');
  return parsed;
}

export const maxAttemptsOption = (): Option =>
  new Option('--max-attempts <n>', 'attempts at a stage that crashed, hung or was pre-empted, from its checkpoint')
    .argParser(positiveInteger)
    .default(3);

export function positiveInteger(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('expected a positive integer');
  return number;
}

export function positiveNumber(value: string): number {
  const number = Number(value);
  if (!(number > 0) || number === Infinity) throw new InvalidArgumentError('expected a positive number');
  return number;
}

/** `a,b` → ['a', 'b'] */
export function list(value: string): string[] {
  const items = value.split(',').map((item) => item.trim());
  if (items.includes('')) throw new InvalidArgumentError('expected names with commas between them');
  return items;
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 };

/** `90s`, `15m`, `2h` or `1d` → seconds. */
export function timeSpan(value: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(value);
  const seconds = match ? Number(match[1]) * UNITS[match[2]!]! : 0;
  if (seconds === 0) throw new InvalidArgumentError('expected a time such as 90s, 15m, 2h or 1d');
  return seconds;
}
