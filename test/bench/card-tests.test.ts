/** The runner of tests on a machine without Jest: it must find what fails. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../support/cli.js';

const RUNNER = fileURLToPath(new URL('../../bench/card-tests.js', import.meta.url));
const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

/** A test file with a table of suites, a table of tests and hooks. */
function run(expected: number): { status: number | null; stdout: string } {
  const file = join(folder.path, `sum-${expected}.test.mjs`);
  writeFileSync(
    file,
    `await Promise.resolve();
    let base;
    beforeAll(async () => { base = await Promise.resolve(1); });
    describe.each([{ name: 'one', add: 1 }, { name: 'two', add: 2 }])('adding $name', ({ add }) => {
      it.each([[0], [0]])('to 1 and %i', (more) => { expect(base + add + more).toBe(1 + add); });
      test('later', async () => { await Promise.resolve(); expect(base).toBe(${expected}); });
    });`,
  );
  return spawnSync(process.execPath, ['--test-reporter=tap', RUNNER, file], { encoding: 'utf8' });
}

test('a file whose tests pass ends with 0, all of them counted', () => {
  const { status, stdout } = run(1);
  expect(stdout).toMatch(/tests 6\n/);
  expect(stdout).toMatch(/pass 6\n/);
  expect(status).toBe(0);
});

test('a failure, also one that comes late, is named and ends with 1', () => {
  const { status, stdout } = run(2);
  expect(stdout).toMatch(/fail 2\n/);
  expect(stdout).toContain('not ok 3 - later');
  expect(status).toBe(1);
});
