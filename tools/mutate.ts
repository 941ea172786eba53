/**
 * Plants faults (mutants) in the code, one at a time, and runs the tests that reach each. If no test fails, a test is
 * missing. docs/mutants.md explains the mutants that survive.
 *
 *   npm run mutate                          400 mutants, 40 of each folder, and the named faults
 *   npm run mutate -- --all                 all mutants: takes days
 *   npm run mutate -- --only 'src/ops/*'    of the files that match
 *   npm run mutate -- --named               only the named faults (tools/mutate/named.ts)
 *
 * --sample N --seed S   draws N mutants, the same number of each folder (default 400, seed 1)
 * --tests GLOB          runs only the matching test files; others may catch a mutant that survives these
 * --list                prints the mutants without planting them
 * --jobs N              runs N at a time (default 1)
 * --least PERCENT       exits with 1 if fewer are caught (default 95)
 * --json FILE           writes every mutant with its verdict
 * --fresh               ignores the verdicts of earlier runs, which are kept in dist-mutants/ while they are valid
 * --once                for a small sample: uses nothing of earlier runs, keeps nothing for later ones, and runs a test file
 *                       only if a mutant is left that the files before it did not catch
 *
 * Needs a build in dist/, which `npm run mutate` creates. All chosen mutants are compiled into one copy of dist/. Every
 * test file runs once, which records the mutants that it reaches. Then, for each mutant, the tests that reach it run
 * until one fails, takes more than five times as long as without it, or ends the process.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { UsageError } from '../src/common/errors.js';
import { choose, folderOf, FOLDERS } from './mutate/choose.js';
import { judge, type Verdict } from './mutate/judge.js';
import { describeChange, describeMutant, mutantsOf, sha, type Mutant, type Numbered } from './mutate/mutants.js';
import { NAMED_FAULTS, type NamedFault } from './mutate/named.js';
import { Record, type Hashes } from './mutate/record.js';
import { endRuns, recordReach, type TestFile } from './mutate/tests.js';
import { plantTree } from './mutate/tree.js';

const OPTIONS = {
  all: { type: 'boolean', default: false },
  named: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true },
  tests: { type: 'string', multiple: true },
  sample: { type: 'string', default: '400' },
  seed: { type: 'string', default: '1' },
  list: { type: 'boolean', default: false },
  jobs: { type: 'string', default: '1' },
  least: { type: 'string', default: '95' },
  json: { type: 'string' },
  fresh: { type: 'boolean', default: false },
  once: { type: 'boolean', default: false },
} as const;

/**
 * Tests in addition to those of the mutated folders: quick ones that run the whole program, and tests of shared parts.
 */
const MORE_TESTS = [
  'common/',
  'parity/',
  ...['provenance', 'preview', 'shard', 'sweep', 'usage'].map((name) => `e2e/${name}.test.js`),
];

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const TESTS = join(REPOSITORY, 'dist/test');
/** The folder of the verdicts. */
const RECORD = 'dist-mutants';
const EXPLAINED = 'docs/mutants.md';

interface Judged {
  mutant: Numbered;
  verdict: Verdict;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ options: OPTIONS });
  const [sample, seed, jobs, least] = [options.sample, options.seed, options.jobs, options.least].map(numberOf);
  const texts = new Map(sourceFiles().map((file) => [file, readFileSync(join(REPOSITORY, file), 'utf8')]));
  // The record of earlier runs counts the mutants of all files.
  const every = [...texts]
    .filter(([file]) => FOLDERS.some((folder) => file.startsWith(`src/${folder}/`)))
    .filter(([file]) => !options.once || matches(file, options.only))
    .flatMap(([file, text]) => mutantsOf(file, text, namedIn(file)))
    .map((mutant, i): Numbered => ({ ...mutant, id: i + 1 }));
  const wanted = every.filter(
    ({ file, name }) => matches(file, options.only) && (!options.named || name !== undefined),
  );
  const mutants = options.all || options.named ? wanted : choose(wanted, sample!, seed!);
  if (mutants.length === 0) throw new UsageError('no mutant matches; see `npm run mutate -- --list`');
  if (options.list) {
    for (const mutant of mutants) console.log(describeMutant(mutant));
    console.log(`${mutants.length} of ${every.length} mutants`);
    return;
  }
  if (options.fresh) rmSync(join(REPOSITORY, RECORD), { recursive: true, force: true });
  const tests = listTests().filter((path) => matches(path, options.tests));
  const judged = options.once
    ? await runOnce({ mutants, texts, tests, jobs: jobs! })
    : await run({ mutants, every, texts, tests, jobs: jobs!, complete: options.tests === undefined });
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(judged, null, 1)}\n`);
  if (summarize(judged) < least!) {
    console.log(`Fewer than ${least} % are caught.`);
    process.exitCode = 1;
  }
}

function namedIn(file: string): NamedFault[] {
  return NAMED_FAULTS.filter((fault) => fault.file === file);
}

interface Sample {
  mutants: readonly Numbered[];
  /** All sources by path. */
  texts: ReadonlyMap<string, string>;
  /** The compiled test files that may run. */
  tests: readonly string[];
  jobs: number;
}

interface Run extends Sample {
  every: readonly Numbered[];
  /** Whether these are all tests, so that a mutant that survives them survives. */
  complete: boolean;
}

async function run({ mutants, every, texts, tests, jobs, complete }: Run): Promise<Judged[]> {
  const record = new Record(join(REPOSITORY, RECORD), hashesOf(texts, every));
  const known = mutants.flatMap((mutant) => {
    const verdict = record.find(mutant);
    return verdict === undefined ? [] : [{ mutant, verdict }];
  });
  if (known.length > 0) console.log(`${known.length} of ${mutants.length} mutants have verdicts of earlier runs`);
  const left = mutants.filter((mutant) => !known.some((one) => one.mutant === mutant));
  if (left.length === 0) return known;

  const files = await withTree(texts, every, (root) => learnReach(root, tests, record, jobs));
  const judged = await withTree(texts, left, (root) =>
    judgeAll(left, jobs, async (mutant, slot) => {
      const verdict = await judge(mutant, files, root, slot);
      if (complete || verdict.kind === 'caught') record.add(mutant, verdict);
      return verdict;
    }),
  );
  return [...known, ...judged].sort((a, b) => a.mutant.id - b.mutant.id);
}

/** Without verdicts to keep, a test file runs only if a mutant is left that the files before it did not catch. */
function runOnce({ mutants, texts, tests, jobs }: Sample): Promise<Judged[]> {
  return withTree(texts, mutants, (root) => {
    const learned = new Map<string, Promise<TestFile[]>>();
    const learnOnce = (path: string, slot: number): Promise<TestFile[]> => {
      const files = learned.get(path) ?? learnFile(root, path, { slot, inParts: false });
      learned.set(path, files);
      return files;
    };
    return judgeAll(mutants, jobs, async (mutant, slot) => {
      let verdict: Verdict = { kind: 'survived', reached: false };
      for (const path of nearestFirst(tests, mutant)) {
        const found = await judge(mutant, await learnOnce(path, slot), root, slot);
        if (found.kind === 'caught') return found;
        if (found.reached) verdict = found;
      }
      return verdict;
    });
  });
}

/** The test file named like the mutated one, then those of its folder, then the others. */
function nearestFirst(tests: readonly string[], { file }: Mutant): string[] {
  const named = file.replace(/^src\/(.*)\.ts$/, 'dist/test/$1.test.js');
  const distance = (path: string): number => (path === named ? 0 : dirname(path) === dirname(named) ? 1 : 2);
  return [...tests].sort((a, b) => distance(a) - distance(b));
}

async function judgeAll(
  mutants: readonly Numbered[],
  jobs: number,
  judgeOne: (mutant: Numbered, slot: number) => Promise<Verdict>,
): Promise<Judged[]> {
  const begun = performance.now();
  let done = 0;
  const judged = await inParallel(mutants, jobs, async (mutant, slot): Promise<Judged> => {
    const started = performance.now();
    const verdict = await judgeOne(mutant, slot);
    done += 1;
    console.log(
      `${done}/${mutants.length}  ${since(started)} s  ${describeMutant(mutant)}  ${describeVerdict(verdict)}`,
    );
    return { mutant, verdict };
  });
  console.log(`${mutants.length} mutants in ${since(begun)} s`);
  return judged;
}

function since(begun: number): string {
  return ((performance.now() - begun) / 1000).toFixed(1);
}

/** Calls a function with a tree of the mutants, which is removed at the end, even if the run is interrupted. */
async function withTree<T>(
  texts: ReadonlyMap<string, string>,
  mutants: readonly Numbered[],
  use: (root: string) => Promise<T>,
): Promise<T> {
  const tree = plantTree(REPOSITORY, texts, mutants);
  const stop = (): void => {
    endRuns();
    tree.remove();
    process.exit(130);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    return await use(tree.root);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    tree.remove();
  }
}

function hashesOf(texts: ReadonlyMap<string, string>, every: readonly Numbered[]): Hashes {
  const compiled = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'));
  const codes = new Map(compiled.sort().map((path) => [join(TESTS, path), readFileSync(join(TESTS, path), 'utf8')]));
  /** A test and the helpers that it imports. */
  const withHelpers = (path: string, found = new Set<string>()): Set<string> => {
    const code = codes.get(path);
    if (code === undefined || found.has(path)) return found;
    found.add(path);
    for (const [, imported] of code.matchAll(/^import .*from '(\.[^']+)';$/gm)) {
      withHelpers(join(dirname(path), imported!), found);
    }
    return found;
  };
  return {
    source: (file) => sha(texts.get(file)!),
    test: (path) => sha([...withHelpers(join(REPOSITORY, path))].map((file) => codes.get(file)!).join('\n')),
    // The recorded reach contains the numbers of mutants, which also change with the operators.
    sources: sha(JSON.stringify([every.map(({ key }) => key), ...texts])),
    all: sha(JSON.stringify([...texts, ...codes])),
  };
}

/**
 * Records which mutants each test file reaches. Files that fail without any mutant are omitted, with a message.
 *
 * @param record Of earlier runs.
 */
async function learnReach(root: string, paths: readonly string[], record: Record, jobs: number): Promise<TestFile[]> {
  const known = paths.flatMap((path) => record.reach(path) ?? []);
  const left = paths.filter((path) => !known.some((file) => file.path === path));
  if (left.length > 0)
    console.log(`Running ${left.length} test files without a mutant, to record which mutants each reaches`);
  const begun = performance.now();
  const found = await inParallel(left, jobs, async (path, slot) => {
    const files = await learnFile(root, path, { slot, inParts: true });
    for (const file of files) record.keepReach(file);
    return files;
  });
  if (left.length > 0) console.log(`${left.length} test files in ${since(begun)} s`);
  return [...known, ...found.flat()];
}

/** Records which mutants a test file reaches; empty, with a message, if it fails without any mutant. */
async function learnFile(root: string, path: string, options: { slot: number; inParts: boolean }): Promise<TestFile[]> {
  const file = await recordReach(root, path, options);
  if (typeof file === 'string') {
    const reason = file.split('\n').slice(0, 6).join('\n  ');
    console.log(`  ${path} fails without a mutant, and is omitted: ${reason}`);
    return [];
  }
  const parts = file.independent ? ', test by test' : '';
  console.log(`  ${path}  ${file.seconds.toFixed(1)} s  ${Object.keys(file.reaches).length} reached${parts}`);
  return [file];
}

/** Prints the survivors, the counts of each folder and the total, and returns the total in percent. */
function summarize(judged: readonly Judged[]): number {
  const explained = existsSync(join(REPOSITORY, EXPLAINED)) ? readFileSync(join(REPOSITORY, EXPLAINED), 'utf8') : '';
  const survivors = judged.filter(({ verdict }) => verdict.kind === 'survived');
  if (survivors.length > 0) console.log('\nSurvivors:');
  for (const { mutant, verdict } of survivors) {
    const notes = [
      ...(mutant.name === undefined ? [] : [mutant.name]),
      ...(verdict.kind === 'survived' && !verdict.reached ? ['no test reaches it'] : []),
      isExplained(mutant, explained) ? `explained in ${EXPLAINED}` : `not explained in ${EXPLAINED}`,
    ];
    console.log(`  ${describeMutant(mutant)}  (${notes.join('; ')})`);
  }
  console.log('');
  for (const folder of FOLDERS) {
    const own = judged.filter(({ mutant }) => folderOf(mutant) === folder);
    if (own.length > 0) console.log(`  ${`src/${folder}`.padEnd(16)} ${counts(own)}`);
  }
  const late = judged.filter(({ verdict }) => verdict.kind === 'caught' && verdict.how !== 'failed');
  const how = late.length === 0 ? '' : `; ${late.length} of the caught by a time-out or a crash`;
  console.log(`mutants: ${counts(judged)}${how}`);
  return percent(judged);
}

/** Whether the document has a line with the file and the change. */
function isExplained(mutant: Mutant, document: string): boolean {
  const change = describeChange(mutant).replaceAll('|', '\\|');
  return document.split('\n').some((line) => line.includes(`\`${mutant.file}\``) && line.includes(change));
}

function caught(judged: readonly Judged[]): number {
  return judged.filter(({ verdict }) => verdict.kind === 'caught').length;
}

function percent(judged: readonly Judged[]): number {
  return (100 * caught(judged)) / judged.length;
}

function counts(judged: readonly Judged[]): string {
  const survived = judged.length - caught(judged);
  return (
    `${judged.length} planted, ${caught(judged)} caught, ${survived} survived ` + `(${percent(judged).toFixed(1)} %)`
  );
}

function describeVerdict(verdict: Verdict): string {
  if (verdict.kind === 'survived') return verdict.reached ? 'SURVIVED' : 'SURVIVED: no test reaches it';
  const by = verdict.by.replace(/^dist\/test\//, '');
  return verdict.how === 'failed' ? `caught by ${by}: ${verdict.test}` : `caught by ${by}, which ${verdict.how}`;
}

/** Maps with at most `jobs` calls at a time, in order; each call gets its slot's number. */
async function inParallel<T, R>(
  items: readonly T[],
  jobs: number,
  each: (item: T, slot: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (slot: number): Promise<void> => {
    for (const [i, item] of queue) results[i] = await each(item, slot);
  };
  await Promise.all(Array.from({ length: jobs }, (_, slot) => worker(slot)));
  return results;
}

function sourceFiles(): string[] {
  return readdirSync(join(REPOSITORY, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => `src/${name}`);
}

function listTests(): string[] {
  if (!existsSync(TESTS)) throw new UsageError('there is no dist/test; run `npm run build` first');
  const wanted = [...FOLDERS.map((folder) => `${folder}/`), ...MORE_TESTS];
  return readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.js') && wanted.some((beginning) => path.startsWith(beginning)))
    .sort()
    .map((path) => `dist/test/${path}`);
}

/** Globs in which `*` matches any text; without globs, every file matches. */
function matches(file: string, globs: readonly string[] | undefined): boolean {
  return (globs ?? ['*']).some((glob) => {
    const pattern = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${pattern.join('.*')}$`).test(file);
  });
}

function numberOf(text: string): number {
  const number = Number(text);
  if (text === '' || !(number >= 0)) throw new UsageError(`not a number: ${text}`);
  return number;
}
