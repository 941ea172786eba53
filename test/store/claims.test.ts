import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Claimant, holdsClaim, type Claim } from '../../src/store/claims.js';
import { stagePaths } from '../../src/store/layout.js';

const root = mkdtempSync(join(tmpdir(), 'vitmim-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
let count = 0;
const stage = () => stagePaths(join(root, String(count++)));

function claimOf(claimant: Claimant, paths: ReturnType<typeof stage>): Claim {
  const got = claimant.claim(paths);
  if (!('claim' in got)) throw new Error('held');
  return got.claim;
}

/** A claim of some other process. */
function foreign(paths: ReturnType<typeof stage>, host: string, pid = 1): string {
  claimOf(new Claimant(), paths).release();
  const path = join(paths.folder, 'claim-4.json');
  const pids = host === hostname() ? PIDS : '';
  writeFileSync(path, JSON.stringify({ id: 'x', host, pids, pid, since: '2026-01-01T00:00:00.000Z' }));
  return path;
}
const PIDS = (() => {
  const paths = stage();
  const other = new Claimant();
  claimOf(other, paths);
  const got = new Claimant().claim(paths);
  return 'holder' in got ? got.holder!.pids : '';
})();

test('a stage is claimed by one at a time', () => {
  const paths = stage();
  const first = claimOf(new Claimant(), paths);
  expect(new Claimant().claim(paths)).toMatchObject({ holder: { host: hostname(), pid: process.pid } });
  expect(first.renew()).toBe(true);
  first.release();
  const second = claimOf(new Claimant(), paths);
  expect(second.id).not.toBe(first.id);
  expect(holdsClaim(paths, second.id)).toBe(true);
  expect(holdsClaim(paths, first.id)).toBe(false);
  expect(first.renew()).toBe(false);
});

test('a claim of a process that is gone is taken over at once', () => {
  const paths = stage();
  const path = foreign(paths, hostname(), 2 ** 22 + 1); // above the highest process id of Linux
  const claim = claimOf(new Claimant(), paths);
  expect(holdsClaim(paths, claim.id)).toBe(true);
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(paths.folder)).toEqual(['claim-5.json']);
});

test('a claim of another host is taken over when it was not renewed for a minute of this clock', () => {
  const paths = stage();
  const path = foreign(paths, 'elsewhere');
  let now = 0;
  const claimant = new Claimant(() => now);
  expect(claimant.claim(paths)).toMatchObject({ holder: { host: 'elsewhere' } });
  now = 59_000;
  expect('holder' in claimant.claim(paths)).toBe(true);
  utimesSync(path, 5, 5); // renewed, by a clock that is half a century behind
  now = 118_000;
  expect('holder' in claimant.claim(paths)).toBe(true);
  now = 179_000;
  expect('claim' in claimant.claim(paths)).toBe(true);
});

test('clocks that jump change nothing', () => {
  const paths = stage();
  const path = foreign(paths, 'elsewhere');
  for (const year of [1971, 2200]) {
    const time = new Date(Date.UTC(year, 0)).getTime() / 1000;
    utimesSync(path, time, time);
    expect('holder' in new Claimant().claim(paths)).toBe(true);
  }
});

test('a claim that cannot be read is somebody’s, until it is old', () => {
  const paths = stage();
  writeFileSync(foreign(paths, 'elsewhere'), '');
  let now = 0;
  const claimant = new Claimant(() => now);
  expect(claimant.claim(paths)).toEqual({ holder: null });
  now = 61_000;
  expect('claim' in claimant.claim(paths)).toBe(true);
});

test('of many heirs one wins', () => {
  const paths = stage();
  foreign(paths, hostname(), 2 ** 22 + 1);
  const got = Array.from({ length: 20 }, () => new Claimant().claim(paths));
  expect(got.filter((one) => 'claim' in one)).toHaveLength(1);
});
