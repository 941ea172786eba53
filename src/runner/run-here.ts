/** Runs a plan on this machine: keeps it in its folder, shares the cores among workers, and starts these. */
import { availableParallelism } from 'node:os';
import { messageOf, UsageError } from '../common/errors.js';
import { changesSince } from '../spec/changes.js';
import type { Plan } from '../spec/stages.js';
import { sweepPaths, type SweepPaths } from '../store/layout.js';
import { keepPlan, listPlans, planId } from '../store/plans.js';
import { announceSweep } from '../store/sweeps.js';
import type { ChosenDevice } from './choose-device.js';
import type { RunSummary } from './events.js';
import { localWorkers } from './local.js';
import type { RunOptions } from './run-options.js';
import { runPlan } from './run-plan.js';

export interface RunHereOptions extends Omit<RunOptions, 'plan' | 'jobs' | 'launch'> {
  /** The script of vitmim, or one in its place. */
  program: string;
  device: ChosenDevice;
  /** Stages at once; undefined: see {@link shareCores}. */
  jobs?: number | undefined;
  /** Threads of each. */
  threads?: number | undefined;
  /** GPUs that each run one stage at a time: CUDA indices, or names of WebGPU adapters. */
  adapters?: readonly string[] | undefined;
  checkpointMinutes?: number | undefined;
  /** The file with the provenance that all stages share. */
  origin: string;
}

/** Runs the missing stages of a plan that its folder keeps; see {@link runPlan}. */
export async function runHere(plan: Plan, options: RunHereOptions): Promise<RunSummary> {
  const { program, device, adapters, checkpointMinutes, origin, jobs: asked, threads: ofEach, ...run } = options;
  const { jobs, threads } = shareCores({ jobs: asked ?? adapters?.length, threads: ofEach }, device.software);
  const workers = localWorkers({
    bin: program,
    device: device.name,
    threads,
    checkpointMinutes,
    origin,
    // CUDA hides the others; Dawn takes the adapter whose name holds the text.
    slots: adapters?.map((adapter) => ({ CUDA_VISIBLE_DEVICES: adapter, VITMIM_ADAPTER: adapter })),
  });
  try {
    return await runPlan({ ...run, plan, jobs, launch: workers.launch });
  } finally {
    workers.close();
  }
}

/**
 * Stages at once and threads of each, so that together they have the cores. A GPU is shared badly by two trainings;
 * cores are shared best by as many stages of one thread each, which never wait for one another.
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

/**
 * The differences between the plan and those in the folder. Damaged plans are skipped; no result depends on them.
 *
 * @throws UsageError if the folder is of another sweep.
 */
export function changesSinceLast(plan: Plan, folder: string): Map<string, string> {
  const previous = listPlans(sweepPaths(folder)).plans.map((kept) => kept.plan);
  const foreign = previous.find(({ name }) => name !== plan.name);
  if (foreign !== undefined) {
    throw new UsageError(
      `${folder} holds the results of the sweep "${foreign.name}", not of "${plan.name}"; choose another --out`,
    );
  }
  return changesSince(plan, previous);
}

/**
 * Keeps the plan before anything runs, and shows that this sweep works on it.
 *
 * @throws UsageError if the folder cannot be written.
 */
export function freezePlan(plan: Plan, paths: SweepPaths): { end(): void } {
  try {
    const working = announceSweep(paths, planId(plan));
    keepPlan(paths, plan, new Date());
    return working;
  } catch (error) {
    throw new UsageError(`cannot write the results folder ${paths.folder}: ${messageOf(error)}`);
  }
}
