/**
 * Plants faults in the code, one at a time, and runs the tests that reach each: a fault that no test notices is a test
 * that is missing. docs/mutants.md explains those that survive.
 *
 *   npm run mutate                          360 mutants, 40 of each folder, and the named faults
 *   npm run mutate -- --all                 all there are: days
 *   npm run mutate -- --only 'src/ops/*'    of the files that match
 *   npm run mutate -- --named               the named faults alone (tools/mutate/named.ts)
 *
 * --sample N --seed S   draws N mutants, of each folder alike (default 360, seed 1)
 * --list                prints the mutants and plants none
 * --jobs N              runs N at a time (default 1)
 * --least PERCENT       exits with 1 where fewer are caught (default 95)
 * --json FILE           writes every mutant with its verdict
 * --fresh               forgets the verdicts of earlier runs, which are kept in dist-mutants/ as far as they hold
 *
 * Needs a build in dist/, which `npm run mutate` makes. How it works: all chosen mutants are compiled into one copy of
 * dist/; every test file is run once to learn which mutants it reaches; then, for each mutant, the tests that reach it
 * are run until one fails, takes five times as long as it did, or ends the process.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { UsageError } from '../src/common/errors.js';
import { choose, folderOf, FOLDERS } from './mutate/choose.js';
import type { Numbered } from './mutate/instrument.js';
import { judge, type Verdict } from './mutate/judge.js';
import { describeChange, describeMutant, mutantsOf, sha, type Mutant } from './mutate/mutants.js';
import { NAMED_FAULTS } from './mutate/named.js';
import { Record } from './mutate/record.js';
import { endRuns, recordReach, type TestFile } from './mutate/tests.js';
import { plantTree } from './mutate/tree.js';

const OPTIONS = {
  all: { type: 'boolean', default: false },
  named: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true },
  sample: { type: 'string', default: '360' },
  seed: { type: 'string', default: '1' },
  list: { type: 'boolean', default: false },
  jobs: { type: 'string', default: '1' },
  least: { type: 'string', default: '95' },
  json: { type: 'string' },
  fresh: { type: 'boolean', default: false },
} as const;

/** Tests beside those of the mutated folders: quick ones that drive the whole program, and what folders share. */
const MORE_TESTS = [
  'common/',
  'parity/',
  ...['provenance', 'preview', 'shard', 'sweep', 'usage'].map((name) => `e2e/${name}.test.js`),
];

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
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
  const every = [...texts].flatMap(([file, text]) =>
    mutantsOf(
      file,
      text,
      NAMED_FAULTS.filter((fault) => fault.file === file),
    ),
  );
  const wanted = every.filter(
    ({ file, name }) => matches(file, options.only) && (!options.named || name !== undefined),
  );
  const chosen = options.all || options.named ? wanted : choose(wanted, sample!, seed!);
  if (chosen.length === 0) throw new UsageError('no mutant matches; see `npm run mutate -- --list`');
  const mutants = chosen.map((mutant, i): Numbered => ({ ...mutant, id: i + 1 }));
  if (options.list) {
    for (const mutant of mutants) console.log(describeMutant(mutant));
    console.log(`${mutants.length} of ${every.length} mutants`);
    return;
  }
  const judged = await run(mutants, texts, jobs!, options.fresh);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(judged, null, 1)}\n`);
  if (summarize(judged) < least!) {
    console.log(`Fewer than ${least} % are caught.`);
    process.exitCode = 1;
  }
}

async function run(
  mutants: readonly Numbered[],
  texts: ReadonlyMap<string, string>,
  jobs: number,
  fresh: boolean,
): Promise<Judged[]> {
  const testFiles = listTests();
  const hashOf = (path: string): string => (existsSync(path) ? sha(readFileSync(path, 'utf8')) : 'gone');
  const tests = new Map(testFiles.map((path) => [path, hashOf(join(REPOSITORY, path))]));
  const folder = join(REPOSITORY, 'dist-mutants');
  if (fresh) rmSync(folder, { recursive: true, force: true });
  const record = new Record(folder, {
    source: (file) => sha(texts.get(file)!),
    test: (path) => tests.get(path) ?? 'gone',
    all: sha(JSON.stringify([...texts, ...tests])),
  });
  const known = mutants.flatMap((mutant) => {
    const verdict = record.find(mutant);
    return verdict === undefined ? [] : [{ mutant, verdict }];
  });
  if (known.length > 0) console.log(`${known.length} of ${mutants.length} mutants were judged before`);
  const left = mutants.filter((mutant) => !known.some((one) => one.mutant === mutant));
  if (left.length === 0) return known;

  const tree = plantTree(REPOSITORY, texts, left);
  const stop = (): void => {
    endRuns();
    tree.remove();
    process.exit(130);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    const selection = sha(left.map(({ key }) => key).join());
    const files = record.reach(selection) ?? (await learnReach(tree.root, testFiles, jobs));
    record.keepReach(selection, files);
    const begun = performance.now();
    let done = 0;
    const judged = await inParallel(left, jobs, async (mutant, slot): Promise<Judged> => {
      const started = performance.now();
      const verdict = await judge(mutant, files, tree.root, slot);
      record.add(mutant, verdict);
      done += 1;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`${done}/${left.length}  ${seconds} s  ${describeMutant(mutant)}  ${inWords(verdict)}`);
      return { mutant, verdict };
    });
    console.log(`${left.length} mutants in ${Math.round((performance.now() - begun) / 1000)} s`);
    return [...known, ...judged].sort((a, b) => a.mutant.id - b.mutant.id);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    tree.remove();
  }
}

/** What each test file reaches. Files that fail without any mutant are left out, and said. */
async function learnReach(root: string, paths: readonly string[], jobs: number): Promise<TestFile[]> {
  console.log(`Running ${paths.length} test files without a mutant, to learn what each reaches`);
  const begun = performance.now();
  const failures: string[] = [];
  const found = await inParallel(paths, jobs, async (path, slot) => {
    const file = await recordReach(root, path, slot);
    if (typeof file !== 'string') return [file];
    failures.push(`${path} fails without a mutant, and is left out: ${file.split('\n').slice(0, 6).join('\n  ')}`);
    return [];
  });
  for (const failure of failures) console.log(failure);
  console.log(`${found.flat().length} test files in ${Math.round((performance.now() - begun) / 1000)} s`);
  return found.flat();
}

/** Prints the survivors, the counts of each folder and the total, which is returned in percent. */
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

const caught = (judged: readonly Judged[]): number => judged.filter(({ verdict }) => verdict.kind === 'caught').length;
const percent = (judged: readonly Judged[]): number => (100 * caught(judged)) / judged.length;

function counts(judged: readonly Judged[]): string {
  const survived = judged.length - caught(judged);
  return (
    `${judged.length} planted, ${caught(judged)} caught, ${survived} survived ` + `(${percent(judged).toFixed(1)} %)`
  );
}

function inWords(verdict: Verdict): string {
  if (verdict.kind === 'survived') return verdict.reached ? 'SURVIVED' : 'SURVIVED: no test reaches it';
  const by = verdict.by.replace(/^dist\/test\//, '');
  return verdict.how === 'failed' ? `caught by ${by}: ${verdict.test}` : `caught by ${by}, which ${verdict.how}`;
}

/** Maps with at most `jobs` at a time, in order; each is told which of these it is. */
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
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(REPOSITORY, 'src', folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .sort()
      .map((name) => `src/${folder}/${name.replaceAll('\\', '/')}`),
  );
}

function listTests(): string[] {
  const root = resolve(REPOSITORY, 'dist/test');
  if (!existsSync(root)) throw new UsageError('there is no dist/test; run `npm run build` first');
  const wanted = [...FOLDERS.map((folder) => `${folder}/`), ...MORE_TESTS];
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.js') && wanted.some((beginning) => path.startsWith(beginning)))
    .sort()
    .map((path) => `dist/test/${path}`);
}

/** Globs with `*`, which stands for anything; no globs match all. */
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
