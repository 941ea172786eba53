/** The text of a batch script: everything that Slurm needs for an array except its dependencies. Pure. */
import { UsageError } from '../../common/errors.js';
import { shellWord } from '../../common/shell.js';
import { hasControl } from '../../common/text.js';
import { indexRanges, type StageArray } from './arrays.js';
import type { SubmissionPaths } from './layout.js';
import type { SlurmOptions } from './options.js';

/** Seconds before the time limit at which Slurm sends the signal to keep a checkpoint. */
const NOTICE = 90;

export interface ScriptOptions {
  array: StageArray;
  jobName: string;
  options: SlurmOptions;
  paths: SubmissionPaths;
  /** Absolute path of the results folder. */
  results: string;
  /** The folder in which the sweep was started: paths of data sets may be relative to it. */
  cwd: string;
  /** Node and the vitmim executable. */
  program: readonly string[];
  device: string;
  threads: number;
  maxAttempts: number;
  /** Absolute path of the provenance that all stages share. */
  origin: string;
}

/**
 * The script of an array.
 *
 * `exec` makes vitmim the process that the batch step's signals reach. A stage that Slurm itself requeues, after a node
 * failed, writes on into the same log.
 */
export function scriptOf(given: ScriptOptions): string {
  const { array, jobName, options, paths, results, cwd, program, device, threads, maxAttempts, origin } = given;
  const { partition, qos, gpus, cpus, mem, time, arrayParallelism, setup } = options;
  const { account, constraint, reservation, exclude, sbatch } = options;
  const atOnce = arrayParallelism === null ? '' : `%${arrayParallelism}`;
  const directives: [string, string | number | null][] = [
    ['job-name', directiveQuoted(jobName)],
    ['array', `${indexRanges(array.tasks.map(({ index }) => index))}${atOnce}`],
    ['nodes', 1],
    ['ntasks', 1],
    ['partition', partition],
    ['qos', qos],
    ['account', account],
    ['constraint', constraint === null ? null : directiveQuoted(constraint)],
    ['reservation', reservation],
    ['exclude', exclude === null ? null : directiveQuoted(exclude)],
    ['gpus-per-node', gpus],
    ['cpus-per-task', cpus],
    ['mem', mem],
    ['time', time],
    ['chdir', directiveQuoted(cwd)],
    ['output', directiveQuoted(paths.log(array.name))],
    ['open-mode', 'append'],
    ['signal', `B:USR1@${NOTICE}`],
  ];
  const list = shellWord(paths.list(array.name));
  const command = [...program, 'stage', results].map(shellWord).join(' ');
  return [
    '#!/bin/bash',
    ...directives.flatMap(([key, value]) => (value === null ? [] : [`#SBATCH --${key}=${value}`])),
    '#SBATCH --requeue',
    ...sbatch.map(({ key, value }) => `#SBATCH --${key}${value === null ? '' : `=${directiveQuoted(value)}`}`),
    '',
    'set -e',
    ...setup,
    `stage=$(sed -n "s/^$SLURM_ARRAY_TASK_ID //p" ${list})`,
    `if [ -z "$stage" ]; then echo "no stage has the index $SLURM_ARRAY_TASK_ID" >&2; exit 2; fi`,
    `exec ${command} "$stage" --plan ${shellWord(paths.plan)} --origin ${shellWord(origin)} --device ${device} --threads ${threads} --max-attempts ${maxAttempts}`,
    '',
  ].join('\n');
}

/** The texts that enter a script, by what an error calls them. */
export type ScriptWords = Readonly<Record<string, readonly (string | null)[]>>;

/**
 * Refuses texts that would begin a line of their own: Slurm reads `#SBATCH` lines, and the shell all others.
 *
 * @throws UsageError that names the first of them.
 */
export function refuseControlCharacters(words: ScriptWords): void {
  for (const [what, texts] of Object.entries(words)) {
    const bad = texts.find((text) => text !== null && hasControl(text));
    if (bad == null) continue;
    throw new UsageError(
      `${what} ${JSON.stringify(bad)} contains a line break or another control character, which a Slurm script ` +
        'cannot hold; choose another one',
    );
  }
}

/** One word of an `#SBATCH` line. Slurm reads quotes and backslashes there much as a shell does. */
function directiveQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `"${word.replaceAll(/["\\]/g, '\\$&')}"`;
}
