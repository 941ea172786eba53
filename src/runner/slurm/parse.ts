/**
 * What Slurm's programs write, read strictly. Their JSON changed from version to version; the columns requested here
 * have not. Pure.
 */
import { UsageError } from '../../common/errors.js';

/** Slurm's states of a job, and whether it may still run in each. */
const STATES = {
  BOOT_FAIL: 'ended',
  CANCELLED: 'ended',
  COMPLETED: 'ended',
  COMPLETING: 'live',
  CONFIGURING: 'live',
  DEADLINE: 'ended',
  EXPEDITING: 'live',
  FAILED: 'ended',
  LAUNCH_FAILED: 'ended',
  NODE_FAIL: 'ended',
  OUT_OF_MEMORY: 'ended',
  PENDING: 'live',
  POWER_UP_NODE: 'live',
  PREEMPTED: 'ended',
  RECONFIG_FAIL: 'ended',
  REQUEUED: 'live',
  REQUEUE_FED: 'live',
  REQUEUE_HOLD: 'live',
  RESIZING: 'live',
  RESV_DEL_HOLD: 'live',
  REVOKED: 'ended',
  RUNNING: 'live',
  SIGNALING: 'live',
  SPECIAL_EXIT: 'live',
  STAGE_OUT: 'live',
  STOPPED: 'live',
  SUSPENDED: 'live',
  TIMEOUT: 'ended',
  UPDATE_DB: 'live',
} as const;

export type SlurmState = keyof typeof STATES;

/** Whether a task in this state waits, runs, or will run again. */
export const isLive = (state: SlurmState): boolean => STATES[state] === 'live';

/** One task of a job array. */
export interface TaskState {
  /** Number of the array. */
  job: string;
  index: number;
  state: SlurmState;
  /** Why it is pending or ended, in Slurm's word. */
  reason: string | null;
  jobName: string;
}

/** Arguments with which squeue writes what {@link parseSqueue} reads: ended tasks too, while Slurm lists them. */
export const squeueArguments = (jobs: readonly string[]): string[] => [
  '--noheader',
  '--array',
  '--states=all',
  `--jobs=${jobs.join(',')}`,
  '--format=%F|%K|%T|%r|%j',
];

/** @throws UsageError at the first line in another format. */
export function parseSqueue(text: string): TaskState[] {
  return lines(text).map((line) => {
    const [job, index, state, reason, jobName] = fields('squeue', line, 5);
    if (!/^\d+$/.test(job) || !/^\d+$/.test(index)) throw notUnderstood('squeue', line);
    return {
      job,
      index: Number(index),
      state: stateOf('squeue', state, line),
      reason: reason === 'None' || reason === '' ? null : reason,
      jobName,
    };
  });
}

/** Arguments with which sacct writes what {@link parseSacct} reads. */
export const sacctArguments = (jobs: readonly string[]): string[] => [
  '--noheader',
  '--allocations',
  '--parsable2',
  `--jobs=${jobs.join(',')}`,
  '--format=JobID,State,Reason,JobName',
];

/**
 * Tasks that are pending together have one line, which is skipped, since squeue lists them one by one.
 *
 * @throws UsageError at the first line in another format.
 */
export function parseSacct(text: string): TaskState[] {
  return lines(text).flatMap((line) => {
    const [id, state, reason, jobName] = fields('sacct', line, 4);
    if (/^\d+_\[.+\]$/.test(id)) return [];
    const [, job, index] = /^(\d+)_(\d+)$/.exec(id) ?? [];
    if (job === undefined || index === undefined) throw notUnderstood('sacct', line);
    return [
      {
        job,
        index: Number(index),
        // `CANCELLED by 1000`
        state: stateOf('sacct', state.split(' ')[0]!, line),
        reason: reason === 'None' || reason === '' ? null : reason,
        jobName,
      },
    ];
  });
}

/** The number of the job from `sbatch --parsable`: `123`, or `123;cluster`. */
export function parseSbatch(text: string): string {
  const job = /^(\d+)(;\S+)?$/.exec(text.trim())?.[1];
  if (job === undefined) throw notUnderstood('sbatch', text.trim());
  return job;
}

/**
 * Why sbatch accepts no further task for now: a limit of the user, the account or the whole cluster; null: it refuses
 * for another reason.
 */
export function submitLimit(stderr: string): string | null {
  const [named] = /\b\w*(?:Max|Grp)Submit\w*Limit\b/.exec(stderr) ?? [];
  if (named !== undefined) return named;
  return /temporarily unable to accept job|Resource temporarily unavailable/.test(stderr) ? 'MaxJobCount' : null;
}

/** `MaxArraySize` from `scontrol show config`: the most tasks that an array from index 0 may have. */
export function parseMaxArraySize(text: string): number {
  const size = Number(/^MaxArraySize\s*=\s*(\d+)\s*$/m.exec(text)?.[1]);
  if (!Number.isInteger(size)) throw new UsageError('scontrol show config names no MaxArraySize');
  if (size < 1)
    throw new UsageError(
      'this cluster has no job arrays: its MaxArraySize is 0; run the sweep without --launcher slurm in a job',
    );
  return size;
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

type Tuple<Length extends number, Items extends string[] = []> = Items['length'] extends Length
  ? Items
  : Tuple<Length, [...Items, string]>;

function fields<Count extends number>(program: string, line: string, count: Count): Tuple<Count> {
  const parts = line.trim().split('|');
  if (parts.length !== count) throw notUnderstood(program, line);
  return parts as Tuple<Count>;
}

function stateOf(program: string, text: string, line: string): SlurmState {
  if (!Object.hasOwn(STATES, text)) throw notUnderstood(program, line);
  return text as SlurmState;
}

const notUnderstood = (program: string, line: string): UsageError =>
  new UsageError(`${program} wrote something that this version of vitmim does not understand: ${line}`);
