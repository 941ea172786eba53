/** The record of a submission (`submission.json`): its jobs, and the stages that they run. */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { UsageError } from '../../common/errors.js';
import { readJson, writeJson } from '../../store/files.js';
import { STAGE_ID } from '../../store/layout.js';
import { namesIn } from '../../store/open.js';
import { submissionPaths, submissionsFolder } from './layout.js';
import { slurmOptionsSchema } from './options.js';

export const submissionSchema = z.strictObject({
  version: z.literal(1),
  /** Name of its folder. */
  id: z.string(),
  /** Name of its jobs in Slurm: distinguishes them from jobs with the same numbers after a reset of the cluster. */
  jobName: z.string(),
  /** ISO 8601. */
  submittedAt: z.string(),
  options: slurmOptionsSchema,
  device: z.string(),
  threads: z.int().positive(),
  /** Arrays in the order of submission. One that was not accepted is not here. */
  arrays: z.array(
    z.strictObject({
      name: z.string(),
      /** Name of the array that it waits for, task by task. */
      parent: z.string().nullable(),
      /** Slurm's number of the job array. */
      job: z.string().regex(/^\d+$/),
      tasks: z.array(z.strictObject({ index: z.int().nonnegative(), stage: z.string().regex(STAGE_ID) })),
    }),
  ),
});
export type Submission = z.output<typeof submissionSchema>;

/** Its jobs cannot be found without it, so it is not passed over. */
const REMEDY = 'look for its jobs with squeue, then remove the file';

export function writeSubmission(results: string, submission: Submission): void {
  writeJson(submissionPaths(results, submission.id).record, submission);
}

/**
 * The submissions of a results folder, oldest first. A folder without a record was never submitted.
 *
 * @throws UsageError if a record is damaged.
 */
export function readSubmissions(results: string): Submission[] {
  if (!existsSync(results))
    throw new UsageError(`there is no results folder ${results}; name a folder that vitmim sweep wrote`);
  return namesIn(submissionsFolder(results)).flatMap(
    (id) => readJson(submissionPaths(results, id).record, submissionSchema, REMEDY) ?? [],
  );
}
