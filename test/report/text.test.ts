/** Tables on terminals of limited width. */
import { widthOf } from '../../src/common/wrap.js';
import { toText } from '../../src/report/writers/text.js';
import { buildTables } from '../../src/report/report.js';
import { collect } from '../../src/report/collect.js';
import { readableTables } from '../../src/report/report.js';
import type { Table } from '../../src/report/table.js';
import { resultsMaker } from './support.js';

const TABLE: Table = {
  name: 'example',
  title: 'An example',
  caption: 'What it shows, in a sentence that is longer than a narrow terminal.',
  columns: [
    { key: 'objective', label: 'objective', description: '' },
    { key: 'mean', label: 'mean', unit: '%', description: '', measures: 'value', digits: 2 },
    { key: 'planned', label: 'planned', description: '', digits: 0, aside: 3 },
    { key: 'gain', label: 'gain over scratch', description: '', measures: 'value', digits: 2 },
    { key: 'unhealthy', label: 'unhealthy', description: '', digits: 0, mark: true },
    { key: 'metric', label: 'metric', description: '', aside: 9 },
  ],
  rows: [
    { objective: 'masked', mean: 48.25, planned: 3, gain: 7.5, unhealthy: 0, metric: 'finetune' },
    { objective: 'blurred', mean: null, planned: 3, gain: null, unhealthy: 0, metric: 'finetune' },
    { objective: 'scratch', mean: null, planned: 3, gain: null, unhealthy: 3, metric: 'finetune' },
  ],
  summary: {},
};

test('in a table of several metrics, which has warnings but no column of the one metric, rows with numbers are shown', () => {
  const columns = [
    { key: 'objective', label: 'objective', description: '' },
    { key: 'finetune', label: 'finetune', description: '', digits: 2 },
    { key: 'unhealthy', label: 'unhealthy', description: '', digits: 0, mark: true as const },
  ];
  const rows = [
    { objective: 'masked', finetune: 48.25, unhealthy: 0 },
    { objective: 'blurred', finetune: null, unhealthy: 0 },
  ];
  const text = toText({ ...TABLE, columns, rows });
  expect(text).toContain('masked        48.25');
  expect(text).toContain('Without a result: 1 of 2 rows.');
});

test('if the terminal is wide, every column is on one line', () => {
  expect(toText(TABLE)).toBe(
    [
      'An example',
      'What it shows, in a sentence that is longer than a narrow terminal.',
      '',
      'objective  mean (%)  planned  gain over scratch  unhealthy  metric',
      'masked        48.25        3               7.50             finetune',
      'scratch                    3                           3 †  finetune',
      'Without a result: 1 of 3 rows.',
      '',
    ].join('\n'),
  );
});

test('if it is narrow, headings are broken and the least needed columns are left out, by name', () => {
  expect(toText(TABLE, 44)).toBe(
    [
      'An example',
      'What it shows, in a sentence that is longer',
      'than a narrow terminal.',
      '',
      '                     gain',
      '            mean     over',
      'objective    (%)  scratch  unhealthy',
      'masked     48.25     7.50',
      'scratch                          3 †',
      'Left out to fit 44 columns: planned, metric;',
      'all are in example.csv.',
      'Without a result: 1 of 3 rows.',
      '',
    ].join('\n'),
  );
});

const results = resultsMaker();

test.each([40, 80, 120])('no table of a report is wider than a terminal of %i columns', (width) => {
  const spec = 'grid: {objective: [scratch, masked, zoomed-in, masked+zoomed-in, blurred], seed: [0, 1, 2]}';
  const data = collect([results(spec, (objective, seed) => ({ accuracy: 40 + objective.length / 7 + seed }))]);
  for (const table of readableTables(buildTables(data))) {
    const lines = toText(table, width).split('\n');
    expect({ table: table.name, long: lines.filter((line) => widthOf(line) > width) }).toEqual({
      table: table.name,
      long: [],
    });
    expect(lines[lines.length - 2]).not.toBe('');
  }
});
