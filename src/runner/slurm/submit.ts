/**
 * Submits what is missing of a plan as job arrays, and returns without waiting. Each array is recorded as soon as Slurm
 * has accepted it, so that every submitted job can be found and cancelled.
 */
import { mkdirSync } from 'node:fs';
import { messageOf, UsageError } from '../../common/errors.js';
import type { Plan } from '../../spec/stages.js';
import { writeFileAtomic, writeJson } from '../../store/files.js';
import { sweepPaths } from '../../store/layout.js';
import { inspectPlan } from '../inspect.js';
import { planArrays, type StageArray } from './arrays.js';
import { demandSlurm } from './call.js';
import { submissionPaths, submissionsFolder } from './layout.js';
import type { SlurmOptions } from './options.js';
import { parseMaxArraySize, parseSbatch } from './parse.js';
import { scriptOf } from './script.js';
import { liveTasks, taskName, taskStates } from './states.js';
import { readSubmissions, writeSubmission, type Submission } from './submission.js';

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
}

/**
 * @returns the submission, or null where every stage is done.
 * @throws UsageError where earlier jobs of the folder are still live, or Slurm refuses; then nothing stays submitted.
 */
export async function submitPlan(given: SubmitOptions): Promise<Submission | null> {
  const { plan, results, options, device, threads, now } = given;
  const verdicts = inspectPlan(plan, sweepPaths(results));
  const wanted = plan.stages.filter(({ id }) => verdicts.get(id)!.kind === 'run');
  if (wanted.length === 0) return null;
  await refuseWhileLive(results);
  const largest = parseMaxArraySize(await demandSlurm('scontrol', ['show', 'config']));

  const id = makeFolder(results, now);
  const paths = submissionPaths(results, id);
  writeJson(paths.plan, plan);
  const submission: Submission = {
    version: 1,
    id,
    jobName: `${plan.name}.${id}`,
    submittedAt: now.toISOString(),
    options,
    device,
    threads,
    arrays: [],
  };
  for (const array of planArrays(wanted, largest)) {
    const list = array.tasks.map(({ index, stage }) => `${index} ${stage}\n`).join('');
    writeFileAtomic(paths.list(array.name), list);
    writeFileAtomic(paths.script(array.name), scriptOf({ ...given, array, paths, jobName: submission.jobName }));
    const job = await submitArray(array, submission, paths.script(array.name));
    submission.arrays.push({ name: array.name, parent: array.parent, job, tasks: array.tasks });
    writeSubmission(results, submission);
  }
  return submission;
}

/** Two tasks for one stage would be one too many, and children wait for tasks of their own submission alone. */
async function refuseWhileLive(results: string): Promise<void> {
  const live = liveTasks(await taskStates(readSubmissions(results)));
  if (live.length === 0) return;
  throw new UsageError(
    `Slurm still has ${live.length} tasks of ${results}, such as ${taskName(live[0]!)}; ` +
      `wait for them, or end them with: vitmim cancel ${results}`,
  );
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
    throw new UsageError(`cannot make the folder of a submission, or another began this second: ${messageOf(error)}`);
  }
  return time;
}

/** Submits one array and returns its number. Where Slurm refuses, cancels those before it. */
async function submitArray({ parent }: StageArray, { arrays }: Submission, script: string): Promise<string> {
  const parentJob = arrays.find(({ name }) => name === parent)?.job;
  // A task whose parent has failed is removed: it would wait for ever.
  const dependency =
    parentJob === undefined ? [] : [`--dependency=aftercorr:${parentJob}`, '--kill-on-invalid-dep=yes'];
  try {
    return parseSbatch(await demandSlurm('sbatch', ['--parsable', ...dependency, script]));
  } catch (error) {
    if (arrays.length === 0) throw error;
    await demandSlurm(
      'scancel',
      arrays.map(({ job }) => job),
    );
    throw new UsageError(`${messageOf(error)}; the arrays submitted before it were cancelled`);
  }
}
