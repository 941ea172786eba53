/**
 * Submits the missing stages of a plan as job arrays, and returns without waiting. Each array is recorded as soon as
 * Slurm has accepted it, so that every submitted job can be found and cancelled. If Slurm accepts no more at once, the
 * other stages are left for a later wave: another call, which submits the stages that are then neither done nor in
 * Slurm.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { messageOf, UsageError } from '../../common/errors.js';
import { ALL_WANTED, type Needs } from '../../decide/rules.js';
import { roundsOf } from '../../spec/rounds.js';
import type { Plan, Stage } from '../../spec/stages.js';
import { writeFileAtomic, writeJson } from '../../store/files.js';
import { sweepPaths } from '../../store/layout.js';
import { inspectPlan, type Inspection } from '../inspect.js';
import { planArrays, type StageArray } from './arrays.js';
import { callSlurm, demandSlurm, outputOf } from './call.js';
import { submissionPaths, submissionsFolder } from './layout.js';
import type { SlurmOptions } from './options.js';
import { isLive, parseMaxArraySize, parseSbatch, submitLimit } from './parse.js';
import { refuseControlCharacters, scriptOf } from './script.js';
import { slurmStates } from './states.js';
import { writeSubmission, type Submission } from './submission.js';

export interface SubmitOptions {
  plan: Plan;
  /** The results folder, absolute: tasks see it under the same path. */
  results: string;
  options: SlurmOptions;
  device: string;
  threads: number;
  maxAttempts: number;
  /** Absolute path of the provenance that all stages share. */
  origin: string;
  /** Node and the vitmim executable, absolute. */
  program: readonly string[];
  cwd: string;
  now: Date;
  /** Stages that must not be submitted again. If one of them is not done, its children are not submitted either. */
  except?: ReadonlySet<string>;
  /** The stages that the rules of the whole plan do not want, or not yet; default: all are wanted. */
  needs?: Needs;
}

export interface Submitted {
  /** null: nothing was submitted. */
  submission: Submission | null;
  /** Stages that earlier submissions have in Slurm. */
  live: number;
  /** Stages for a later wave, and why they were not submitted; null: there are none. */
  left: { stages: number; reason: string } | null;
  /** Stages that may be needed later, and what decides it, as in `needs the look at 5 seeds`; null: there are none. */
  open: { stages: number; why: string } | null;
  /** Stages that the results decided against, and how, as in `decided at 5 seeds`; null: there are none. */
  unneeded: { stages: number; why: string } | null;
}

/**
 * Submits as much as Slurm accepts.
 *
 * @throws UsageError if Slurm refuses for another reason than a limit of jobs. All jobs of this call are then
 *   cancelled.
 */
export async function submitPlan(given: SubmitOptions): Promise<Submitted> {
  const { plan, results } = given;
  refuseControlCharacters(wordsOf(given));
  const inspections = inspectPlan(plan, sweepPaths(results), new Map(), given.needs ?? ALL_WANTED);
  const missing = plan.stages.filter(({ id }) => inspections.get(id)!.kind === 'run');
  const later = { open: countOf('open', inspections), unneeded: countOf('unneeded', inspections) };
  if (missing.length === 0) return { submission: null, live: 0, left: null, ...later };
  const live = new Set(
    [...(await slurmStates(results))].filter(([, { state }]) => isLive(state)).map(([stage]) => stage),
  );
  const { wanted, waiting } = choose(missing, live, given.except ?? new Set());
  const here = missing.filter(({ id }) => live.has(id)).length;
  if (wanted.length === 0) return { submission: null, live: here, left: leftOf(waiting, PARENT_LIVE), ...later };

  const { submission, limit } = await submitArrays(given, wanted);
  const submitted = submission.arrays.reduce((sum, { tasks }) => sum + tasks.length, 0);
  return {
    submission: submitted === 0 ? null : submission,
    live: here,
    left: leftOf(wanted.length - submitted + waiting, limit ?? PARENT_LIVE),
    ...later,
  };
}

/** The stages of a kind, and why the first of them is of it. */
function countOf(
  kind: Inspection['kind'],
  inspections: ReadonlyMap<string, Inspection>,
): { stages: number; why: string } | null {
  const own = [...inspections.values()].filter((inspection) => inspection.kind === kind);
  return own.length === 0 ? null : { stages: own.length, why: own[0]!.why };
}

const PARENT_LIVE = 'the stages that they start from are in Slurm';

const leftOf = (stages: number, reason: string): Submitted['left'] => (stages === 0 ? null : { stages, reason });

/** The texts of a submission that enter its scripts. */
export function wordsOf({
  plan,
  results,
  options,
  cwd,
  program,
  origin,
}: Pick<SubmitOptions, 'plan' | 'results' | 'options' | 'cwd' | 'program' | 'origin'>) {
  const { setup, sbatch, partition, qos, gpus, mem, time, account, constraint, reservation, exclude } = options;
  return {
    'the results folder': [results],
    'the working directory': [cwd],
    'the name of the sweep': [plan.name],
    'the path of vitmim': program,
    'the path of the provenance': [origin],
    'the line of --setup': setup,
    'the option of Slurm': [partition, qos, gpus, mem, time, account, constraint, reservation, exclude],
    'the option of --sbatch': sbatch.flatMap(({ key, value }) => [key, value]),
  };
}

/** The stages to submit now, parents before children, and how many wait until their parents have left Slurm. */
function choose(
  missing: readonly Stage[],
  live: ReadonlySet<string>,
  except: ReadonlySet<string>,
): { wanted: Stage[]; waiting: number } {
  const ids = new Set(missing.map(({ id }) => id));
  const wanted = new Map<string, Stage>();
  const waiting = new Set<string>();
  for (const stage of missing) {
    const { id, parent } = stage;
    if (live.has(id) || except.has(id)) continue;
    if (parent === null || !ids.has(parent) || wanted.has(parent)) wanted.set(id, stage);
    else if (live.has(parent) || waiting.has(parent)) waiting.add(id);
  }
  return { wanted: [...wanted.values()], waiting: waiting.size };
}

/** Submits arrays until all are submitted or Slurm accepts no more: then `limit` is its reason. */
async function submitArrays(
  given: SubmitOptions,
  wanted: readonly Stage[],
): Promise<{ submission: Submission; limit: string | null }> {
  const { plan, results, options, device, threads, now } = given;
  const largest = parseMaxArraySize(await demandSlurm('scontrol', ['show', 'config']));
  const id = makeFolder(results, now);
  const paths = submissionPaths(results, id);
  writeJson(paths.plan, plan);
  const jobName = `${plan.name}.${id}`;
  const arrays: Submission['arrays'] = [];
  const submission = {
    version: 1 as const,
    id,
    jobName,
    submittedAt: now.toISOString(),
    options,
    device,
    threads,
    arrays,
  };

  const submit = async (array: StageArray): Promise<string | null> => {
    const list = array.tasks.map(({ index, stage }) => `${index} ${stage}\n`).join('');
    writeFileAtomic(paths.list(array.name), list);
    writeFileAtomic(paths.script(array.name), scriptOf({ ...given, array, paths, jobName }));
    const answer = await submitArray(array, submission, paths.script(array.name));
    if ('limit' in answer) return answer.limit;
    arrays.push({ name: array.name, parent: array.parent, job: answer.job, tasks: array.tasks });
    writeSubmission(results, submission);
    return null;
  };

  for (const array of planArrays(wanted, largest, roundsOf(plan))) {
    const limit = await submit(array);
    if (limit === null) continue;
    await submitParts(array, submit);
    if (arrays.length === 0) rmSync(paths.folder, { recursive: true });
    return { submission, limit };
  }
  return { submission, limit: null };
}

/**
 * Submits of an array that was too large as many tasks as Slurm accepts, the first ones first, in ever smaller parts.
 */
async function submitParts(array: StageArray, submit: (part: StageArray) => Promise<string | null>): Promise<void> {
  let rest = array.tasks;
  let parts = 0;
  for (let size = Math.floor(rest.length / 2); size >= 1;) {
    const part = { ...array, name: `${array.name}-part-${parts + 1}`, tasks: rest.slice(0, size) };
    if ((await submit(part)) === null) {
      parts += 1;
      rest = rest.slice(size);
      size = Math.min(size, rest.length);
    } else size = Math.floor(size / 2);
  }
}

/** A folder that no other submission has; its name is the time in UTC. */
function makeFolder(results: string, now: Date): string {
  const time = now
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/[-:]/g, '')
    .replace('T', '-');
  mkdirSync(submissionsFolder(results), { recursive: true });
  try {
    mkdirSync(submissionPaths(results, time).folder);
  } catch (error) {
    throw new UsageError(`cannot create the folder of the submission: ${messageOf(error)}; run the command again`);
  }
  return time;
}

/**
 * Submits one array.
 *
 * @throws UsageError if Slurm refuses for another reason than a limit. The arrays before this one are then cancelled.
 */
async function submitArray(
  { parent }: StageArray,
  { arrays }: Submission,
  script: string,
): Promise<{ job: string } | { limit: string }> {
  const parentJob = arrays.find(({ name }) => name === parent)?.job;
  // A task whose parent has failed is removed: it would never start.
  const dependency =
    parentJob === undefined ? [] : [`--dependency=aftercorr:${parentJob}`, '--kill-on-invalid-dep=yes'];
  const answer = await callSlurm('sbatch', ['--parsable', ...dependency, script]);
  const limit = answer.code === 0 ? null : submitLimit(answer.stderr);
  if (limit !== null) return { limit };
  try {
    return { job: parseSbatch(outputOf('sbatch', answer)) };
  } catch (error) {
    if (arrays.length === 0) throw error;
    await demandSlurm(
      'scancel',
      arrays.map(({ job }) => job),
    );
    throw new UsageError(`${messageOf(error)}; the arrays submitted before it were cancelled`);
  }
}
