/** The part of `vitmim sweep` that hands a frozen plan to Slurm. */
import { resolve } from 'node:path';
import type { SlurmOptions } from '../runner/slurm/options.js';
import { submitPlan } from '../runner/slurm/submit.js';
import type { Submission } from '../runner/slurm/submission.js';
import type { Plan } from '../spec/stages.js';
import type { DeviceChoice } from './options.js';
import { print, printJson } from './terminal.js';

export interface SubmitChoices {
  device: DeviceChoice;
  threads?: number;
  maxAttempts: number;
  /** Where the provenance that all stages share lies. */
  origin: string;
  json?: true;
}

/**
 * Submits what is missing and tells as which jobs.
 *
 * The device is settled where the stage runs: this host may have no GPU. A stage gets one thread a core that it asks for.
 */
export async function submit(
  plan: Plan,
  folder: string,
  options: SlurmOptions,
  { device, threads, maxAttempts, origin, json }: SubmitChoices,
): Promise<void> {
  const submission = await submitPlan({
    plan,
    results: resolve(folder),
    options,
    device,
    maxAttempts,
    origin: resolve(origin),
    threads: threads ?? options.cpus ?? 1,
    program: [process.execPath, resolve(process.argv[1]!)],
    cwd: process.cwd(),
    now: new Date(),
  });
  if (json) printJson(submission);
  else if (submission === null) print(`${plan.name}: nothing to run; tables: vitmim report ${folder}`);
  else print(describe(plan.name, folder, submission));
}

function describe(name: string, folder: string, { id, arrays }: Submission): string {
  const jobOf = new Map(arrays.map((array) => [array.name, array.job]));
  const lines = arrays.map(({ name: array, parent, job, tasks }) => {
    const after = parent === null ? '' : `, each once its parent in job ${jobOf.get(parent)!} is done`;
    return `  ${array}: job ${job}, ${tasks.length} ${tasks.length === 1 ? 'stage' : 'stages'}${after}`;
  });
  return [
    `${name}: submitted as ${id} → ${folder}`,
    ...lines,
    `\nSee how far it is: vitmim status ${folder}`,
    `End it: vitmim cancel ${folder}`,
  ].join('\n');
}
