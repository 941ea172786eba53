/** The places of the files of submissions in a results folder. */
import { join } from 'node:path';

/** The folder of all submissions; each has one in it, and their names sort by time. */
export const submissionsFolder = (results: string): string => join(results, 'slurm');

/** The files of one submission. */
export function submissionPaths(results: string, id: string) {
  const folder = join(submissionsFolder(results), id);
  return {
    folder,
    record: join(folder, 'submission.json'),
    /** The part of the plan that was submitted. */
    plan: join(folder, 'plan.json'),
    /** Lines of an index and the stage that has it. */
    list: (array: string) => join(folder, `${array}.txt`),
    script: (array: string) => join(folder, `${array}.sh`),
    /** The log of a task, with Slurm's patterns for the job and the index. */
    log: (array: string) => `${join(folder, array).replaceAll('%', '%%')}-%A_%a.log`,
  };
}

export type SubmissionPaths = ReturnType<typeof submissionPaths>;
