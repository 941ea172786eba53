/** Specs, plans and runs of the typed API. Prints nothing. */
import { join } from 'node:path';
import { UsageError } from '../common/errors.js';
import { VERSION } from '../common/version.js';
import { askerOf } from '../decide/needs.js';
import { chooseDevice } from '../runner/choose-device.js';
import { loadSweep, planSweep as plan } from '../runner/plan-sweep.js';
import { collectOrigin } from '../runner/provenance.js';
import { changesSinceLast, freezePlan, runHere } from '../runner/run-here.js';
import { referTo } from '../spec/describe.js';
import { repeatsOf, type Plan } from '../spec/stages.js';
import { readSweep, type Sweep } from '../spec/sweep.js';
import { sweepPaths } from '../store/layout.js';
import { planId } from '../store/plans.js';
import { storeOrigin } from '../store/provenance.js';
import type { RunSweepOptions, SweepSummary } from './events.js';
import { programPath } from './program.js';
import type { PlanSweepOptions, ReadSpecOptions, Spec, SpecText, SweepPlan } from './types.js';

/** The data behind the objects that callers hold. */
const sweeps = new WeakMap<Spec, { sweep: Sweep; file: string | undefined }>();
const plans = new WeakMap<SweepPlan, { plan: Plan; file: string | undefined }>();

/**
 * Reads a spec, validates it and expands it into cells. Reads no data.
 *
 * @param source The path of its file, or its text.
 * @throws SpecError with every problem of the spec; UsageError if the file cannot be read.
 */
export function readSpec(source: string | SpecText, { set = [] }: ReadSpecOptions = {}): Spec {
  const file = typeof source === 'string' ? source : undefined;
  const sweep =
    typeof source === 'string'
      ? loadSweep(source, set)
      : readSweep(source.text, { file: 'spec.yaml', defaultName: source.name ?? 'sweep', sets: set });
  const { name, description = null, leftOut } = sweep;
  const spec = { name, description, cells: sweep.cells.map(({ cell }) => cell), leftOut };
  sweeps.set(spec, { sweep, file });
  return spec;
}

/**
 * Opens the data sets of a spec and plans its stages.
 *
 * @throws UsageError when a data set is missing or broken, or lacks what an evaluation needs.
 */
export async function planSweep(spec: Spec, { onMessage }: PlanSweepOptions = {}): Promise<SweepPlan> {
  const known = sweeps.get(spec);
  if (known === undefined) throw new UsageError('planSweep takes what readSpec returned, not a copy of it');
  const frozen = await plan(known.sweep, onMessage === undefined ? {} : { tell: onMessage });
  const planned: SweepPlan = {
    id: planId(frozen),
    name: frozen.name,
    jobs: frozen.jobs.map((job) => ({
      cells: job.cells,
      pretrain: job.pretrain,
      evaluations: Object.fromEntries(Object.keys(job.evaluations).map((name) => [name, repeatsOf(job, name)])),
    })),
    stages: frozen.stages.map((stage) => ({ ...referTo(frozen, stage), parent: stage.parent })),
  };
  plans.set(planned, { plan: frozen, file: known.file });
  return planned;
}

/**
 * Runs the stages of a plan that have no result yet, in processes of their own.
 *
 * @returns how every stage ended. Failed stages are part of it, and throw nothing.
 * @throws UsageError if the folder is of another sweep or cannot be written, or the device is not available.
 */
export async function runSweep(planned: SweepPlan, options: RunSweepOptions = {}): Promise<SweepSummary> {
  const known = plans.get(planned);
  if (known === undefined) throw new UsageError('runSweep takes what planSweep returned, not a copy of it');
  const { plan: frozen, file } = known;
  const { folder = join('results', frozen.name), device = 'auto', jobs, threads, maxAttempts = 3 } = options;
  const { onFailure = 'continue', onEvent, signal = new AbortController().signal, killSignal } = options;
  const [paths, program] = [sweepPaths(folder), programPath()];
  const changes = changesSinceLast(frozen, folder);
  const chosen = await chooseDevice(device, program);
  const { origin, diffs } = await collectOrigin({
    version: VERSION,
    args: ['runSweep', ...(file === undefined ? [] : [file])],
    results: folder,
    ...(file === undefined ? {} : { spec: file }),
  });
  const working = freezePlan(frozen, paths);
  try {
    return await runHere(frozen, {
      program,
      folder,
      device: chosen,
      jobs,
      threads,
      origin: storeOrigin(paths, origin, diffs),
      needs: askerOf(frozen, paths),
      changes,
      limits: { time: Infinity, silence: SILENCE_SECONDS },
      onFailure,
      maxAttempts,
      onEvent: (event) => onEvent?.(event),
      signal,
      ...(killSignal === undefined ? {} : { killSignal }),
    });
  } finally {
    working.end();
  }
}

/** The time without progress after which a worker is killed, as by default on the command line. */
const SILENCE_SECONDS = 900;
