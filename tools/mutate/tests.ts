/** Runs test files of a tree of mutants in a separate process, with a time limit for each. */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLANTED_VARIABLE, REACHED_VARIABLE } from './variables.js';
import type { Order, Report } from './run-tests.js';

/** How a run of test files ended. */
export type Ending =
  | { kind: 'passed' }
  | { kind: 'failed'; path: string; test: string; message: string }
  /** The process ended without a report. */
  | { kind: 'crashed'; path: string }
  /** A file exceeded its time limit. */
  | { kind: 'timed out'; path: string };

export interface RunOptions {
  /** Time limit of each file in milliseconds. */
  limitMs: (path: string) => number;
  onPassed?: (report: Extract<Report, { kind: 'passed' }>) => void;
  env?: NodeJS.ProcessEnv;
  /** The number of this run among simultaneous ones; each has its own folder. */
  slot?: number;
}

/** Devices that are the same on every machine. */
const DEVICES = 'simd,cpu';
/** Limit of a run's JavaScript memory in MB: a mutant that fills the memory must not affect other programs. */
const MEMORY = 2048;

const running = new Set<ChildProcess>();

/** Ends all current runs, with the processes that they have started. */
export function endRuns(): void {
  for (const child of running) endGroup(child);
}

export function runTests(root: string, order: Order, options: RunOptions): Promise<Ending> {
  const temporary = join(root, 'tmp', String(options.slot ?? 0));
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary);
  const child = fork(join(root, 'dist/tools/mutate/run-tests.js'), {
    cwd: root,
    env: {
      ...process.env,
      CI: 'true',
      TMPDIR: temporary,
      VITMIM_REQUIRE_DEVICES: DEVICES,
      VITMIM_TEST_DEVICES: DEVICES,
      VITMIM_TEST_MODULES: '1', // the bundle holds no mutants
      ...options.env,
    },
    execArgv: [`--max-old-space-size=${MEMORY}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    detached: true, // a process group of its own, so that all its processes can be ended together
  });
  running.add(child);
  return new Promise<Ending>((resolve) => {
    let path = order.files[0]!.path;
    let timer: NodeJS.Timeout | undefined;
    const end = (ending: Ending): void => {
      clearTimeout(timer);
      endGroup(child);
      running.delete(child);
      resolve(ending);
    };
    child.on('message', (report: Report) => {
      switch (report.kind) {
        case 'begun':
          path = report.path;
          clearTimeout(timer);
          timer = setTimeout(end, options.limitMs(path), { kind: 'timed out', path });
          break;
        case 'passed':
          options.onPassed?.(report);
          break;
        case 'failed':
          end(report);
          break;
        case 'done':
          end({ kind: 'passed' });
      }
    });
    child.on('exit', () => {
      end({ kind: 'crashed', path });
    });
    child.send(order);
  });
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}

/** Runs the tests with a mutant planted. */
export function runWith(id: number, root: string, order: Order, options: RunOptions): Promise<Ending> {
  return runTests(root, order, { ...options, env: { [PLANTED_VARIABLE]: String(id) } });
}

/** The reach of a test file: for each mutant, the numbers of the tests that reach it, or the whole file. */
export interface TestFile {
  path: string;
  seconds: number;
  /** Whether its tests can run without each other. */
  independent: boolean;
  reaches: Record<number, number[] | 'file'>;
}

/** Time limit of a file without a mutant. */
const LONGEST_MS = 600_000;
/** Quicker files run as a whole: checking whether their tests are independent would save nothing. */
const WORTH_PARTS_SECONDS = 2;

/**
 * Runs one test file without a mutant and records its reach; returns a text with the reason if it fails.
 *
 * @param inParts Whether to check that the tests of a slow file are independent, which takes a second run.
 */
export async function recordReach(
  root: string,
  path: string,
  { slot, inParts }: { slot: number; inParts: boolean },
): Promise<TestFile | string> {
  const reached = join(root, 'tmp', `reached-${slot}`);
  writeFileSync(reached, '');
  let seconds = 0;
  const options = {
    limitMs: () => LONGEST_MS,
    slot,
    onPassed: (report: { seconds: number }) => {
      seconds = report.seconds;
    },
  };
  const ending = await runTests(root, { files: [{ path }] }, { ...options, env: { [REACHED_VARIABLE]: reached } });
  if (ending.kind !== 'passed') return ending.kind === 'failed' ? `${ending.test}\n${ending.message}` : ending.kind;
  const reaches = parseReached(readFileSync(reached, 'utf8'));
  const independent =
    inParts &&
    seconds > WORTH_PARTS_SECONDS &&
    (await runTests(root, { files: [{ path }], reversed: true }, options)).kind === 'passed';
  return { path, seconds, independent, reaches };
}

/**
 * `@file`, `@12`: the test from here on. `7`: a mutant reached in it. `*7`: one reached in another process or thread.
 */
export function parseReached(text: string): TestFile['reaches'] {
  const reaches: TestFile['reaches'] = {};
  let test: number | 'file' = 'file';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (line.startsWith('@')) {
      test = line === '@file' ? 'file' : Number(line.slice(1));
      continue;
    }
    const elsewhere = line.startsWith('*');
    const id = Number(elsewhere ? line.slice(1) : line);
    const known = reaches[id] ?? [];
    reaches[id] = elsewhere || test === 'file' || known === 'file' ? 'file' : [...new Set([...known, test])];
  }
  return reaches;
}
