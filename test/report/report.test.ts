import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { planOf, resultOf } from '../runner/support.js';
import { buildTables, readableTables, writeReport } from '../../src/report/report.js';
import type { Table } from '../../src/report/table.js';
import { TABLE_NAMES } from '../../src/report/tables/index.js';
import { toLatex } from '../../src/report/writers/latex.js';
import { toCsv } from '../../src/report/writers/csv.js';
import { toMarkdown } from '../../src/report/writers/markdown.js';
import { toText } from '../../src/report/writers/text.js';
import { accuracies, collect, collectedFrom, dataOf, resultsMaker } from './support.js';

/** The tables of a sweep with one evaluation and fixed values. */
const ALWAYS = TABLE_NAMES.filter(
  (name) => !['selection', 'transfer', 'variance', 'repeats', 'robustness', 'segmentation'].includes(name),
);

const results = resultsMaker();

const TABLE: Table = {
  name: 'objectives',
  title: 'A table',
  caption: 'What it shows.',
  columns: [
    { key: 'objective', label: 'objective', description: '' },
    { key: 'setting', label: 'setting', description: '' },
    { key: 'mean', label: 'mean', description: '', unit: '%', digits: 2 },
    { key: 'rank', label: 'rank', description: '' },
    { key: 'unused', label: 'unused', description: '', digits: 1 },
  ],
  rows: [
    { objective: 'masked', setting: 'a|b, "c"\nd', mean: 200 / 3, rank: 1.5, unused: null },
    { objective: 'masked+zoomed-in', setting: '', mean: null, rank: null, unused: null },
    { objective: 'scratch', setting: '', mean: 5, rank: 3, unused: null },
  ],
  summary: {},
};

describe('CSV', () => {
  test('reads back as it was, with every digit and empty cells for what is missing', () => {
    expect(parse(toCsv(TABLE), { columns: true })).toEqual([
      { objective: 'masked', setting: 'a|b, "c"\nd', mean: '66.66666666666667', rank: '1.5', unused: '' },
      { objective: 'masked+zoomed-in', setting: '', mean: '', rank: '', unused: '' },
      { objective: 'scratch', setting: '', mean: '5', rank: '3', unused: '' },
    ]);
  });

  test('ends its lines and quotes its cells as RFC 4180 says', () => {
    const lines = toCsv(TABLE).split('\r\n');
    expect(lines[0]).toBe('objective,setting,mean,rank,unused');
    expect(lines[1]).toBe('masked,"a|b, ""c""\nd",66.66666666666667,1.5,');
    expect(lines.at(-1)).toBe('');
  });
});

test('Markdown rounds, aligns, escapes, and leaves out what is empty throughout', () => {
  const table = { ...TABLE, rows: TABLE.rows.map((row) => ({ ...row, setting: row.setting === '' ? '' : 'a|b' })) };
  expect(toMarkdown(table)).toBe(`## A table

What it shows.

| objective | setting | mean (%) | rank |
| --- | --- | ---: | ---: |
| masked | a\\|b | 66.67 | 1.5 |
| masked+zoomed-in |  |  |  |
| scratch |  | 5.00 | 3 |
`);
});

test('a table without rows is only its caption', () => {
  const table = { ...TABLE, rows: [] };
  expect(toMarkdown(table)).toBe('## A table\n\nWhat it shows.\n');
  expect(toText(table)).toBe('A table\nWhat it shows.\n');
  expect(toLatex(table)).not.toContain('tabular');
});

test('LaTeX has rules of booktabs, rounds, aligns and escapes', () => {
  const rows = [{ objective: 'masked_1 & 50 %', setting: '{a}\\b~^ <|>', mean: -1.234, rank: null }];
  expect(toLatex({ ...TABLE, caption: 'Mask × style.', rows }))
    .toBe(`% Needs \\usepackage{booktabs}. Written by vitmim report.
\\begin{table}
  \\centering
  \\caption{Mask $\\times$ style.}
  \\label{tab:objectives}
  \\begin{tabular}{llr}
    \\toprule
    objective & setting & mean (\\%) \\\\
    \\midrule
    masked\\_1 \\& 50 \\% & \\{a\\}\\textbackslash{}b\\textasciitilde{}\\textasciicircum{} \\textless{}\\textbar{}\\textgreater{} & $-$1.23 \\\\
    \\bottomrule
  \\end{tabular}
\\end{table}
`);
});

test('plain text stands in columns', () => {
  const table = { ...TABLE, rows: TABLE.rows.map((row) => ({ ...row, setting: '' })) };
  expect(toText(table)).toBe(`A table
What it shows.

objective  mean (%)  rank
masked        66.67   1.5
scratch        5.00     3
Without a result: 1 of 3 rows.
`);
});

describe('the metric', () => {
  const data = dataOf(planOf('job: {evaluate: [linear, knn]}\ngrid: {objective: [masked]}'));

  test('is what the jobs are ranked by, or what is asked for', () => {
    expect(buildTables(data)[0]!.caption).toContain('(linear on shapes)');
    expect(buildTables(data, { metric: 'knn' })[0]!.caption).toContain('(knn on shapes)');
  });

  test('must be measured by some job', () => {
    expect(() => buildTables(data, { metric: 'finetune' })).toThrow(
      'no job measures finetune; choose --metric among linear, linear.top5, linear.meanPerClass, knn, knn.top5, knn.meanPerClass',
    );
  });

  test('must be chosen if the jobs disagree', () => {
    const specs = ['[finetune, knn]', '[knn, linear]'].map(
      (evaluate) => `job: {evaluate: ${evaluate}}\ngrid: {objective: [masked]}`,
    );
    const both = collect(specs.map((spec) => results(spec, () => ({}))));
    expect(() => buildTables(both)).toThrow(
      'the jobs are ranked by different metrics; choose --metric among finetune, knn',
    );
    expect(buildTables(both, { metric: 'knn' })).toHaveLength(ALWAYS.length + 1);
  });
});

test('pre-training without evaluations is reported with its runs, and no result is missing', () => {
  const plan = planOf('job: {evaluate: []}\ngrid: {objective: [masked, blurred]}');
  const data = collectedFrom(plan, (_job, kind) => resultOf(kind));
  const runs = buildTables(data).find(({ name }) => name === 'runs')!;
  expect(runs.rows.map(({ objective, pretrain_epochs, missing }) => [objective, pretrain_epochs, missing])).toEqual([
    ['masked', 20, ''],
    ['blurred', 20, ''],
  ]);
});

test('folders of one sweep are reported under its name, with each description once', () => {
  const spec = (text: string): string => `name: tiny\ndescription: ${text}\ngrid: {objective: [masked]}`;
  const folders = ['Here.', 'Here.', 'There.'].map((text) => results(spec(text), () => ({})));
  writeReport(collect(folders), folders[1]!);
  const page = readFileSync(join(folders[1]!, 'report.md'), 'utf8');
  expect(page).toMatch(/^# tiny\n\nHere\.\n\nThere\.\n\n1 jobs, 2 stages, 0 without a result\.\n/);
});

describe('a written report', () => {
  const folder = results(
    'name: tiny\ndescription: Two objectives.\ngrid: {objective: [scratch, masked], seed: [0, 1]}',
    accuracies({ scratch: [40, 44], masked: [50, null] }),
  );
  const data = collect([folder]);
  const written = writeReport(data, folder);

  test('is one CSV file for each table and two pages', () => {
    expect(written).toEqual(
      [...ALWAYS.map((name) => `tables/${name}.csv`), 'report.md', 'report.html'].map((name) => join(folder, name)),
    );
    expect(written.every((path) => existsSync(path))).toBe(true);
    const runs: Record<string, string>[] = parse(readFileSync(join(folder, 'tables/runs.csv')), { columns: true });
    expect(runs.map(({ cells, missing }) => [cells, missing])).toEqual([
      ['scratch, seed 0', ''],
      ['scratch, seed 1', ''],
      ['masked, seed 0', ''],
      ['masked, seed 1', 'finetune'],
    ]);
  });

  test('has the formats that are asked for', () => {
    const names = writeReport(data, join(folder, 'latex'), { formats: ['latex'] });
    expect(names).toHaveLength(ALWAYS.length - 1);
    expect(readFileSync(join(folder, 'latex/tables/objectives.tex'), 'utf8')).toContain('\\toprule');
    expect(existsSync(join(folder, 'latex/report.md'))).toBe(false);
  });

  test('has its readable tables and what is missing on the page', () => {
    const page = readFileSync(join(folder, 'report.md'), 'utf8');
    const missing = data.missing[0]!.stage.id;
    // The table of efficiency has tests of its own.
    expect(page.replace(/## Efficiency[^]*(?=## Runs)/, '')).toBe(`# tiny

Two objectives.

4 jobs, 6 stages, 1 without a result.

## Verdicts

Not asked, since the plan has no cells to compare: Misalignment helps; Misalignment helps more on top of masking; Keep the style; Masking helps; Masked and zoomed-in is at least as good as masked.

Tables without a result: Mask ratio, Misalignment, Style preservation, Effects.

## Objectives

Top-1 accuracy in percent (finetune on shapes), over seeds; the paper's are of ViT-B/16 on ImageNet-1k. No rank correlation with the paper: fewer than three of its rows have a result. Hyper-parameters: fixed in advance.

| objective | mask ratio | misalignment | style | mean (%) | std (%) | n | planned | gain (%) | rank | paper (%) | paper rank | epoch | metric |
| --- | ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| scratch |  |  |  | 42.00 | 2.83 | 2 | 2 |  | 2 | 80.7 | 8 | 20 | finetune |
| blurred | 0.00 | none | blurred |  |  | 0 | 0 |  |  | 81.8 | 6 |  | finetune |
| decolorized | 0.00 | none | decolorized |  |  | 0 | 0 |  |  | 81.4 | 7 |  | finetune |
| distorted | 0.00 | distorted | preserved |  |  | 0 | 0 |  |  | 82.1 | 5 |  | finetune |
| zoomed-out | 0.00 | zoomed-out | preserved |  |  | 0 | 0 |  |  | 82.5 | 4 |  | finetune |
| zoomed-in | 0.00 | zoomed-in | preserved |  |  | 0 | 0 |  |  | 82.7 | 3 |  | finetune |
| masked | 0.75 | none | preserved | 50.00 |  | 1 | 2 | 10.00 | 1 | 82.9 | 2 | 20 | finetune |
| masked+zoomed-in | 0.75 | zoomed-in | preserved |  |  | 0 | 0 |  |  | 83.2 | 1 |  | finetune |

## Integration

Masking and zooming in, apart and together: top-1 accuracy in percent (finetune on shapes), over seeds. Hyper-parameters: fixed in advance.

| objective | mean (%) | n | planned | pairs | paper (%) | paper to masked (%) | pre-training images/s | epoch | metric |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| zoomed-in |  | 0 | 0 | 0 | 82.7 | -0.2 |  |  | finetune |
| masked | 50.00 | 1 | 2 |  | 82.9 |  | 100 | 20 | finetune |
| masked+zoomed-in |  | 0 | 0 | 0 | 83.2 | 0.3 |  |  | finetune |

## Runs

Every job of the sweep, with every key that varies and every number. See [tables/runs.csv](tables/runs.csv).

## Missing results

- finetune \`${missing}\`: not run
`);
  });

  test('names every column, and no two alike', () => {
    for (const { columns, rows } of buildTables(data)) {
      const keys = columns.map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
      for (const row of rows) expect(Object.keys(row).filter((key) => !keys.includes(key))).toEqual([]);
      for (const { label, description } of columns) expect([label, description]).not.toContain('');
    }
    expect(readableTables(buildTables(data)).map(({ name }) => name)).toEqual(ALWAYS.filter((name) => name !== 'runs'));
  });
});
