/** Runs whose training did not work: marked everywhere, counted nowhere, and the exit code is 1. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { report } from '../../src/cli/write-report.js';
import { buildReport, writeReport } from '../../src/report/report.js';
import { objectivesTable } from '../../src/report/tables/objectives.js';
import type { Numbers } from '../runner/support.js';
import { collect, pick, resultsMaker, type NumbersOf } from './support.js';
import { evaluationOf, metric } from '../support/entries.js';

const results = resultsMaker();
const SPEC = 'name: sick\ngrid: {objective: [zoomed-in, masked, masked+zoomed-in], seed: [0, 1, 2]}';
const ACCURACY: Record<string, number[]> = {
  'zoomed-in': [40, 41, 42],
  masked: [50, 51, 10],
  'masked+zoomed-in': [55, 10, 57],
};

/** masked at seed 2 diverged in pre-training, masked+zoomed-in at seed 1 in fine-tuning; ln 10 = 2.3026. */
const numbers: NumbersOf = (objective, seed, { kind }): Numbers => {
  if (kind === 'pretrain') return { loss: objective === 'masked' && seed === 2 ? 2.01 : 0.5 };
  return { accuracy: ACCURACY[objective]![seed]!, loss: objective === 'masked+zoomed-in' && seed === 1 ? 9.35 : 0.5 };
};
const folder = results(SPEC, numbers);
const data = collect([folder]);
const idOf = (objective: string, seed: number, kind: 'pretrain' | 'finetune'): string => {
  const job = data.jobs.find((each) => each.cells[0]!.objective === objective && each.seed === seed)!;
  return kind === 'pretrain' ? job.pretrain! : evaluationOf(job, 'finetune')!;
};

describe('an unhealthy run', () => {
  test('counts in no mean, rank or difference, but in its column', () => {
    const table = objectivesTable(data, { metric: metric('finetune') });
    const rows = table.rows.filter(({ planned }) => planned !== 0);
    expect(pick({ rows }, 'objective', 'mean', 'n', 'planned', 'unhealthy', 'rank')).toEqual([
      ['zoomed-in', 41, 3, 3, 0, 3],
      ['masked', 50.5, 2, 3, 1, 2],
      ['masked+zoomed-in', 56, 2, 3, 1, 1],
    ]);
  });

  test('counts in no verdict', () => {
    // Only seed 0 has both cells: 55 − 50.
    const verdict = buildReport(data).verdicts.find(({ principle }) => principle.startsWith('Masked and'))!;
    expect(verdict).toMatchObject({ outcome: 'not tested', estimate: { mean: 5, n: 1, planned: 3 } });
  });

  test('has its reason in runs.csv beside its numbers, and a column in every table', () => {
    writeReport(data, folder, { formats: ['csv'] });
    const read = (name: string): Record<string, string>[] =>
      parse(readFileSync(join(folder, 'tables', `${name}.csv`)), { columns: true });
    expect(read('runs').map(({ finetune_accuracy, unhealthy }) => [finetune_accuracy, unhealthy])).toEqual([
      ['40', ''],
      ['41', ''],
      ['42', ''],
      ['50', ''],
      ['51', ''],
      ['10', 'pretrain: its loss ended at 2.010, no better than a prediction of zero (1.000)'],
      ['55', ''],
      ['10', 'finetune: its loss ended at 9.350, no better than equal odds (2.303)'],
      ['57', ''],
    ]);
    for (const { name, columns } of buildReport(data).tables) {
      expect([name, columns.some(({ key }) => key === 'unhealthy')]).toEqual([name, true]);
    }
  });

  test('has a dagger in every table for readers, and is listed', () => {
    writeReport(data, folder, { formats: ['md', 'html', 'latex'] });
    const [page, html, latex] = ['report.md', 'report.html', 'tables/objectives.tex'].map((name) =>
      readFileSync(join(folder, name), 'utf8'),
    );
    expect(page).toContain('| masked | 0.75 | none | preserved | 50.50 | 0.71 | 2 | 3 | 1 † |');
    expect(page).toContain('† Runs whose training did not work: no other number of their row counts them.');
    const id = idOf('masked', 2, 'pretrain');
    const line = `pretrain ${id} (masked, seed 2): its loss ended at 2.010, no better than a prediction of zero (1.000)`;
    expect(page).toContain(
      `## Unhealthy runs\n\nTheir training did not work, so no verdict, effect, mean or rank counts them.\n\n- ${line}\n`,
    );
    expect(html).toContain('<td class="number" data-value="1">1 †</td>');
    expect(html).toContain('<section id="unhealthy">');
    expect(latex).toContain('& 1 \\dag{} &');
  });

  test('leaves no mark if all are healthy', () => {
    const healthy = collect([results(SPEC, () => ({}))]);
    const { tables } = buildReport(healthy);
    expect(tables.map(({ caption }) => caption).join()).not.toContain('†');
    expect(
      tables.flatMap(({ rows }) => rows.map(({ unhealthy }) => unhealthy)).filter((each) => each !== 0 && each !== ''),
    ).toEqual([]);
  });
});

describe('vitmim report', () => {
  const out = mkdtempSync(join(tmpdir(), 'vitmim-health-'));
  afterAll(() => {
    rmSync(out, { recursive: true, force: true });
  });

  /** Its exit code, and what it wrote. */
  async function run(source: string, options: Parameters<typeof report>[1] = {}) {
    const written = { stdout: '', stderr: '' };
    const originals = {
      stdout: process.stdout.write.bind(process.stdout),
      stderr: process.stderr.write.bind(process.stderr),
    };
    for (const name of ['stdout', 'stderr'] as const) {
      process[name].write = (text: string | Uint8Array): boolean => {
        written[name] += String(text);
        return true;
      };
    }
    try {
      return { code: await report([source], { out, format: ['csv'], ...options }), ...written };
    } finally {
      process.stdout.write = originals.stdout;
      process.stderr.write = originals.stderr;
    }
  }

  test('exits with 1 and names unhealthy runs on standard error', async () => {
    const { code, stderr } = await run(folder);
    expect(code).toBe(1);
    expect(stderr.match(/^unhealthy: .*$/gm)).toEqual([
      `unhealthy: pretrain ${idOf('masked', 2, 'pretrain')} (masked, seed 2): its loss ended at 2.010, no better than a prediction of zero (1.000)`,
      `unhealthy: finetune ${idOf('masked+zoomed-in', 1, 'finetune')} (masked+zoomed-in, seed 1): its loss ended at 9.350, no better than equal odds (2.303)`,
    ]);
  });

  test('exits with 0 if they are allowed, or there are none', async () => {
    expect((await run(folder, { allowUnhealthy: true })).code).toBe(0);
    expect((await run(results(SPEC, () => ({})))).code).toBe(0);
  });

  test('names the first five and counts the rest', async () => {
    const { stderr } = await run(
      results(SPEC, (_objective, _seed, { kind }) => (kind === 'pretrain' ? { loss: 3 } : {})),
    );
    const lines = stderr.match(/^unhealthy: .*$/gm)!;
    expect(lines).toHaveLength(6);
    expect(lines[5]).toBe('unhealthy: 4 more, in runs.csv');
  });

  test('has them in its JSON', async () => {
    const { stdout, code } = await run(folder, { json: true });
    const { unhealthy, pairing } = JSON.parse(stdout) as { unhealthy: unknown; pairing: object };
    expect(code).toBe(1);
    expect(unhealthy).toEqual([
      {
        id: idOf('masked', 2, 'pretrain'),
        kind: 'pretrain',
        entry: 'pretrain',
        run: 'masked, seed 2',
        problem: 'its loss ended at 2.010, no better than a prediction of zero (1.000)',
      },
      {
        id: idOf('masked+zoomed-in', 1, 'finetune'),
        kind: 'finetune',
        entry: 'finetune',
        run: 'masked+zoomed-in, seed 1',
        problem: 'its loss ended at 9.350, no better than equal odds (2.303)',
      },
    ]);
    expect(Object.keys(pairing)).toContain('correlation');
  });
});
