/** Runs the program, as a user would: the real executable, or its `main` in this process for commands that only answer. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { captured } from './captured.js';
import { withVariables } from './variables.js';

/** The bundle that users run, or its modules if a tool has changed one of them. */
const BIN = fileURLToPath(
  new URL(process.env.VITMIM_TEST_MODULES === '1' ? '../../bin/vitmim.js' : '../../run/vitmim.js', import.meta.url),
);

const LONGEST_MS = 240_000;

interface Options {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Time limit, after which the command has certainly hung; four minutes by default. */
  longestMs?: number;
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** Resolves when the text has appeared on standard error. */
  said(text: string): Promise<void>;
  finished: Promise<Finished>;
}

const ENVIRONMENT = { CI: 'true', NO_COLOR: '1', XDG_CACHE_HOME: join(tmpdir(), 'vitmim-test-caches') };

/** Starts `vitmim ARGS…`. */
export function start(args: readonly string[], options: Options = {}): Running {
  const env = { ...process.env, ...ENVIRONMENT, ...options.env };
  const child = spawn(process.execPath, [BIN, ...args], { cwd: options.cwd ?? process.cwd(), env });
  // A command that hangs must fail its own test and not block all tests.
  const watchdog = setTimeout(() => child.kill('SIGKILL'), options.longestMs ?? LONGEST_MS);
  let [stdout, stderr] = ['', ''];
  const waiting: { text: string; wake: () => void }[] = [];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    for (const { text, wake } of waiting) if (stderr.includes(text)) wake();
  });
  const finished = new Promise<Finished>((done) => {
    child.on('close', (code) => {
      clearTimeout(watchdog);
      done({ code, stdout, stderr });
    });
  });
  const said = (text: string): Promise<void> => {
    const seen = new Promise<void>((wake) => {
      waiting.push({ text, wake });
      if (stderr.includes(text)) wake();
    });
    const ended = finished.then(() => {
      if (!stderr.includes(text)) throw new Error(`ended without saying "${text}":\n${stderr}`);
    });
    return Promise.race([seen, ended]);
  };
  return { child, said, finished };
}

/** Commands that read files and print or write. To start the program takes ten times as long as most of them. */
const ANSWERS: ReadonlySet<string | undefined> = new Set(
  'status plan report compare power export verify schema completion preview'.split(' '),
);

/** Runs `vitmim ARGS…` and waits for its end. With options, the real executable runs. */
export const vitmim = (args: readonly string[], options?: Options): Promise<Finished> =>
  options === undefined && ANSWERS.has(args[0]) ? inThisProcess(args) : start(args, options).finished;

let before: Promise<unknown> = Promise.resolve();

type Main = (args: readonly string[]) => Promise<number>;
const ownMain: Main = async (args) => (await import('../../src/cli/main.js')).main(args);

/** Runs `vitmim ARGS…` in this process, after those that run already; `main` is that of another copy of the program. */
export function inThisProcess(args: readonly string[], main = ownMain): Promise<Finished> {
  const finished = before.then(async () => {
    const { value, stdout, stderr } = await withVariables(ENVIRONMENT, () => captured(() => main(args)));
    return { code: value, stdout, stderr };
  });
  before = finished.catch(() => undefined);
  return finished;
}

/** Waits for a state of the world; rejects after four minutes, when it will never come. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const begin = performance.now();
  while (!(await holds())) {
    if (performance.now() - begin > LONGEST_MS) throw new Error(`waited in vain until ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}

const LOOK_EVERY_MS = 20;

/** kill -9, of a process that may have ended by itself. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}

/** A separate folder for one test. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = resolve(mkdtempSync(join(tmpdir(), 'vitmim-')));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}
