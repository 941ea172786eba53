/** A table: the best run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Invented } from '../support.js';
import { crossedReport } from './sweeps.js';

const TEXT = `
import { measurementsOf } from '../../evidence/measurements.js';
import type { BuildTable } from '../table.js';

export const bestTable: BuildTable = (data, { metric }) => {
  const accuracies = measurementsOf(data, metric).flatMap(({ accuracy }) => accuracy ?? []);
  return {
    title: 'Best run',
    caption: 'The best run of the sweep.',
    columns: [{ key: 'best', label: 'best', description: 'Its accuracy.', digits: 1 }],
    rows: [{ best: Math.max(...accuracies) }],
    summary: {},
  };
};
`;

export const table: Invented = {
  title: 'table',
  file: { path: 'src/report/tables/best.ts', text: TEXT },
  listed: {
    path: 'src/report/tables/index.ts',
    import: "import { bestTable } from './best.js';",
    after: '  runs: {',
    entry: '  best: { build: bestTable, readable: true },',
  },
  tests(copy) {
    it('is written as CSV and shown on both pages', async () => {
      const { rows, page } = await crossedReport(copy);
      expect(rows('best')).toEqual([{ best: '48.2' }]);
      expect(page).toContain('<section id="table-best"><h2>Best run</h2>');
      expect(readFileSync(join(copy.folder, 'crossed/report.md'), 'utf8')).toContain('## Best run');
    });
  },
};
