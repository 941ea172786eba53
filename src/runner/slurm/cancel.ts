/** Ends what Slurm still has of a results folder. */
import { demandSlurm } from './call.js';
import { liveTasks, taskStates } from './states.js';
import { readSubmissions } from './submission.js';

export interface Cancelled {
  /** Slurm's numbers of the job arrays, and how many of their tasks were waiting or running. */
  jobs: string[];
  tasks: number;
}

/**
 * Cancels every live array of the folder's submissions. Running stages keep a checkpoint before Slurm's `KillWait`.
 *
 * @throws UsageError if Slurm is not installed, or refuses.
 */
export async function cancelSubmissions(folder: string): Promise<Cancelled> {
  const live = liveTasks(await taskStates(readSubmissions(folder)));
  const jobs = [...new Set(live.map(({ job }) => job))].sort();
  if (jobs.length > 0) await demandSlurm('scancel', jobs);
  return { jobs, tasks: live.length };
}
