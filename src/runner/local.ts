/**
 * Workers as child processes of this one, on this machine. They say JSON lines on their standard output; what they
 * write to standard error goes to the stage's log.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { z } from 'zod';
import { FAILURE_CAUSES, messageOf } from '../common/errors.js';
import { appendText, openToAppend } from '../store/files.js';
import { resultSchema, type StageEvent } from '../store/records.js';
import type { Launch, WorkerEnd } from './worker.js';

export interface LocalOptions {
  /** Path of the vitmim executable (a script for Node). */
  bin: string;
  /** What `--device` says. */
  device: string;
  /** What `--threads` says. */
  threads: number;
  /** Most minutes between two checkpoints. */
  checkpointMinutes?: number | undefined;
  /** What each slot adds to the environment of its workers, such as the GPU they see; the last stands for all others. */
  slots?: readonly NodeJS.ProcessEnv[] | undefined;
  /** What `--origin` says: where the provenance that all stages share lies. */
  origin?: string | undefined;
}

/**
 * A launcher that runs `vitmim train <stage.json> --device <device> --threads <n> --claim <id> --json`.
 *
 * Each worker leads a process group of its own, so that Ctrl-C in a terminal reaches the runner alone, which then stops
 * its workers in its own way. A worker whose runner dies finds its standard input closed, and ends.
 */
export function localLauncher({ bin, device, threads, checkpointMinutes, slots = [], origin }: LocalOptions): Launch {
  return ({ paths, claim, slot, onEvent }) => {
    const log = openToAppend(paths.log);
    const args = [bin, 'train', paths.stage, '--device', device, '--threads', String(threads), '--claim', claim];
    if (checkpointMinutes !== undefined) args.push('--checkpoint-minutes', String(checkpointMinutes));
    if (origin !== undefined) args.push('--origin', origin);
    const env = { ...decoding(threads), ...process.env, ...(slots[slot] ?? slots.at(-1)) };
    const child = spawn(process.execPath, [...args, '--json'], { detached: true, env, stdio: ['pipe', 'pipe', log] });
    closeSync(log);
    return {
      pid: child.pid ?? null,
      ended: listen(child, (line) => {
        const event = parseEvent(line);
        if (event.type === 'warning') noteInLog(paths.log, line);
        onEvent(event);
      }),
      interrupt: () => child.kill('SIGTERM'),
      kill: () => child.kill('SIGKILL'),
    };
  };
}

/** Node's own number of threads for what it does beside JavaScript. */
const FEWEST_DECODERS = 4;

/**
 * Images are decoded on libuv's threads, whose number is read from the environment before anything else runs: as many as
 * the stage has of the cores, unless an option sets it.
 */
export const decoding = (threads: number): NodeJS.ProcessEnv => ({
  UV_THREADPOOL_SIZE: String(Math.max(FEWEST_DECODERS, threads)),
});

function noteInLog(log: string, line: string): void {
  try {
    appendText(log, `${line}\n`);
  } catch {
    // The event tells it too; a full disk must not end the sweep here.
  }
}

/** Resolves when the process has ended and its output was read to the end. */
async function listen(child: ChildProcess, onLine: (line: string) => void): Promise<WorkerEnd> {
  const lines = createInterface({ input: child.stdout!, crlfDelay: Infinity });
  lines.on('line', (line) => {
    if (line.trim() !== '') onLine(line);
  });
  // Nothing is ever written to a worker; a broken pipe means only that it has gone.
  child.stdin!.on('error', () => undefined);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal };
  } catch (error) {
    return { kind: 'unstartable', reason: messageOf(error) };
  }
}

const count = z.number().nonnegative();

const eventSchema: z.ZodType<StageEvent> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('started'), device: z.string(), steps: count, fromStep: count }),
  z.object({
    type: z.literal('progress'),
    epoch: count,
    step: count,
    steps: count,
    loss: z.number(),
    imagesPerSecond: count,
  }),
  z.object({
    type: z.literal('evaluated'),
    epoch: count,
    metrics: z.record(z.string(), z.number().nullable()),
    split: z.literal('validation').optional(),
  }),
  z.object({ type: z.literal('advice'), message: z.string() }),
  z.object({ type: z.literal('warning'), message: z.string() }),
  z.object({ type: z.literal('done'), result: resultSchema }),
  z.object({ type: z.literal('failed'), cause: z.enum(FAILURE_CAUSES), reason: z.string() }),
  z.object({ type: z.literal('alive'), working: z.boolean() }),
]);

const MOST_QUOTED = 200;

/** Reads one line of a worker's output. A library may write there too: what is no event becomes a warning. */
export function parseEvent(line: string): StageEvent {
  try {
    return eventSchema.parse(JSON.parse(line));
  } catch {
    const quoted = line.length > MOST_QUOTED ? `${line.slice(0, MOST_QUOTED)}…` : line;
    return { type: 'warning', message: `unexpected output: ${quoted}` };
  }
}
