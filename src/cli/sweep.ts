/** `vitmim sweep`: expands a spec, freezes the plan and runs what is missing of it. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { UsageError } from '../common/errors.js';
import { FAILURE_MODES, type FailureMode } from '../runner/failures.js';
import { createReporter } from '../runner/reporters/index.js';
import { localLauncher } from '../runner/local.js';
import { collectOrigin, describeDirt, refuseUnlessClean } from '../runner/provenance.js';
import { runPlan } from '../runner/run-plan.js';
import { chooseStages, RETRIES, type Retry } from '../runner/choose-stages.js';
import type { RunSummary } from '../runner/events.js';
import { changesSince } from '../spec/changes.js';
import { remarksOn } from '../spec/remarks.js';
import { formatShard, shardPlan, type Shard } from '../spec/shard.js';
import type { Plan } from '../spec/stages.js';
import { readJson, writeJson } from '../store/files.js';
import { sweepPaths } from '../store/layout.js';
import { storeOrigin } from '../store/provenance.js';
import { planSchema } from '../store/records.js';
import { chooseDevice } from './choose-device.js';
import { loadSweep, planSweep } from './load-sweep.js';
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
  type DeviceChoice,
} from './options.js';
import { remarkLines, showPlan } from './plan.js';
import { addLauncherOptions, launcherOf, type SlurmChoices } from './slurm-options.js';
import { submit } from './submit.js';
import { EXIT, say } from './terminal.js';
import { checkpointOption } from './train.js';
import { VERSION } from './version.js';

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
  json?: true;
}

export function sweepCommand(finish: (code: number) => void): Command {
  const command = new Command('sweep')
    .description('run a sweep: every stage that is not done yet, then the next')
    .argument('<spec.yaml>', 'the sweep')
    .addOption(outOption())
    .addOption(setOption())
    .addOption(shardOption())
    .addOption(jobsOption())
    .addOption(threadsOption())
    .addOption(deviceOption())
    .addOption(
      new Option(
        '--adapters <list>',
        'one stage at once on each, as in 0,1: CUDA indices, or names of WebGPU adapters',
      ).argParser(list),
    )
    .addOption(
      new Option('--on-failure <mode>', 'once a stage has failed: go on, start nothing new, or kill the others')
        .choices(FAILURE_MODES)
        .default('continue'),
    )
    .addOption(maxAttemptsOption())
    .addOption(
      new Option('--retry <which>', 'what to run: all that is missing, only what failed, or all but what failed')
        .choices(RETRIES)
        .default('all'),
    )
    .addOption(
      new Option('--stage-timeout <time>', 'longest attempt, as in 90m or 2h (default: any)').argParser(timeSpan),
    )
    .addOption(
      new Option('--silence-timeout <time>', 'a worker that says nothing for so long is lost')
        .argParser(timeSpan)
        .default(900, '15m'),
    )
    .addOption(checkpointOption())
    .addOption(new Option('--trainer <script>', 'a program for Node in place of `vitmim train`, for tests').hideHelp())
    .option('--require-clean', 'refuse to run from a spec, or a checkout of vitmim, that is not committed as it is')
    .option('-n, --dry-run', 'show the plan and run nothing')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Running it again does what is missing: stages that are done are not repeated, stopped ones go on from their checkpoint.
Ctrl-C once: running stages keep a checkpoint and end. Twice: they are killed, and lose what came after their last one.
Several sweeps may work on one results folder, also from several machines: no stage is run twice.

Examples:
  vitmim sweep experiments/smoke.yaml
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
  const spec = loadSweep(file, options.set);
  const plan = await planSweep(spec);
  const remarks = remarksOn(spec, plan);
  const folder = options.out ?? join('results', plan.name);
  const changes = changesSinceLast(plan, folder);
  if (options.dryRun) {
    showPlan(plan, folder, { ...options, changes, remarks });
    return EXIT.ok;
  }
  const collected = await collectOrigin({ version: VERSION, args: process.argv.slice(2), spec: file, results: folder });
  if (options.requireClean) refuseUnlessClean(collected);
  freeze(plan, folder);
  const part = partOf(plan, options.shard);
  const only = chooseStages(plan, sweepPaths(folder), options.retry);
  const origin = storeOrigin(sweepPaths(folder), collected.origin, collected.diffs);
  for (const line of [...remarkLines(remarks), ...describeDirt(collected)]) say(`warning: ${line}`);
  if (launcher !== 'local') {
    await submit({ ...part, stages: part.stages.filter(({ id }) => only.has(id)) }, folder, launcher, {
      ...options,
      origin,
    });
    return EXIT.ok;
  }
  const device = await chooseDevice(options.device);
  const reporter = createReporter({
    json: options.json === true,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
  });
  const { jobs, threads } = shareCores({ ...options, jobs: options.jobs ?? options.adapters?.length }, device.software);
  const [stop, kill] = [new AbortController(), new AbortController()];
  const onSignal = (): void => {
    if (stop.signal.aborted) kill.abort();
    else stop.abort();
  };
  for (const signal of STOPPING) process.on(signal, onSignal);
  try {
    const summary = await runPlan({
      plan: part,
      folder,
      jobs,
      only,
      changes,
      launch: localLauncher({
        bin: options.trainer ?? process.argv[1]!,
        device: device.name,
        threads,
        checkpointMinutes: options.checkpointMinutes,
        origin,
        // CUDA hides the others; Dawn takes the adapter whose name holds the text.
        slots: options.adapters?.map((adapter) => ({ CUDA_VISIBLE_DEVICES: adapter, VITMIM_ADAPTER: adapter })),
      }),
      limits: { time: options.stageTimeout ?? Infinity, silence: options.silenceTimeout },
      onFailure: options.onFailure,
      maxAttempts: options.maxAttempts,
      onEvent: (event) => {
        reporter.onEvent(event);
      },
      signal: stop.signal,
      killSignal: kill.signal,
    });
    reporter.close();
    if (!options.json && exitCode(summary) === EXIT.ok) say(`\nTables: vitmim report ${folder}`);
    return exitCode(summary);
  } finally {
    reporter.close();
    for (const signal of STOPPING) process.off(signal, onSignal);
  }
}

const STOPPING = ['SIGINT', 'SIGTERM'] as const;

/** What is run of the plan. All jobs stay in it, so that its stages are called the same on every machine. */
function partOf(plan: Plan, shard: Shard | undefined): Plan {
  if (shard === undefined) return plan;
  const { jobs, stages } = shardPlan(plan, shard);
  const count = (part: unknown[], whole: unknown[], what: string): string =>
    `${part.length} of ${whole.length} ${what}`;
  say(`shard ${formatShard(shard)}: ${count(jobs, plan.jobs, 'jobs')}, ${count(stages, plan.stages, 'stages')}`);
  return { ...plan, stages };
}

/**
 * Stages at once and threads of each, so that together they have the cores. A GPU is shared badly by two trainings; cores
 * are shared best by as many stages of one thread each, which never wait for one another.
 */
export function shareCores(
  given: { jobs?: number | undefined; threads?: number | undefined },
  software: boolean,
  cores = availableParallelism(),
): { jobs: number; threads: number } {
  const share = (among: number): number => Math.max(1, Math.floor(cores / among));
  const jobs = given.jobs ?? (software ? share(given.threads ?? 1) : 1);
  return { jobs, threads: given.threads ?? share(jobs) };
}

/** What the plan says otherwise than the one that the folder holds. */
function changesSinceLast(plan: Plan, folder: string): Map<string, string> {
  const { plan: path } = sweepPaths(folder);
  const previous = existsSync(path) ? readJson(path, planSchema) : undefined;
  if (previous === undefined) return new Map();
  if (previous.name !== plan.name) {
    throw new UsageError(
      `${folder} holds the results of the sweep "${previous.name}", not of "${plan.name}"; choose another --out`,
    );
  }
  return changesSince(plan, previous);
}

/** Writes plan.json before anything runs. */
function freeze(plan: Plan, folder: string): void {
  try {
    writeJson(sweepPaths(folder).plan, plan);
  } catch (error) {
    throw new UsageError(`cannot write the results folder ${folder}: ${(error as Error).message}`);
  }
}

/** A sweep with stopped stages is not done. */
function exitCode({ failed, blocked, interrupted, pending }: RunSummary): number {
  if (failed.length + blocked.length > 0 && interrupted.length === 0 && pending === 0) return EXIT.failed;
  if (failed.some(({ cause }) => cause === 'disk-full')) return EXIT.failed;
  return interrupted.length + pending > 0 ? EXIT.interrupted : EXIT.ok;
}
