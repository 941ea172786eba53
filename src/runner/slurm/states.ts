/** How Slurm sees the stages of a results folder. */
import { callSlurm, outputOf, type ProgramOutput } from './call.js';
import {
  isLive,
  parseSacct,
  parseSqueue,
  sacctArguments,
  squeueArguments,
  type SlurmState,
  type TaskState,
} from './parse.js';
import { readSubmissions, type Submission } from './submission.js';

export interface SlurmStage {
  state: SlurmState;
  /** Slurm's name of the task: `123_4`. */
  job: string;
  /** Why it is pending or ended, in Slurm's word. */
  reason: string | null;
}

/**
 * The state of every submitted stage that Slurm still lists, by the stage's identity. For a stage that was submitted
 * several times, it is the state of the last submission. Without submissions, Slurm is not queried.
 *
 * @throws UsageError if Slurm is not installed or does not answer, or if its answer cannot be parsed.
 */
export async function slurmStates(folder: string): Promise<Map<string, SlurmStage>> {
  const submissions = readSubmissions(folder);
  return latest(submissions, await taskStates(submissions));
}

/** The states of all tasks of the submissions that Slurm still lists. */
export async function taskStates(submissions: readonly Submission[]): Promise<TaskState[]> {
  const jobs = submissions.flatMap(({ arrays }) => arrays.map(({ job }) => job));
  if (jobs.length === 0) return [];
  const queued = parseSqueue(squeueOutput(await callSlurm('squeue', squeueArguments(jobs))));
  const known = new Set(queued.map(arrayTaskName));
  const gone = submissions
    .flatMap(({ arrays }) => arrays)
    .filter(({ job, tasks }) => tasks.some(({ index }) => !known.has(arrayTaskName({ job, index }))));
  const ended = gone.length === 0 ? [] : await accounted(gone.map(({ job }) => job));
  const own = new Set(submissions.map(({ jobName }) => jobName));
  return [...queued, ...ended.filter((task) => !known.has(arrayTaskName(task)))].filter(({ jobName }) =>
    own.has(jobName),
  );
}

/** squeue reports an error if it no longer lists any of the requested jobs. */
function squeueOutput(answer: ProgramOutput): string {
  return answer.stderr.includes('Invalid job id specified') ? answer.stdout : outputOf('squeue', answer);
}

/** Many clusters keep no accounts: then Slurm has no record of tasks that ended long ago. */
async function accounted(jobs: readonly string[]): Promise<TaskState[]> {
  const answer = await callSlurm('sacct', sacctArguments(jobs));
  return answer.stderr.includes('accounting storage is disabled') ? [] : parseSacct(outputOf('sacct', answer));
}

/** Pure: the state of each stage's last submission. */
export function latest(submissions: readonly Submission[], states: readonly TaskState[]): Map<string, SlurmStage> {
  const byTask = new Map(states.map((task) => [arrayTaskName(task), task]));
  const stages = new Map<string, SlurmStage>();
  for (const { job, index, stage } of submittedTasks(submissions)) {
    const name = arrayTaskName({ job, index });
    const task = byTask.get(name);
    if (task === undefined) stages.delete(stage);
    else stages.set(stage, { state: task.state, job: name, reason: task.reason });
  }
  return stages;
}

function submittedTasks(submissions: readonly Submission[]): { job: string; index: number; stage: string }[] {
  return submissions.flatMap(({ arrays }) =>
    arrays.flatMap(({ job, tasks }) => tasks.map(({ index, stage }) => ({ job, index, stage }))),
  );
}

/** Slurm's own name of a task: `123_4`. */
export const arrayTaskName = ({ job, index }: { job: string; index: number }): string => `${job}_${index}`;

/** The states of jobs that wait, run or will run again. */
export const liveTasks = (states: readonly TaskState[]): TaskState[] => states.filter(({ state }) => isLive(state));
