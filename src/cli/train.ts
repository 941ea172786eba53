/** `vitmim train`: one stage in this process. It is what the workers of a sweep run. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { openDevice } from '../backends/open.js';
import type { Device } from '../backends/device.js';
import { TrainingError, UsageError } from '../common/errors.js';
import { readJson, writeJson } from '../store/files.js';
import { stagePaths } from '../store/layout.js';
import { stageSchema, type StageEvent } from '../store/records.js';
import { Interrupted } from '../training/loop.js';
import { runStage } from '../training/run-stage.js';
import { deviceOption, jsonOption, threadsOption, type DeviceChoice } from './options.js';
import { EXIT, printJson, say } from './terminal.js';
import { VERSION } from './version.js';

interface Options {
  device: DeviceChoice;
  threads?: number;
  json?: true;
}

export function trainCommand(finish: (code: number) => void): Command {
  return new Command('train')
    .description('run one stage in this process, from its last checkpoint where there is one')
    .argument('<stage.json>', 'the stage, in its folder; its parent lies in the folder beside')
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  vitmim train results/smoke/stages/0123456789abcdef/stage.json --device simd')
    .action(async (file: string, options: Options) => {
      finish(await trainStage(file, options));
    });
}

async function trainStage(file: string, { device: requested, threads, json }: Options): Promise<number> {
  const stage = existsSync(file) ? readJson(file, stageSchema) : undefined;
  if (!stage) throw new UsageError(`there is no stage at ${file}`);
  const paths = stagePaths(dirname(file));
  const emit = (event: StageEvent): void => {
    if (json) printJson(event);
    else say(describe(event));
  };

  const stop = new AbortController();
  const onSignal = (): void => {
    stop.abort();
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);

  let device: Device | undefined;
  try {
    device = await openDevice(requested, { threads });
    const { description } = device;
    writeJson(paths.provenance, { vitmim: VERSION, node: process.version, device: device.name, description });
    emit({ type: 'done', result: await runStage(stage, paths, { device: description, emit, signal: stop.signal }) });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof Interrupted) return EXIT.interrupted;
    if (error instanceof TrainingError || error instanceof UsageError) {
      emit({ type: 'failed', reason: error.message });
      return EXIT.failed;
    }
    throw error; // a bug: its trace goes to the stage's log
  } finally {
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
    device?.close();
  }
}

function describe(event: StageEvent): string {
  switch (event.type) {
    case 'started':
      return `on ${event.device}: ${event.steps} steps${event.fromStep > 0 ? `, from step ${event.fromStep}` : ''}`;
    case 'progress': {
      const { step, steps, loss, imagesPerSecond } = event;
      return `step ${step}/${steps}  loss ${loss.toFixed(4)}  ${imagesPerSecond.toFixed(0)} images/s`;
    }
    case 'evaluated':
      return `epoch ${event.epoch}: ${event.accuracy.toFixed(2)} % on the test set`;
    case 'warning':
      return `warning: ${event.message}`;
    case 'done':
      return JSON.stringify(event.result);
    case 'failed':
      return `failed: ${event.reason}`;
  }
}
