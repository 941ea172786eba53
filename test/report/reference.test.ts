/** The committed reports of results/reference are those that the committed records give, byte for byte. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect } from '../../src/report/collect.js';
import { writeReport } from '../../src/report/report.js';

const REFERENCE = 'results/reference';
const withRecords = readdirSync(REFERENCE).filter((name) => existsSync(join(REFERENCE, name, 'stages')));

test('there are such records', () => {
  expect(withRecords).toEqual(expect.arrayContaining(['cifar10-cpu', 'transfer-cifar10']));
});

describe.each(withRecords)('%s', (name) => {
  const folder = join(REFERENCE, name);
  const out = mkdtempSync(join(tmpdir(), 'vitmim-reference-'));
  afterAll(() => {
    rmSync(out, { recursive: true });
  });

  test('has the tables and the page that its records give', () => {
    writeReport(collect([folder]), out, { formats: ['csv', 'md'] });
    expect(readdirSync(join(folder, 'tables'))).toEqual(readdirSync(join(out, 'tables')));
    for (const file of [...readdirSync(join(out, 'tables')).map((table) => join('tables', table)), 'report.md']) {
      expect(`${file}\n${readFileSync(join(folder, file), 'utf8')}`).toBe(
        `${file}\n${readFileSync(join(out, file), 'utf8')}`,
      );
    }
  });
});
