/**
 * Runs test files in one process like Jest, to the first failure: `describe`, tests and hooks in order, with Jest's own
 * `expect` and `each`. Jest itself takes seconds to start, which is too long for hundreds of mutants.
 *
 * The parent process sends {@link Order}s and receives {@link Report}s.
 */
import { appendFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'expect';
import { bind } from 'jest-each';
import { REACHED_VARIABLE, RECORDER_VARIABLE } from './variables.js';

export interface Order {
  /** The compiled test files, relative to the working directory, in the order in which they run. */
  files: { path: string; /** Numbers of the tests to be run; all by default. */ tests?: readonly number[] }[];
  /**
   * Runs the tests of each suite from the last to the first, which shows whether each passes without those before it.
   */
  reversed?: boolean;
}

export type Report =
  | { kind: 'begun'; path: string }
  | { kind: 'passed'; path: string; tests: number; seconds: number }
  | { kind: 'failed'; path: string; test: string; message: string }
  | { kind: 'done' };

type Body = () => unknown;
interface Test {
  kind: 'test';
  index: number;
  name: string;
  body: Body;
}
interface Suite {
  kind: 'suite';
  name: string;
  children: (Test | Suite)[];
  hooks: Record<Hook, Body[]>;
}
type Hook = 'beforeAll' | 'afterAll' | 'beforeEach' | 'afterEach';

const suiteNamed = (name: string): Suite => ({
  kind: 'suite',
  name,
  children: [],
  hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] },
});

let current = suiteNamed('');
let count = 0;
const reached = process.env[REACHED_VARIABLE];
process.env[RECORDER_VARIABLE] = String(process.pid);

function describe(name: string, body: () => void): void {
  const outer = current;
  current = suiteNamed(name);
  outer.children.push(current);
  body();
  current = outer;
}

// Jest's third argument, a time limit, is ignored: the parent has a limit for the file.
function test(name: string, body: Body): void {
  current.children.push({ kind: 'test', index: count++, name, body });
}

const skipped = (): void => undefined;
const hook =
  (kind: Hook) =>
  (body: Body): void => {
    current.hooks[kind].push(body);
  };
const withEach = <T extends (name: string, body: () => void) => void>(declare: T) =>
  Object.assign(declare, {
    each: bind(declare, false),
    skip: Object.assign(skipped, { each: bind(skipped, false) }),
  });
Object.assign(globalThis, {
  describe: withEach(describe),
  test: withEach(test),
  it: withEach((name: string, body: Body) => {
    test(name, body);
  }),
  beforeAll: hook('beforeAll'),
  afterAll: hook('afterAll'),
  beforeEach: hook('beforeEach'),
  afterEach: hook('afterEach'),
  expect,
});

/** Thrown when a test or a hook has failed, to end the file. */
class Failed extends Error {
  readonly test: string;
  constructor(test: string, cause: unknown) {
    super(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
    this.test = test;
  }
}

/** Sets the owner of the mutants that are reached from now on: a test, by its number, or all tests of the file. */
function attribute(to: number | 'file'): void {
  if (reached === undefined) return;
  appendFileSync(reached, `@${to}\n`);
  (globalThis as { __forgetReached?: () => void }).__forgetReached?.();
}

async function attempt(name: string, body: Body): Promise<void> {
  try {
    await body();
  } catch (error) {
    throw new Failed(name, error);
  }
}

async function runSuite(
  suite: Suite,
  wanted: (test: Test) => boolean,
  reversed: boolean,
  outer: readonly Suite[] = [],
): Promise<void> {
  const holds = (child: Test | Suite): boolean =>
    child.kind === 'test' ? wanted(child) : child.children.some((inner) => holds(inner));
  if (!suite.children.some(holds)) return;
  const suites = [...outer, suite];
  const path = suites.map(({ name }) => name).join(' ');
  attribute('file');
  for (const body of suite.hooks.beforeAll) await attempt(`${path} (beforeAll)`, body);
  try {
    for (const child of reversed ? suite.children.toReversed() : suite.children) {
      if (!holds(child)) continue;
      if (child.kind === 'suite') {
        await runSuite(child, wanted, reversed, suites);
        continue;
      }
      attribute(child.index);
      const name = `${path} ${child.name}`.trim();
      for (const { hooks } of suites) for (const body of hooks.beforeEach) await attempt(name, body);
      await attempt(name, child.body);
      for (const { hooks } of suites.toReversed()) for (const body of hooks.afterEach) await attempt(name, body);
    }
  } finally {
    attribute('file');
    for (const body of suite.hooks.afterAll) await attempt(`${path} (afterAll)`, body);
  }
}

const report = (message: Report): Promise<void> =>
  new Promise((sent) => {
    process.send!(message, undefined, undefined, () => {
      sent();
    });
  });

async function run({ files, reversed = false }: Order): Promise<void> {
  for (const { path, tests } of files) {
    await report({ kind: 'begun', path });
    const begun = performance.now();
    current = suiteNamed('');
    count = 0;
    const wanted = tests === undefined ? null : new Set(tests);
    try {
      attribute('file');
      await import(pathToFileURL(resolve(path)).href);
      await runSuite(current, ({ index }) => wanted?.has(index) ?? true, reversed);
    } catch (error) {
      const failed = error instanceof Failed ? error : new Failed('(loading)', error);
      await report({ kind: 'failed', path, test: failed.test, message: failed.message });
      return;
    }
    await report({ kind: 'passed', path, tests: count, seconds: (performance.now() - begun) / 1000 });
  }
  await report({ kind: 'done' });
}

process.once('disconnect', () => process.exit(1));
process.once('message', (order: Order) => {
  void run(order).then(() => process.exit(0)); // even if a test has left a handle open
});
