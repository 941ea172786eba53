/** The options of `vitmim sweep --launcher slurm`. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../common/errors.js';
import { hasControl } from '../common/text.js';
import type { SlurmOptions } from '../runner/slurm/options.js';
import { positiveInteger, timeSpan } from './options.js';

export const LAUNCHERS = ['local', 'slurm'] as const;
export type Launcher = (typeof LAUNCHERS)[number];

/** As commander names them; what is missing is left to the cluster. */
export interface SlurmChoices {
  launcher: Launcher;
  partition?: string;
  qos?: string;
  gpus?: string;
  cpus?: number;
  mem?: string;
  time?: string;
  arrayParallelism?: number;
  setup?: string[];
  account?: string;
  constraint?: string;
  reservation?: string;
  exclude?: string;
  sbatch?: SlurmOptions['sbatch'];
  stay?: number | true;
}

/** Takes what the whole of `pattern` matches: these words go into `#SBATCH` lines, which have no safe quoting. */
const matching =
  (pattern: RegExp, expected: string) =>
  (value: string): string => {
    if (!pattern.test(value)) throw new InvalidArgumentError(`expected ${expected}`);
    return value;
  };

const names = matching(/^[\w.,-]+$/, 'a name, or several with commas between them');
const gpuCount = matching(/^([\w.-]+:)?[1-9]\d*$/, 'a number, or a type and a number as in a100:1');
const memory = matching(/^[1-9]\d*[KMGT]?$/, 'a number of megabytes, or a size as in 16G');
const time = matching(
  /^(\d+|\d+:\d\d|\d+:\d\d:\d\d|\d+-\d+(:\d\d){0,2})$/,
  "Slurm's form: minutes, hours:minutes:seconds or days-hours",
);

const features = matching(/^[\w.,&|*+:()[\]-]+$/, 'features of nodes, as in "a100&nvlink"');
const nodes = matching(/^[\w.,[\]-]+$/, 'names of nodes, as in node1,node[4-7]');

/** Options of sbatch that vitmim sets itself; the value is the option to use instead, if there is one. */
const OWN: Readonly<Record<string, string | null>> = {
  ...{ partition: '--partition', qos: '--qos', 'gpus-per-node': '--gpus', 'cpus-per-task': '--cpus', mem: '--mem' },
  ...{ time: '--time', account: '--account', constraint: '--constraint', reservation: '--reservation' },
  ...{ exclude: '--exclude', array: '--array-parallelism' },
  ...{ 'job-name': null, chdir: null, output: null, 'open-mode': null, signal: null, requeue: null },
  ...{ 'no-requeue': null, nodes: null, ntasks: null, dependency: null, 'kill-on-invalid-dep': null },
  ...{ parsable: null, wrap: null, wait: null, 'test-only': null },
};

/** `comment=a run` or `exclusive`, added to those before it. */
function sbatchOption(text: string, previous: SlurmOptions['sbatch'] | undefined): SlurmOptions['sbatch'] {
  const [, key, value = null] = /^([a-z][a-z0-9-]*)(?:=(.+))?$/s.exec(text) ?? [];
  if (key === undefined || hasControl(text)) {
    throw new InvalidArgumentError(
      'expected KEY=VALUE or KEY in one line, with a long option of sbatch without its --',
    );
  }
  const own = Object.hasOwn(OWN, key) ? OWN[key] : undefined;
  if (own !== undefined) {
    throw new InvalidArgumentError(own === null ? `vitmim sets --${key} itself` : `use ${own} instead`);
  }
  return [...(previous ?? []), { key, value }];
}

function setupLine(line: string, previous: string[] | undefined): string[] {
  if (hasControl(line)) throw new InvalidArgumentError('expected one line; give --setup once for each');
  return [...(previous ?? []), line];
}

/** Slurm's part of a command's options, with their names in {@link SlurmChoices}. */
const SLURM_OPTIONS: readonly [keyof SlurmChoices, Option][] = [
  ['partition', new Option('--partition <names>', 'Slurm: partitions to run on').argParser(names)],
  ['qos', new Option('--qos <name>', 'Slurm: quality of service').argParser(names)],
  ['gpus', new Option('--gpus <n>', 'Slurm: GPUs of a stage, as in 1 or a100:1').argParser(gpuCount)],
  ['cpus', new Option('--cpus <n>', 'Slurm: cores of a stage').argParser(positiveInteger)],
  ['mem', new Option('--mem <size>', 'Slurm: memory of a stage, as in 16G').argParser(memory)],
  ['time', new Option('--time <limit>', 'Slurm: limit of one run of a stage, as in 4:00:00').argParser(time)],
  [
    'arrayParallelism',
    new Option('--array-parallelism <n>', 'Slurm: most stages of one array at once').argParser(positiveInteger),
  ],
  [
    'setup',
    new Option(
      '--setup <line>',
      'Slurm: a line of shell before vitmim, as in "module load node"; repeatable',
    ).argParser(setupLine),
  ],
  ['account', new Option('--account <name>', 'Slurm: account that is charged').argParser(names)],
  ['constraint', new Option('--constraint <features>', 'Slurm: features that nodes must have').argParser(features)],
  ['reservation', new Option('--reservation <names>', 'Slurm: reservation to run in').argParser(names)],
  ['exclude', new Option('--exclude <nodes>', 'Slurm: nodes to avoid').argParser(nodes)],
  [
    'sbatch',
    new Option('--sbatch <KEY=VALUE>', 'Slurm: any other option of sbatch, as in comment=mine; repeatable').argParser(
      sbatchOption,
    ),
  ],
  [
    'stay',
    new Option(
      '--stay [time]',
      'Slurm: stay until all stages are submitted; look every 1m unless a time is given',
    ).argParser(timeSpan),
  ],
];

/** Adds `--launcher` and the options of Slurm to a command. */
export function addLauncherOptions(command: Command): Command {
  command.addOption(
    new Option('--launcher <name>', 'run stages here, or submit them as job arrays and return')
      .choices(LAUNCHERS)
      .default('local'),
  );
  for (const [, option] of SLURM_OPTIONS) command.addOption(option);
  return command;
}

/**
 * What was chosen, with null for the cluster's own choice.
 *
 * @throws UsageError for an option that the launcher does not have.
 */
export function launcherOf(
  choices: SlurmChoices & { jobs?: number; adapters?: string[]; stageTimeout?: number },
): 'local' | SlurmOptions {
  if (choices.launcher === 'local') {
    const stray = SLURM_OPTIONS.find(([key]) => choices[key] !== undefined)?.[1].long;
    if (stray !== undefined)
      throw new UsageError(`${stray} is an option of --launcher slurm; add that, or leave it out`);
    return 'local';
  }
  if (choices.jobs !== undefined) {
    throw new UsageError('--jobs is for stages on this machine; with --launcher slurm, use --array-parallelism');
  }
  if (choices.adapters !== undefined) {
    throw new UsageError('--adapters is for the GPUs of this machine; with --launcher slurm, use --gpus');
  }
  if (choices.stageTimeout !== undefined) {
    throw new UsageError('--stage-timeout is for stages on this machine; with --launcher slurm, use --time');
  }
  const { partition = null, qos = null, gpus = null, cpus = null, mem = null } = choices;
  const { time: limit = null, arrayParallelism = null, setup = [] } = choices;
  const { account = null, constraint = null, reservation = null, exclude = null, sbatch = [] } = choices;
  const further = { account, constraint, reservation, exclude, sbatch };
  return { partition, qos, gpus, cpus, mem, time: limit, arrayParallelism, setup, ...further };
}
