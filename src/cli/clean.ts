/** `vitmim clean`: removes files that a results folder no longer needs, and prints the freed space. */
import { Command, Option } from 'commander';
import { clean, REASONS, type Cleaned, type Reason, type Removal } from '../runner/clean.js';
import { livePlans } from '../runner/slurm/live-plans.js';
import { namesOf } from '../common/registry.js';
import { sweepPaths } from '../store/layout.js';
import { jsonOption } from './options.js';
import { EXIT, printJson, say } from './terminal.js';

interface Options {
  dryRun?: true;
  forget: string[];
  forgetOlder?: true;
  evaluationCheckpoints?: true;
  json?: true;
}

export function cleanCommand(finish: (code: number) => void): Command {
  return new Command('clean')
    .description('remove superseded stages and old checkpoints from a results folder')
    .argument('<folder>', 'the results folder')
    .option('-n, --dry-run', 'show what would be removed, and remove nothing')
    .option('--evaluation-checkpoints', 'also remove the checkpoints of finished evaluations; their results stay')
    .addOption(
      new Option('--forget <id>', 'remove this plan, so that its stages are superseded; repeatable')
        .argParser((id: string, previous: string[]) => [...previous, id])
        .default([], 'none'),
    )
    .addOption(new Option('--forget-older', 'remove every plan except the newest').conflicts('forget'))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Removes the stages that no plan of the folder contains, the checkpoints that a finished stage does not need (-previous and
-best), and incomplete files. A stage or plan that a process, a sweep or Slurm works on is not removed, so sweeps may run
in the folder at the same time. Results of plans that are kept are never removed.
Prints the bytes of each kind to standard output. vitmim status lists the plans.

Examples:
  vitmim clean results/ablation --dry-run
  vitmim clean results/ablation --forget 3f9a
  vitmim clean results/ablation --forget-older --evaluation-checkpoints`,
    )
    .action(async (folder: string, options: Options) => {
      const { files, unknown } = await livePlans(folder);
      if (unknown !== null) say(`Slurm's answer is not known, so the stages of all submissions are kept: ${unknown}`);
      const cleaned = clean(sweepPaths(folder), {
        dryRun: options.dryRun ?? false,
        forget: options.forgetOlder ? 'older' : options.forget,
        evaluations: options.evaluationCheckpoints ?? false,
        submitted: files,
      });
      if (options.json) printJson({ folder, dryRun: options.dryRun ?? false, ...cleaned });
      else process.stdout.write(`${describe(folder, cleaned, options.dryRun ?? false).join('\n')}\n`);
      finish(cleaned.damagedPlans.length > 0 ? EXIT.failed : EXIT.ok);
    });
}

/** A line for each reason, then what was left and why. */
function describe(folder: string, { removed, inUse, damagedPlans, plans }: Cleaned, dryRun: boolean): string[] {
  const verb = dryRun ? 'would remove' : 'removed';
  const lines = namesOf(REASONS).flatMap((reason) => lineOf(reason, removed, verb));
  const total = sumOf(removed);
  return [
    ...lines,
    ...inUse.map(({ path, by }) => `left ${path}: in use by ${by}`),
    ...damagedPlans.map(
      (path) => `${path} is damaged, so no stage counts as superseded; delete it, or run its sweep again`,
    ),
    `${folder}: ${dryRun ? 'would free' : 'freed'} ${describeBytes(total)}; ${plans} ${plans === 1 ? 'plan is' : 'plans are'} kept`,
  ];
}

function lineOf(reason: Reason, removed: readonly Removal[], verb: string): string[] {
  const own = removed.filter((removal) => removal.reason === reason);
  if (own.length === 0) return [];
  const { one, many } = REASONS[reason];
  return [`${verb} ${own.length} ${own.length === 1 ? one : many}: ${describeBytes(sumOf(own))}`];
}

const sumOf = (removed: readonly Removal[]): number => removed.reduce((sum, { bytes }) => sum + bytes, 0);

/** `1,234,567 bytes (1.2 MiB)`. */
function describeBytes(bytes: number): string {
  const exact = `${bytes.toLocaleString('en-US')} ${bytes === 1 ? 'byte' : 'bytes'}`;
  const power = Math.min(UNITS.length, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return power === 0 ? exact : `${exact} (${(bytes / 2 ** (10 * power)).toFixed(1)} ${UNITS[power - 1]!})`;
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;
