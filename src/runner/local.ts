/**
 * Workers as child processes of this one, on this machine. They write JSON lines to standard output. Their standard
 * error goes to the stage's log.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { messageOf } from '../common/errors.js';
import type { Stage } from '../spec/stages.js';
import { leavesCheckpoint } from '../stages/index.js';
import { appendText } from '../store/files.js';
import { parseEvent, type StageOrder } from './worker-lines.js';
import type { Launch, LaunchOptions, Worker, WorkerEnd } from './worker.js';

export interface LocalOptions {
  /** Path of the vitmim executable (a script for Node). */
  bin: string;
  /** The value of `--device`. */
  device: string;
  /** The value of `--threads`. */
  threads: number;
  /** Most minutes between two checkpoints. */
  checkpointMinutes?: number | undefined;
  /**
   * The variables that each slot adds to the environment of its workers, such as their GPU; the last is for all others.
   */
  slots?: readonly NodeJS.ProcessEnv[] | undefined;
  /** The value of `--origin`: the file with the provenance that all stages share. */
  origin?: string | undefined;
}

export interface LocalWorkers {
  readonly launch: Launch;
  /** Ends the workers that are idle. Must be called after the run, or they keep this process alive. */
  readonly close: () => void;
}

/**
 * Workers that run `vitmim train <stage.json> --device <device> --threads <n> --claim <id> --json`.
 *
 * A process that has finished a short stage or a probe becomes idle, and the next stage of its slot runs in it:
 * start-up takes as long as a small stage, and probes of one encoder share its features. Any other end of a stage ends
 * the process too.
 *
 * Each worker leads a process group of its own. So Ctrl-C in a terminal reaches only the runner, which then stops its
 * workers. If the runner dies, the standard input of its workers is closed, and they end.
 */
export function localWorkers(options: LocalOptions): LocalWorkers {
  const idle = new Map<number, WorkerProcess>();
  let closed = false;
  const start = (first: LaunchOptions): Worker => {
    const process = new WorkerProcess(spawnWorker(options, first), (slot) => {
      if (closed) process.end();
      else idle.set(slot, process);
    });
    return process.watch(first);
  };
  return {
    launch: (launch) => {
      const process = idle.get(launch.slot);
      idle.delete(launch.slot);
      return process?.alive === true ? process.order(launch) : start(launch);
    },
    close: () => {
      closed = true;
      for (const process of idle.values()) process.end();
      idle.clear();
    },
  };
}

function spawnWorker(options: LocalOptions, { paths, claim, slot }: LaunchOptions): ChildProcess {
  const { bin, device, threads, checkpointMinutes, slots = [], origin } = options;
  const args = [bin, 'train', paths.stage, '--device', device, '--threads', String(threads), '--claim', claim];
  if (checkpointMinutes !== undefined) args.push('--checkpoint-minutes', String(checkpointMinutes));
  if (origin !== undefined) args.push('--origin', origin);
  const env = { ...decoding(threads), ...process.env, ...(slots[slot] ?? slots.at(-1)) };
  return spawn(process.execPath, [...args, '--json'], { detached: true, env, stdio: 'pipe' });
}

const LONG_MS = 60_000;

/**
 * Whether a process becomes idle after a stage. After a long training of all weights, start-up no longer matters, and a
 * fresh process has all of its memory free. A process that has run a probe keeps its features for the next one.
 */
export const staysAfter = ({ config }: Pick<Stage, 'config'>, milliseconds: number): boolean =>
  milliseconds <= LONG_MS || !leavesCheckpoint(config.kind);

/** A process that runs one stage after the other. */
class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #onIdle: (slot: number) => void;
  #current: { launch: LaunchOptions; startedAt: number; settle: (end: WorkerEnd) => void } | null = null;
  /** The log of the current stage, else of the last one. */
  #log = '';

  constructor(child: ChildProcess, onIdle: (slot: number) => void) {
    this.#child = child;
    this.#onIdle = onIdle;
    createInterface({ input: child.stdout!, crlfDelay: Infinity }).on('line', (line) => {
      if (line.trim() !== '') this.#hear(line);
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      noteInLog(this.#log, text);
    });
    // A broken pipe means only that the process has ended.
    child.stdin!.on('error', () => undefined);
    void endOf(child).then((end) => {
      this.#current?.settle(end);
    });
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Gives the idle process its next stage. */
  order(launch: LaunchOptions): Worker {
    const order: StageOrder = { stage: launch.paths.stage, claim: launch.claim };
    this.#child.stdin!.write(`${JSON.stringify(order)}\n`);
    return this.watch(launch);
  }

  /** The worker of the stage that the process runs now. */
  watch(launch: LaunchOptions): Worker {
    this.#log = launch.paths.log;
    const ended = new Promise<WorkerEnd>((settle) => {
      this.#current = { launch, startedAt: performance.now(), settle };
    });
    return {
      pid: this.#child.pid ?? null,
      ended,
      interrupt: () => this.#child.kill('SIGTERM'),
      kill: () => this.#child.kill('SIGKILL'),
    };
  }

  /** Ends it, once it is idle. */
  end(): void {
    this.#child.stdin!.end();
  }

  #hear(line: string): void {
    if (this.#current === null) return;
    const { launch, startedAt, settle } = this.#current;
    const event = parseEvent(line);
    if (event.type === 'warning') noteInLog(launch.paths.log, `${line}\n`);
    if (event.type !== 'idle') launch.onEvent(event);
    else if (!staysAfter(launch.stage, performance.now() - startedAt)) this.end();
    else {
      this.#current = null;
      // What the stage wrote to standard error before this line is read in this turn, and belongs in its log.
      setImmediate(() => {
        this.#onIdle(launch.slot);
        settle({ kind: 'exit', code: 0 });
      });
    }
  }
}

/** Resolves when the process has ended and its output was read to the end. */
async function endOf(child: ChildProcess): Promise<WorkerEnd> {
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal };
  } catch (error) {
    return { kind: 'unstartable', reason: messageOf(error) };
  }
}

/** Node's default number of threads for work beside JavaScript. */
const FEWEST_DECODERS = 4;

/**
 * Images are decoded on libuv's threads, whose number is read from the environment before anything else runs: as many
 * as the stage has of the cores, unless an option sets it.
 */
export const decoding = (threads: number): NodeJS.ProcessEnv => ({
  UV_THREADPOOL_SIZE: String(Math.max(FEWEST_DECODERS, threads)),
});

function noteInLog(log: string, text: string): void {
  try {
    appendText(log, text);
  } catch {
    // A full disk must not end the sweep here; the stage's own files report it.
  }
}
