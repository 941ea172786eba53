/** The resources that a stage requests from Slurm: options of the command line, kept in `submission.json`. */
import { z } from 'zod';

const word = z.string().nullable();

/** null leaves a choice to the cluster's own default. */
export const slurmOptionsSchema = z.strictObject({
  partition: word,
  qos: word,
  /** GPUs of a stage, as in `1` or `a100:1`. */
  gpus: word,
  /** Cores of a stage. */
  cpus: z.int().positive().nullable(),
  /** Memory of a stage, as in `16G`. */
  mem: word,
  /** Time limit of one run of a stage, in any of Slurm's forms. */
  time: word,
  /** Most tasks of one array at once. */
  arrayParallelism: z.int().positive().nullable(),
  /** Lines of shell before vitmim starts. */
  setup: z.array(z.string()),
  // Records of earlier versions have none of these.
  account: word.default(null),
  constraint: word.default(null),
  reservation: word.default(null),
  exclude: word.default(null),
  /** Any other options of sbatch, as they are; null: one without a value. */
  sbatch: z.array(z.strictObject({ key: z.string(), value: word })).default([]),
});
export type SlurmOptions = z.output<typeof slurmOptionsSchema>;
