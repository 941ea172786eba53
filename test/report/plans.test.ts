/** Reports of several plans in one folder. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { report, type WriteOptions } from '../../src/cli/write-report.js';
import { missingInBrief } from '../../src/report/missing.js';
import { describePlans } from '../../src/report/plans.js';
import { buildTables, writeReport } from '../../src/report/report.js';
import type { Plan } from '../../src/spec/stages.js';
import { writeJson } from '../../src/store/files.js';
import { sweepPaths } from '../../src/store/layout.js';
import { keepPlan } from '../../src/store/plans.js';
import { planOf, resultOf, temporaryFolder } from '../runner/support.js';
import { collect, dataOf, pick } from './support.js';

const root = temporaryFolder();
let count = 0;

/** A folder that plans ran in, one after the other; a fine-tuning's accuracy is 40, and one more for each epoch and seed. */
function folderOf(...specs: string[]): { folder: string; plans: Plan[] } {
  const folder = join(root, String(count++));
  const paths = sweepPaths(folder);
  const plans = specs.map((spec) => planOf(`name: one\n${spec}`));
  plans.forEach((plan, day) => {
    keepPlan(paths, plan, new Date(Date.UTC(2026, 0, 1 + day)));
    for (const { id, config } of plan.stages) {
      const epochs = config.kind === 'finetune' ? config.recipe.epochs : 0;
      writeJson(paths.stage(id).result, resultOf(config.kind, { accuracy: 40 + epochs + config.seed }));
    }
  });
  return { folder, plans };
}

const spec = (seeds: string, job = '{}'): string =>
  `job: ${job}\ngrid: {objective: [scratch, masked], seed: [${seeds}]}`;

describe('plans with other seeds', () => {
  const { folder } = folderOf(spec('0'), spec('1'), spec('2'));

  test('are reported by the newest one, which says what it leaves out', () => {
    const data = collect([folder]);
    expect(data.jobs.map(({ seed }) => seed)).toEqual([2, 2]);
    expect(describePlans(data)).toEqual([
      `Not included: 6 stages (4 cells) of 2 other plans in ${folder}. Include them with --all, or choose a plan with ` +
        '--plan; vitmim status lists the plans.',
    ]);
    writeReport(data, folder);
    for (const page of ['report.md', 'report.html']) {
      expect(readFileSync(join(folder, page), 'utf8')).toContain('Not included: 6 stages (4 cells) of 2 other plans');
    }
  });

  test('are one mean in the report of all', () => {
    const data = collect([folder], 'all');
    expect(data.missing).toEqual([]);
    const [objectives] = buildTables(data);
    const rows = objectives!.rows.filter(({ n }) => n !== 0);
    expect(pick({ rows }, 'objective', 'setting', 'mean', 'n')).toEqual([
      ['scratch', '', 61, 3],
      ['masked', '', 61, 3],
    ]);
    expect(describePlans(data)).toEqual([`This is the union of the 3 plans in ${folder}.`]);
  });
});

describe('plans whose settings contradict each other', () => {
  const epochs = (number: number, seeds: string): string =>
    spec(seeds, `{finetune: {epochs: ${number}, warmupEpochs: 1}}`);
  const { folder } = folderOf(epochs(10, '0, 1'), epochs(20, '1, 2'));
  const data = collect([folder], 'all');

  test('share no mean, in any table', () => {
    const tables = buildTables(data);
    const rows = tables[0]!.rows.filter(({ n }) => n !== 0);
    expect(pick({ rows }, 'objective', 'setting', 'mean', 'n')).toEqual([
      ['scratch', 'finetune.epochs=10', 50.5, 2],
      ['scratch', 'finetune.epochs=20', 61.5, 2],
      ['masked', 'finetune.epochs=10', 50.5, 2],
      ['masked', 'finetune.epochs=20', 61.5, 2],
    ]);
    const means = tables
      .flatMap((table) => table.rows.map(({ mean }) => mean))
      .filter((mean) => typeof mean === 'number');
    expect(new Set(means)).toEqual(new Set([50.5, 61.5]));
  });

  test('are said to differ, by their keys', () => {
    expect(describePlans(data)).toEqual([
      `This is the union of the 2 plans in ${folder}. They differ in finetune.epochs: runs with different values are ` +
        'different settings, and no mean is of both.',
    ]);
  });
});

test('a plan is reported by its identity', () => {
  const { folder } = folderOf(spec('0'), spec('1'));
  const [newest] = collect([folder], 'all').sweeps[0]!.plans;
  expect(collect([folder], { id: newest! }).jobs.map(({ seed }) => seed)).toEqual([1, 1]);
});

test('of many missing results the first are named, and the others counted by reason', () => {
  const plan = planOf(`grid: {objective: [scratch], seed: [${Array.from({ length: 30 }, (_, i) => i).join(', ')}]}`);
  const missing = plan.stages.map((stage, i) => ({
    stage,
    entry: 'finetune',
    folder: '',
    why: i < 24 ? 'not run' : `failed: at ${i}`,
  }));
  const { first, rest } = missingInBrief(missing);
  expect(first).toEqual(missing.slice(0, 20));
  expect(rest).toBe('and 10 more (4 not run, 6 failed); the column "missing" of runs.csv has all');
  const folder = join(root, 'missing');
  writeReport({ ...dataOf(plan), missing }, folder);
  for (const page of ['report.md', 'report.html']) {
    const text = readFileSync(join(folder, page), 'utf8');
    expect(text).toContain('and 10 more (4 not run, 6 failed)');
    expect(text).not.toContain('failed: at 29');
  }
});

describe('a folder that cannot be written', () => {
  /** What the command says, and its exit code. */
  async function told(folder: string, options: WriteOptions): Promise<{ code: number; text: string }> {
    let text = '';
    const streams = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write.bind(stream) }));
    for (const { stream } of streams) {
      stream.write = (chunk: string) => (text += chunk) !== '';
    }
    try {
      return { code: await report([folder], options), text };
    } finally {
      for (const { stream, write } of streams) stream.write = write;
    }
  }

  test('has its tables printed, and --out is named', async () => {
    const { folder } = folderOf(spec('0, 1'));
    const file = join(root, 'a-file');
    writeFileSync(file, '');
    const { code, text } = await told(folder, { out: join(file, 'below') });
    expect(text).toContain('masked');
    expect(text).toMatch(/The report is not written: cannot write .*a-file.*; name another folder with --out\n/);
    expect(text).not.toContain('bug');
    expect(code).toBe(1);
    expect((await told(folder, { out: join(root, 'elsewhere') })).code).toBe(0);
  });
});
