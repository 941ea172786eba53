/** `vitmim sweep`: expands a spec, freezes the plan and runs its missing stages. */
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { DeviceChoice } from '../backends/index.js';
import type { StopSignal } from '../common/stop-codes.js';
import { FAILURE_MODES, type FailureMode } from '../runner/failures.js';
import { changesSinceLast, freezePlan, runHere } from '../runner/run-here.js';
import { createReporter } from '../runner/reporters/index.js';
import { collectOrigin, describeDirt, refuseUnlessClean } from '../runner/provenance.js';
import { chooseStages, RETRIES, stagesLeft, type Retry } from '../runner/choose-stages.js';
import type { RunSummary } from '../runner/events.js';
import { askerOf } from '../decide/needs.js';
import { remarksOn } from '../spec/remarks.js';
import { formatShard, shardPlan, type Shard } from '../spec/shard.js';
import type { Plan } from '../spec/stages.js';
import { sweepPaths } from '../store/layout.js';
import { storeOrigin } from '../store/provenance.js';
import { chooseDevice } from '../runner/choose-device.js';
import { DataSizes } from './estimate.js';
import { loadSweep } from '../runner/plan-sweep.js';
import { planSweep } from './load-sweep.js';
import {
  deviceOption,
  jobsOption,
  jsonOption,
  list,
  maxAttemptsOption,
  outOption,
  setOption,
  shardOption,
  threadsOption,
  timeSpan,
} from './options.js';
import { remarkLines, showPlan } from './plan.js';
import { addLauncherOptions, launcherOf, type SlurmChoices } from './slurm-options.js';
import { checkScriptWords, submit } from './submit.js';
import { onStopSignals, stopCode, STOPPING } from './stop-signals.js';
import { EXIT, print, say } from './terminal.js';
import { checkpointOption, noDiffOption } from './train.js';
import { VERSION } from '../common/version.js';

interface Options extends SlurmChoices {
  out?: string;
  set: string[];
  shard?: Shard;
  jobs?: number;
  threads?: number;
  adapters?: string[];
  device: DeviceChoice;
  onFailure: FailureMode;
  maxAttempts: number;
  retry: Retry;
  stageTimeout?: number;
  silenceTimeout: number;
  checkpointMinutes: number;
  trainer?: string;
  dryRun?: true;
  requireClean?: true;
  diff: boolean;
  json?: true;
}

export function sweepCommand(finish: (code: number) => void): Command {
  const command = new Command('sweep')
    .description('run the stages of a sweep that are not done yet')
    .argument('<spec.yaml>', 'the sweep')
    .addOption(outOption())
    .addOption(setOption())
    .addOption(shardOption())
    .addOption(jobsOption())
    .addOption(threadsOption('the cores divided by --jobs'))
    .addOption(deviceOption())
    .addOption(
      new Option(
        '--adapters <list>',
        'GPUs that each run one stage at a time, as in 0,1: CUDA indices, or names of WebGPU adapters',
      ).argParser(list),
    )
    .addOption(
      new Option('--on-failure <mode>', 'after a stage has failed: continue, start no new stage, or kill the others')
        .choices(FAILURE_MODES)
        .default('continue'),
    )
    .addOption(maxAttemptsOption())
    .addOption(
      new Option(
        '--retry <which>',
        'stages to run: all that are missing, only those that failed, or all except those that failed',
      )
        .choices(RETRIES)
        .default('all'),
    )
    .addOption(
      new Option('--stage-timeout <time>', 'time limit of an attempt, as in 90m or 2h (default: none)').argParser(
        timeSpan,
      ),
    )
    .addOption(
      new Option('--silence-timeout <time>', 'time without progress after which a worker is killed')
        .argParser(timeSpan)
        .default(900, '15m'),
    )
    .addOption(checkpointOption())
    .addOption(new Option('--trainer <script>', 'a program for Node in place of `vitmim train`, for tests').hideHelp())
    .option('--require-clean', 'refuse to run if the spec, or the checkout of vitmim, has uncommitted changes')
    .addOption(noDiffOption())
    .option('-n, --dry-run', 'show the plan and run nothing')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
The same command again runs the missing stages: finished stages are not repeated, and stopped stages continue from their
checkpoints.
Ctrl-C once, SIGTERM or a closed terminal: running stages keep a checkpoint and end. Ctrl-C again kills
them: the work since the last checkpoint is lost. A sweep continues if its output is no longer read.
Several sweeps may work on one results folder, also from several machines: no stage is run twice.

Examples:
  vitmim sweep experiments/first-look.yaml
  vitmim sweep experiments/ablation.yaml --dry-run
  vitmim sweep experiments/ablation.yaml --retry failed --max-attempts 1
  vitmim sweep experiments/ablation.yaml --shard 1/2      on one machine, 2/2 on the other
  vitmim sweep experiments/cifar10.yaml --set job.pretrain.epochs=50 --out results/cifar10-short
  vitmim sweep experiments/cifar10.yaml --launcher slurm --gpus 1 --time 4:00:00 --setup 'module load node'`,
    )
    .action(async (file: string, options: Options) => {
      finish(await sweep(file, options));
    });
  return addLauncherOptions(command);
}

async function sweep(file: string, options: Options): Promise<number> {
  const launcher = launcherOf(options);
  const sizes = new DataSizes();
  const spec = loadSweep(file, options.set);
  const plan = await planSweep(spec, sizes.addOpened, options.dryRun && !options.json ? print : say);
  const remarks = remarksOn(spec, plan);
  const folder = options.out ?? join('results', plan.name);
  const changes = changesSinceLast(plan, folder);
  if (options.dryRun) {
    showPlan(plan, folder, { ...options, changes, sizes, remarks });
    return EXIT.ok;
  }
  const collected = await collectOrigin({
    version: VERSION,
    args: process.argv.slice(2),
    spec: file,
    results: folder,
    keepDiff: options.diff,
  });
  if (options.requireClean) refuseUnlessClean(collected);
  if (launcher !== 'local') checkScriptWords(plan, folder, launcher);
  const working = freezePlan(plan, sweepPaths(folder));
  try {
    const origin = storeOrigin(sweepPaths(folder), collected.origin, collected.diffs);
    for (const line of [...remarkLines(remarks), ...describeDirt(collected)]) say(`warning: ${line}`);
    return await work(plan, { folder, options, changes, origin, launcher });
  } finally {
    working.end();
  }
}

interface Work {
  folder: string;
  options: Options;
  changes: ReadonlyMap<string, string>;
  /** The path of the origin: the provenance that all stages share. */
  origin: string;
  launcher: ReturnType<typeof launcherOf>;
}

/** Runs the missing stages of a kept plan, or submits them. */
async function work(plan: Plan, { folder, options, changes, origin, launcher }: Work): Promise<number> {
  const part = partOf(plan, options.shard);
  const paths = sweepPaths(folder);
  const only = chooseStages(plan, paths, options.retry);
  const needs = askerOf(plan, paths);
  if (launcher !== 'local') {
    const code = await submit({ ...part, stages: part.stages.filter(({ id }) => only.has(id)) }, folder, launcher, {
      ...options,
      origin,
      needs,
    });
    const left = stagesLeft(part, paths, only, needs());
    if (left === 0) return code;
    say(describeLeftStages(left, options.retry, folder));
    return EXIT.failed;
  }
  const program = options.trainer ?? process.argv[1]!;
  const device = await chooseDevice(options.device, process.argv[1]!);
  const reporter = createReporter({
    json: options.json === true,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
  });
  const request = onStopSignals(STOPPING);
  try {
    const summary = await runHere(part, {
      program,
      folder,
      device,
      jobs: options.jobs,
      threads: options.threads,
      adapters: options.adapters,
      checkpointMinutes: options.checkpointMinutes,
      origin,
      only,
      needs,
      changes,
      limits: { time: options.stageTimeout ?? Infinity, silence: options.silenceTimeout },
      onFailure: options.onFailure,
      maxAttempts: options.maxAttempts,
      onEvent: (event) => {
        reporter.onEvent(event);
      },
      signal: request.stop,
      killSignal: request.kill,
    });
    reporter.close();
    const code = exitCode(summary, request.by);
    if (summary.open > 0 && request.by === null) say(describeOpenStages(summary, options, folder));
    if (summary.left > 0) say(describeLeftStages(summary.left, options.retry, folder));
    if (!options.json && code === EXIT.ok) say(`\nTables: vitmim report ${folder}`);
    if (code !== EXIT.ok && request.by !== null) say(`stopped by ${request.by}; the same command continues from here`);
    return code;
  } finally {
    // Signals stay without effect: the process ends now, with the code that it has.
    reporter.close();
  }
}

/** The part of the plan that runs. It keeps all jobs, so its stages have the same names on every machine. */
function partOf(plan: Plan, shard: Shard | undefined): Plan {
  if (shard === undefined) return plan;
  const { jobs, stages } = shardPlan(plan, shard);
  const count = (part: unknown[], whole: unknown[], what: string): string =>
    `${part.length} of ${whole.length} ${what}`;
  say(`shard ${formatShard(shard)}: ${count(jobs, plan.jobs, 'jobs')}, ${count(stages, plan.stages, 'stages')}`);
  return { ...plan, stages };
}

function describeLeftStages(left: number, retry: Retry, folder: string): string {
  const what = left === 1 ? 'stage has no result and was' : 'stages have no result and were';
  return `${left} ${what} not run, because of --retry ${retry}; vitmim status ${folder} names them`;
}

/** What to do about stages that may be needed: they wait for results that this sweep did not compute. */
function describeOpenStages({ open, waitsFor, failed }: RunSummary, { shard }: Options, folder: string): string {
  const what = `${open} ${open === 1 ? 'stage' : 'stages'} may be needed later (${waitsFor ?? ''})`;
  if (shard === undefined || failed.length > 0) return `${what}; vitmim status ${folder} shows the missing stages`;
  return (
    `${what}, which has results of other shards; run this shard again when they have ended. If they write other ` +
    'folders, first copy the results of their stages/ into this one (docs/running.md)'
  );
}

/**
 * A sweep that a signal stopped before its end has the signal's code. One that leaves stages without a result failed.
 */
function exitCode(
  { failed, blocked, interrupted, pending, open, left }: RunSummary,
  stoppedBy: StopSignal | null,
): number {
  const unfinished = interrupted.length + pending > 0;
  if (unfinished && stoppedBy !== null) return stopCode(stoppedBy);
  return unfinished || failed.length + blocked.length + open + left > 0 ? EXIT.failed : EXIT.ok;
}
