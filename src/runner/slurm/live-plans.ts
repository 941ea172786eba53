/** The plans of submissions that Slurm may still work on. */
import { messageOf, UsageError } from '../../common/errors.js';
import { submissionPaths } from './layout.js';
import { liveTasks, taskStates } from './states.js';
import { readSubmissions } from './submission.js';

export interface LivePlans {
  /** The plan files of these submissions. */
  files: string[];
  /** Why Slurm's answer is not known, so that every submission counts; null: it is known, or there are none. */
  unknown: string | null;
}

/** @throws UsageError if the folder does not exist, or a record of a submission is damaged. */
export async function livePlans(folder: string): Promise<LivePlans> {
  const submissions = readSubmissions(folder);
  const filesOf = (some: typeof submissions): string[] => some.map(({ id }) => submissionPaths(folder, id).plan);
  try {
    const live = new Set(liveTasks(await taskStates(submissions)).map(({ job }) => job));
    return {
      files: filesOf(submissions.filter(({ arrays }) => arrays.some(({ job }) => live.has(job)))),
      unknown: null,
    };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { files: filesOf(submissions), unknown: messageOf(error) };
  }
}
