/** What the tests of Slurm share. */
import type { SlurmOptions } from '../../../src/runner/slurm/options.js';

/** Everything is left to the cluster. */
export const NO_OPTIONS: SlurmOptions = {
  partition: null,
  qos: null,
  gpus: null,
  cpus: null,
  mem: null,
  time: null,
  arrayParallelism: null,
  setup: [],
  account: null,
  constraint: null,
  reservation: null,
  exclude: null,
  sbatch: [],
};
