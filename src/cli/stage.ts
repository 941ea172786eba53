/** `vitmim stage`: one stage of a results folder, once. It is what a task of a Slurm array runs; not for people. */
import { Command, Option } from 'commander';
import type { DeviceChoice } from '../backends/index.js';
import { UsageError } from '../common/errors.js';
import type { StopSignal } from '../common/stop-codes.js';
import { localWorkers } from '../runner/local.js';
import { plainReporter } from '../runner/reporters/plain.js';
import { runOne, type OneEnd } from '../runner/run-one.js';
import { ownTask, requeue } from '../runner/slurm/requeue.js';
import type { Plan } from '../spec/stages.js';
import { readJson } from '../store/files.js';
import { sweepPaths } from '../store/layout.js';
import { choosePlans, PLAN_REMEDY } from '../store/plans.js';
import { partialPlanSchema } from '../store/records.js';
import { chooseDevice } from '../runner/choose-device.js';
import { deviceOption, maxAttemptsOption, threadsOption } from './options.js';
import { onStopSignals, stopCode, STOPPING_STAGES } from './stop-signals.js';
import { EXIT, say } from './terminal.js';

interface Options {
  plan?: string;
  device: DeviceChoice;
  threads?: number;
  origin?: string;
  maxAttempts: number;
}

export function stageCommand(finish: (code: number) => void): Command {
  return new Command('stage')
    .description('run one stage of a results folder as a task of Slurm')
    .argument('<folder>', 'results folder')
    .argument('<id>', 'identity of the stage')
    .addOption(new Option('--plan <file>', 'the plan that has it (default: the newest of the folder)'))
    .addOption(deviceOption())
    .addOption(threadsOption('1'))
    .addOption(new Option('--origin <file>', 'the provenance that the sweep recorded'))
    .addOption(maxAttemptsOption())
    .action(async (folder: string, id: string, options: Options) => {
      finish(await runStage(folder, id, options));
    });
}

async function runStage(folder: string, id: string, options: Options): Promise<number> {
  // If a stop takes too long, Slurm kills the process itself. So later signals change nothing.
  const request = onStopSignals(STOPPING_STAGES);
  request.stop.addEventListener('abort', () => {
    const why = request.by === 'SIGUSR1' ? ' (the time limit is near)' : '';
    say(`${request.by!}${why}: the stage keeps a checkpoint and ends`);
  });
  try {
    const end = await run(folder, id, options, request.stop);
    if (request.by === 'SIGUSR1') await goOnLater(end);
    return exitCode(end, request.by);
  } finally {
    request.end();
  }
}

async function run(folder: string, id: string, options: Options, signal: AbortSignal): Promise<OneEnd> {
  const plan = options.plan === undefined ? choosePlans(sweepPaths(folder), 'newest').plan : readPlanOf(options.plan);
  const device = await chooseDevice(options.device, process.argv[1]!);
  const reporter = plainReporter((text) => process.stderr.write(text));
  const { launch, close } = localWorkers({
    bin: process.argv[1]!,
    device: device.name,
    threads: options.threads ?? 1,
    origin: options.origin,
  });
  const end = await runOne(id, {
    plan,
    folder,
    launch,
    maxAttempts: options.maxAttempts,
    onEvent: (event) => {
      // This command reports how it is stopped; in a Slurm task there is no second Ctrl-C.
      if (event.type !== 'run-stopping') reporter.onEvent(event);
    },
    signal,
  }).finally(close);
  reporter.close();
  if (end.kind === 'blocked') say(`blocked: not run, since ${end.by.name} (${end.by.id}) has no result`);
  return end;
}

function readPlanOf(file: string): Plan {
  const plan = readJson(file, partialPlanSchema, PLAN_REMEDY);
  if (plan === undefined)
    throw new UsageError(`there is no plan at ${file}; name a file of plans/ in a results folder`);
  return plan;
}

/** After a time-out, puts the task back into the queue. Its next run continues from the checkpoint. */
async function goOnLater(end: OneEnd): Promise<void> {
  if (end.kind !== 'ran' || end.summary.interrupted.length === 0) return;
  const task = ownTask(process.env);
  if (task === null) {
    say('not requeued: this is no task of a Slurm array');
  } else if (!end.keptCheckpoint) {
    say(
      'not requeued: it kept no checkpoint in this run, and would get no further in the next; give it a longer --time',
    );
  } else {
    say(`requeued as ${task}: it continues from its checkpoint`);
    await requeue(task);
  }
}

function exitCode(end: OneEnd, stoppedBy: StopSignal | null): number {
  if (end.kind === 'blocked') return EXIT.failed;
  const { failed, interrupted, pending } = end.summary;
  if (interrupted.length + pending > 0 && stoppedBy !== null) return stopCode(stoppedBy);
  return failed.length + interrupted.length + pending > 0 ? EXIT.failed : EXIT.ok;
}
