/** `vitmim sweep`: expands a spec, freezes the plan and runs what is missing of it. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { UsageError } from '../common/errors.js';
import { createReporter } from '../runner/reporters/index.js';
import { localLauncher } from '../runner/local.js';
import { runPlan } from '../runner/run-plan.js';
import type { Summary } from '../runner/events.js';
import type { Plan } from '../spec/stages.js';
import { readJson, writeJson } from '../store/files.js';
import { sweepPaths } from '../store/layout.js';
import { planSchema } from '../store/records.js';
import { chooseDevice } from './choose-device.js';
import { loadSweep, planSweep } from './load-sweep.js';
import {
  deviceOption,
  jobsOption,
  jsonOption,
  outOption,
  setOption,
  threadsOption,
  type DeviceChoice,
} from './options.js';
import { showPlan } from './plan.js';
import { EXIT, say } from './terminal.js';

interface Options {
  out?: string;
  set: string[];
  jobs?: number;
  threads?: number;
  device: DeviceChoice;
  dryRun?: true;
  json?: true;
}

export function sweepCommand(finish: (code: number) => void): Command {
  return new Command('sweep')
    .description('run a sweep: every stage that is not done yet, then the next')
    .argument('<spec.yaml>', 'the sweep')
    .addOption(outOption())
    .addOption(setOption())
    .addOption(jobsOption())
    .addOption(threadsOption())
    .addOption(deviceOption())
    .option('-n, --dry-run', 'show the plan and run nothing')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Running it again does what is missing: stages that are done are not repeated, stopped ones go on from their checkpoint.

Examples:
  vitmim sweep experiments/smoke.yaml
  vitmim sweep experiments/ablation.yaml --dry-run
  vitmim sweep experiments/cifar10.yaml --set job.pretrain.epochs=50 --out results/cifar10-short`,
    )
    .action(async (file: string, options: Options) => {
      finish(await sweep(file, options));
    });
}

async function sweep(file: string, options: Options): Promise<number> {
  const plan = await planSweep(loadSweep(file, options.set));
  const folder = options.out ?? join('results', plan.name);
  if (options.dryRun) {
    showPlan(plan, folder, options.json === true);
    return EXIT.ok;
  }
  freeze(plan, folder);
  const device = await chooseDevice(options.device);
  const reporter = createReporter({
    json: options.json === true,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
  });
  const { jobs, threads } = shareCores(options, device.software);
  const [stop, kill] = [new AbortController(), new AbortController()];
  const onSignal = (): void => {
    if (stop.signal.aborted) kill.abort();
    else stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    const summary = await runPlan({
      plan,
      folder,
      jobs,
      launch: localLauncher({ bin: process.argv[1]!, device: device.name, threads }),
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
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/**
 * Stages at once and threads of each, so that together they have the cores. A GPU is shared badly by two trainings; cores
 * are shared best by as many stages of one thread each, which never wait for one another.
 */
export function shareCores(
  given: { jobs?: number; threads?: number },
  software: boolean,
  cores = availableParallelism(),
): { jobs: number; threads: number } {
  const share = (among: number): number => Math.max(1, Math.floor(cores / among));
  const jobs = given.jobs ?? (software ? share(given.threads ?? 1) : 1);
  return { jobs, threads: given.threads ?? share(jobs) };
}

/** Writes plan.json before anything runs. A folder belongs to one sweep. */
function freeze(plan: Plan, folder: string): void {
  const { plan: path } = sweepPaths(folder);
  const previous = existsSync(path) ? readJson(path, planSchema) : undefined;
  if (previous && previous.name !== plan.name) {
    throw new UsageError(
      `${folder} holds the results of the sweep "${previous.name}", not of "${plan.name}"; choose another --out`,
    );
  }
  try {
    writeJson(path, plan);
  } catch (error) {
    throw new UsageError(`cannot write the results folder ${folder}: ${(error as Error).message}`);
  }
}

/** Stages that were stopped from outside leave the sweep undone, whoever stopped them. */
function exitCode({ failed, blocked, interrupted, pending }: Summary): number {
  if (interrupted.length + pending > 0) return EXIT.interrupted;
  return failed.length + blocked.length > 0 ? EXIT.failed : EXIT.ok;
}
