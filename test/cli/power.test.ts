/** `vitmim power`, and the line of `vitmim plan` about seeds, in this process. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { main } from '../../src/cli/main.js';
import { spreadSourceOf } from '../../src/cli/spread-source.js';
import { accuracies, resultsMaker } from '../report/support.js';
import { temporaryFolder } from '../runner/support.js';
import { captured } from '../support/captured.js';

const results = resultsMaker();
const root = temporaryFolder();
const power = (...args: string[]) => captured(() => main(['power', ...args]));

const GRID = 'job: {evaluate: [finetune]}\ngrid: {objective: [scratch, masked], seed: [0, 1, 2]}';
const FOLDER = results(GRID, accuracies({ scratch: [10, 12, 14], masked: [21, 22, 26] }));
const ONE_SEED = results(
  'job: {evaluate: [finetune]}\ngrid: {objective: [scratch, masked]}',
  accuracies({ scratch: [10], masked: [21] }),
);

test('prints spreads, intervals and seeds, and writes the formats asked for', async () => {
  const out = join(root, 'out');
  const { value, stdout, text } = await power(FOLDER, '--difference', '1,2', '--seeds', '3..4', '--out', out);
  expect(value).toBe(0);
  expect(stdout).toContain('SD of a difference, paired');
  // Differences 11, 10, 12: standard deviation 1. TTestPower: 9.9 seeds for 1, 4.2 for 2; 4.3027/√3 and 3.1824/√4.
  expect(stdout).toMatch(/^ +3 +2\.48$\n^ +4 +1\.59$/m);
  expect(stdout).toMatch(/^ +1 +10$\n^ +2 +5$/m);
  expect(text).toContain('wrote ');
  expect(readFileSync(join(out, 'tables/power-seeds.csv'), 'utf8')).toBe('difference,finetune\r\n1,10\r\n2,5\r\n');
  expect(readFileSync(join(out, 'power.md'), 'utf8')).toContain('## Seeds needed');
  expect(existsSync(join(out, 'tables/power-seeds.tex'))).toBe(false);
});

test('prints one object as JSON', async () => {
  const { value, stdout } = await power(FOLDER, '--json');
  expect(value).toBe(0);
  const { source, spreads } = JSON.parse(stdout) as { source: string; spreads: object[] };
  expect(source).toBe(FOLDER);
  expect(spreads).toEqual([expect.objectContaining({ metric: 'finetune', cells: 2, runs: 6 })]);
});

test('without a folder, has the figures of the kept factorial', async () => {
  const { value, stdout, text } = await power('--difference', '1,2');
  expect(value).toBe(0);
  expect(stdout).toMatch(/^ +1 +36 +14$\n^ +2 +11 +6$/m);
  expect(stdout).toMatch(/^ +3 +5\.16 +3\.00$/m);
  expect(text).toContain('another setting may vary more or less');
});

test.each([
  [
    'one seed',
    [ONE_SEED],
    'finetune has one seed in each cell, and a spread needs two; run a few cells with two seeds or more',
  ],
  ['a metric that the kept results lack', ['--metric', 'knn.top5'], 'no spread of knn.top5'],
  ['no results folder', [join(root, 'nowhere')], 'nowhere'],
  ['a format without a folder', [FOLDER, '--format', 'csv'], '--format needs --out'],
  ['a power that chance has', [FOLDER, '--power', '.01'], 'must be above --alpha'],
  ['a difference of zero', [FOLDER, '--difference', '0'], 'expected positive numbers'],
  ['one seed in the range', [FOLDER, '--seeds', '1..3'], 'expected a number or a range from 2'],
])('refuses %s', async (_name, args, message) => {
  const { value, text, stdout } = await power(...args);
  expect({ value, stdout }).toEqual({ value: 2, stdout: '' });
  expect(text).toContain(message);
});

describe('the spread for a plan', () => {
  test("is that of the folder asked for, else of the sweep's own, else of the kept results", () => {
    expect(spreadSourceOf(join(root, 'nowhere'), FOLDER)).toMatchObject({ name: FOLDER, foreign: true });
    expect(spreadSourceOf(FOLDER, undefined)).toMatchObject({ name: FOLDER, foreign: false });
    expect(spreadSourceOf(join(root, 'nowhere'), undefined).name).toContain('the kept results');
    expect(spreadSourceOf(ONE_SEED, undefined).name).toContain('the kept results');
    expect(() => spreadSourceOf(FOLDER, ONE_SEED)).toThrow(/has no spread: finetune has one seed/);
  });

  test('is in the text and the JSON of vitmim plan', async () => {
    const spec = join(root, 'spec.yaml');
    writeFileSync(spec, `${GRID}\n`);
    const args = ['plan', spec, '--out', join(root, 'none'), '--spread', FOLDER];
    const { stdout } = await captured(() => main(args));
    // 4.3027 · 1 / √3
    expect(stdout).toContain('Seeds: 3 seeds resolve ±2.5 points (finetune)');
    const { stdout: json } = await captured(() => main([...args, '--json']));
    const { resolution } = JSON.parse(json) as { resolution: { source: string; seeds: object } };
    expect(resolution).toMatchObject({ source: FOLDER, seeds: { fewest: 3, most: 3 } });
  });
});
