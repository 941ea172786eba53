/** The running task of a job array: its name, and how it returns to the queue. */
import { demandSlurm } from './call.js';

/** Slurm's name of the task that this process is, `123_4`, or null if it is none. */
export function ownTask(env: NodeJS.ProcessEnv): string | null {
  const { SLURM_ARRAY_JOB_ID: job, SLURM_ARRAY_TASK_ID: index } = env;
  return job === undefined || index === undefined ? null : `${job}_${index}`;
}

/**
 * Puts the running task back into the queue. Slurm ends this process for that, if it has not ended by itself.
 *
 * @throws UsageError if Slurm refuses.
 */
export async function requeue(task: string): Promise<void> {
  await demandSlurm('scontrol', ['requeue', task]);
}
