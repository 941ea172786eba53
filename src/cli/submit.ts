/** The part of `vitmim sweep` that hands a frozen plan to Slurm. */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceChoice } from '../backends/index.js';
import { idleGpus } from '../runner/slurm/gpus.js';
import type { SlurmOptions } from '../runner/slurm/options.js';
import { refuseControlCharacters } from '../runner/slurm/script.js';
import { submitPlan, wordsOf, type Submitted } from '../runner/slurm/submit.js';
import type { Submission } from '../runner/slurm/submission.js';
import type { AskNeeds } from '../decide/needs.js';
import type { Plan } from '../spec/stages.js';
import { EXIT, print, printJson, say } from './terminal.js';

export interface SubmitChoices {
  device: DeviceChoice;
  threads?: number;
  maxAttempts: number;
  /** The path of the origin: the provenance that all stages share. */
  origin: string;
  /** Seconds between two looks for room; true: the default. Absent: what Slurm does not accept at once is left. */
  stay?: number | true;
  /** The stages that the rules of the whole plan want. */
  needs: AskNeeds;
  json?: true;
}

const LOOK_EVERY_SECONDS = 60;

const program = (): string[] => [process.execPath, resolve(process.argv[1]!)];

/**
 * Checks what will enter batch scripts, before anything is written.
 *
 * @throws UsageError for a line break or another control character.
 */
export function checkScriptWords(plan: Plan, folder: string, options: SlurmOptions): void {
  const results = resolve(folder);
  refuseControlCharacters(wordsOf({ plan, results, options, cwd: process.cwd(), program: program(), origin: results }));
}

/**
 * Submits the missing stages, prints their jobs, and returns the exit code: 1 if some stages are left.
 *
 * The device is chosen on the machine that runs the stage: this host may have no GPU. A stage has one thread per core.
 */
export async function submit(
  plan: Plan,
  folder: string,
  options: SlurmOptions,
  { device, threads, maxAttempts, origin, stay, needs, json }: SubmitChoices,
): Promise<number> {
  const idle = idleGpus(options, device);
  if (idle !== null) say(`warning: ${idle}`);
  const except = new Set<string>();
  const own = new Set(plan.stages.map(({ id }) => id));
  for (;;) {
    const submitted = await submitPlan({
      plan,
      results: resolve(folder),
      options,
      device,
      maxAttempts,
      origin: resolve(origin),
      threads: threads ?? options.cpus ?? 1,
      program: program(),
      cwd: process.cwd(),
      now: new Date(),
      except,
      needs: needs((stage) => own.has(stage) && !except.has(stage)),
    });
    const { submission, live, left, open } = submitted;
    // A stage that fails is not submitted again and again.
    for (const { tasks } of submission?.arrays ?? []) for (const { stage } of tasks) except.add(stage);
    if (json) printJson({ ...submission, live, left, open, unneeded: submitted.unneeded });
    else print(describe(plan.name, folder, submitted));
    if (left === null && open === null) return EXIT.ok;
    if (stay === undefined) {
      if (left !== null) say(`${describeLeft(left)}; give the same command again when there is room, or add --stay`);
      else
        say(`${describeOpen(open!)}; give the same command again when the submitted stages have ended, or add --stay`);
      return EXIT.failed;
    }
    if (left === null && submission === null && live === 0) {
      say(
        `${describeOpen(open!)}, and nothing that decides it is in Slurm; vitmim status ${folder} shows the missing stages`,
      );
      return EXIT.failed;
    }
    const seconds = stay === true ? LOOK_EVERY_SECONDS : stay;
    say(
      `${left === null ? describeOpen(open!) : describeLeft(left)}; looking again in ${seconds} s. Ctrl-C ends the waiting, not the jobs`,
    );
    await sleep(seconds * 1000);
  }
}

const stages = (count: number): string => `${count} ${count === 1 ? 'stage' : 'stages'}`;

const describeLeft = ({ stages: count, reason }: NonNullable<Submitted['left']>): string =>
  `${stages(count)} not submitted yet (${reason})`;

const describeOpen = ({ stages: count, why }: NonNullable<Submitted['open']>): string =>
  `${stages(count)} may be needed later (${why})`;

function describe(name: string, folder: string, { submission, live, left, open, unneeded }: Submitted): string {
  const earlier =
    live === 0 ? [] : [`${stages(live)} of earlier submissions wait or run; end them: vitmim cancel ${folder}`];
  if (submission !== null) return [...describeSubmission(name, folder, submission), ...earlier].join('\n');
  if (live > 0 || left !== null || open !== null) return [`${name}: nothing was submitted`, ...earlier].join('\n');
  const rest = unneeded === null ? '' : ` (${stages(unneeded.stages)} not needed: ${unneeded.why})`;
  return `${name}: nothing to run${rest}; tables: vitmim report ${folder}`;
}

function describeSubmission(name: string, folder: string, { id, arrays }: Submission): string[] {
  const jobOf = new Map(arrays.map((array) => [array.name, array.job]));
  const lines = arrays.map(({ name: array, parent, job, tasks }) => {
    const after = parent === null ? '' : `, each once its parent in job ${jobOf.get(parent)!} is done`;
    return `  ${array}: job ${job}, ${stages(tasks.length)}${after}`;
  });
  return [
    `${name}: submitted as ${id} → ${folder}`,
    ...lines,
    `\nSee how far it is: vitmim status ${folder}`,
    `End it: vitmim cancel ${folder}`,
  ];
}
